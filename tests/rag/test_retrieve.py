"""Retrieval over a tiny index, against a slow computation of the same scores from the texts alone."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Self, cast

import numpy as np
import pytest

from ingest.assemble import Piece
from rag.embed import Vectors
from rag.index.dense import FILE, Dense, write_dense
from rag.index.reader import Index
from rag.passages import Scope
from rag.query import Query, Wanted, make_query
from rag.retrieve import Weights, query_vector, rows_in, search
from rag.schema import BlockKind, Chunk, Hit, Role, Turn
from rag.terms import distinct, terms
from tests.rag.small_library import (
    EMBEDDER,
    OTHER,
    ROADMAP,
    WORKS,
    Opens,
    Row,
    document,
    entry,
    search_in,
)

# --- the same, slowly ----------------------------------------------------------------------------------------------


def _bm25(texts: Sequence[str], asked: Sequence[str]) -> list[float]:
    """BM25 as Lucene has it, k1 1.5, b 0.75."""
    counted = [Counter(terms(text)) for text in texts]
    mean = sum(sum(counts.values()) for counts in counted) / len(counted)
    scores = []
    for counts in counted:
        score = 0.0
        for term in asked:
            df = sum(term in other for other in counted)
            idf = math.log(1 + (len(texts) - df + 0.5) / (df + 0.5))
            length = sum(counts.values()) / mean
            score += idf * counts[term] / (counts[term] + 1.5 * (1 - 0.75 + 0.75 * length))
        scores.append(score)
    return scores


def _slowly(rows: Sequence[Row], query: Query, weights: Weights) -> list[float]:
    fused = _fused(rows, query, weights, dense_weight=weights.dense)
    best = sorted(range(len(rows)), key=lambda n: -fused[n])[:5]
    if max(_share_held(rows, n, query) for n in best) < weights.reworded:
        fused = _fused(rows, query, weights, dense_weight=1.0)
    is_entry = [row.chunk.sentences[0].kind is BlockKind.ENTRY for row in rows]
    return [score - weights.works * entry for score, entry in zip(fused, is_entry, strict=True)]


def _share_held(rows: Sequence[Row], n: int, query: Query) -> float:
    """The share of the question's terms, by inverse document frequency, in a row with its headings and lead-ins."""
    held = set(terms(" ".join([*rows[n].chunk.heading_path, rows[n].searched])))
    of = [set(terms(row.searched)) for row in rows]
    asked = {}
    for term in distinct(terms(query.text)):
        df = sum(term in one for one in of)
        asked[term] = math.log(1 + (len(rows) - df + 0.5) / (df + 0.5))
    return sum(weight for term, weight in asked.items() if term in held) / (sum(asked.values()) or 1.0)


def _fused(rows: Sequence[Row], query: Query, weights: Weights, *, dense_weight: float) -> list[float]:
    """Before what works cited lose."""
    vector = query_vector(EMBEDDER, query, weights)
    lexical = _bm25([row.searched for row in rows], distinct(terms(query.text)))
    if query.background:
        history = _bm25([row.searched for row in rows], distinct(terms(query.background)))
        lexical = [own + weights.background_terms * past for own, past in zip(lexical, history, strict=True)]
    plain = []
    for row, words in zip(rows, lexical, strict=True):
        whole, *parts = (float(one @ vector) for one in row.vectors)
        dense = (1 - weights.sentence) * whole + weights.sentence * max(parts)
        plain.append(dense_weight * dense + (1 - dense_weight) * words / (max(lexical) or 1.0))
    fused = []
    for n, row in enumerate(rows):
        section = (row.chunk.source_id, row.chunk.section_id)
        others = [
            plain[m]
            for m, other in enumerate(rows)
            if m != n and (other.chunk.source_id, other.chunk.section_id) == section
        ]
        is_entry = row.chunk.sentences[0].kind is BlockKind.ENTRY
        raised = 0.0 if is_entry or not others else weights.section * max(others)
        fused.append(plain[n] + raised)
    return fused


@pytest.mark.parametrize("history", [(), (Turn(role=Role.USER, text="How is a model packed with Docker?"),)])
@pytest.mark.parametrize(
    "question",
    [
        "How does gradient descent lower the loss?",
        "What of its containers?",
        "I am new here. My model is slow. How does Docker pack it?",
        "Quantum chromodynamics?",
    ],
)
def test_fused_scores_equal_a_slow_computation(
    question: str, history: tuple[Turn, ...], build: Opens
) -> None:
    library, weights = build(ROADMAP, OTHER), Weights()
    query = make_query(question, history)
    hits = search_in(library, query)
    expected = _slowly(library.rows, query, weights)
    assert [hit.chunk for hit in sorted(hits, key=lambda h: h.row)] == [row.chunk for row in library.rows]
    for hit in hits:
        # Sentence vectors are kept in half precision.
        assert hit.scores.fused == pytest.approx(expected[hit.row], abs=2e-3)
        assert hit.scores.dense == pytest.approx(
            float(library.rows[hit.row].vectors[0] @ query_vector(EMBEDDER, query, weights)), abs=1e-5
        )
    assert [hit.scores.fused for hit in hits] == sorted((hit.scores.fused for hit in hits), reverse=True)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))


def test_lexical_scores_are_bm25_of_the_question(build: Opens) -> None:
    library, query = build(ROADMAP, OTHER), make_query("How does Docker pack a model?")
    expected = _bm25([row.searched for row in library.rows], distinct(terms(query.text)))
    assert max(expected) > 0
    for hit in search_in(library, query):
        assert hit.scores.lexical == pytest.approx(expected[hit.row], rel=1e-4)


def test_sentence_scores_are_cosines_in_the_order_of_the_sentences(build: Opens) -> None:
    library, query = build(ROADMAP), make_query("How does gradient descent lower the loss?")
    vector = query_vector(EMBEDDER, query, Weights())
    for hit in search_in(library, query):
        assert len(hit.sentence_scores) == len(hit.chunk.sentences)
        assert hit.sentence_scores == pytest.approx(
            [float(one @ vector) for one in library.rows[hit.row].vectors[1:]], abs=1e-3
        )


def test_the_weights_say_which_half_counts(build: Opens) -> None:
    library, query = build(ROADMAP), make_query("How does Docker pack a model?")
    for hit in search_in(library, query, weights=Weights(dense=0.0, section=0.0, works=0.0)):
        best = max(h.scores.lexical for h in search_in(library, query))
        assert hit.scores.fused == pytest.approx(hit.scores.lexical / best, abs=1e-6)
    for hit in search_in(library, query, weights=Weights(dense=1.0, sentence=0.0, section=0.0, works=0.0)):
        assert hit.scores.fused == pytest.approx(hit.scores.dense, abs=1e-6)


# --- the question's vector -----------------------------------------------------------------------------------------


def test_words_do_not_count_where_the_best_passages_hold_few_of_the_questions(build: Opens) -> None:
    library = build(ROADMAP)
    query = make_query("Which savanna giraffes, okapis and rhinos does Docker pack?")
    all_count, none_count = Weights(dense=0.5, reworded=0.0), Weights(dense=1.0)
    reworded = search_in(library, query, weights=Weights(dense=0.5))
    assert reworded == search_in(library, query, weights=none_count)
    assert reworded != search_in(library, query, weights=all_count)
    plain = make_query("Docker packs a model")
    assert search_in(library, plain, weights=Weights(dense=0.5)) == search_in(
        library, plain, weights=all_count
    )


def test_a_plain_questions_vector_is_its_embedding() -> None:
    query = make_query("How does Docker pack a model?")
    assert np.allclose(query_vector(EMBEDDER, query, Weights()), EMBEDDER.embed_query(query.text), atol=1e-6)


def test_focus_and_background_pull_the_vector_and_its_length_stays_one() -> None:
    plain = make_query("I am new. How does Docker pack a model?")
    leaning = replace(plain, focus=plain.text, background="zebras of the savanna")
    zebras = EMBEDDER.embed_query("zebras of the savanna")
    focus = EMBEDDER.embed_query(plain.focus)
    without = replace(plain, focus=plain.text)

    def near(query: Query, to: Vectors) -> float:
        vector = query_vector(EMBEDDER, query, Weights())
        assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-6)
        return float(vector @ to)

    assert near(plain, focus) > near(without, focus)
    assert near(leaning, zebras) > near(without, zebras)


# --- order ---------------------------------------------------------------------------------------------------------


def test_ties_are_broken_by_source_then_place(build: Opens) -> None:
    orders = ("care and patience", "patience and care", "and care patience", "and patience care")
    same = [
        f"Gradient descent lowers the loss of every model that is trained with {order}." for order in orders
    ]
    first, second = [Piece(text=text) for text in same[:2]], [Piece(text=text) for text in same[2:]]
    twins = [document("a.txt", *first), document("b.txt", *second)]
    expected = sorted((document.source.source_id, n) for document in twins for n in (0, 1))
    for documents in (twins, twins[::-1]):
        hits = search_in(build(*documents), make_query("How does gradient descent lower the loss?"))
        assert len({round(hit.scores.fused, 6) for hit in hits}) == 1
        assert [(hit.chunk.source_id, hit.chunk.ordinal) for hit in hits] == expected


def test_the_same_words_in_two_sources_are_one_passage(build: Opens) -> None:
    same = "Gradient descent lowers the loss of every model that is trained with care."
    copies = [document(path, Piece(text=same)) for path in ("a.txt", "copy-of-a.txt")]
    hits = search_in(build(*copies), make_query("How does gradient descent lower the loss?"))
    assert [hit.chunk.text for hit in hits] == [same]


@pytest.mark.parametrize("k", [1, 3, 5])
def test_no_more_than_k_hits_come_and_they_are_the_best(k: int, build: Opens) -> None:
    library, query = build(ROADMAP), make_query("How does Docker pack a model?")
    every = search_in(library, query)
    assert len(every) > 5
    assert search_in(library, query, k=k) == every[:k]


SCOPED = document(
    "scoped.txt",
    Piece(text="1. Bikes", level=1, section_id="1"),
    Piece(text="Bikes have gears."),
    Piece(text="1.1. Gears", level=2, section_id="1.1"),
    Piece(text="Gears turn slowly."),
    Piece(text="2. Cars", level=1, section_id="2"),
    Piece(text="Cars have gears, too, and gears of cars are boxed."),
)


@pytest.mark.parametrize(
    ("section", "found"),
    [
        (
            None,
            {"Bikes have gears.", "Gears turn slowly.", "Cars have gears, too, and gears of cars are boxed."},
        ),
        ("1", {"Bikes have gears.", "Gears turn slowly."}),
        ("1.1", {"Gears turn slowly."}),
        ("no such section", set()),
    ],
)
def test_a_scope_lets_through_a_source_or_a_section_with_its_subsections(
    section: str | None, found: set[str], build: Opens
) -> None:
    library = build(ROADMAP, SCOPED)
    scope = Scope(source_id=SCOPED.source.source_id, section_id=section)
    hits = search(
        library.index, EMBEDDER, make_query("gears of cars"), k=10, rows=rows_in(library.index, scope)
    )
    assert {hit.chunk.text for hit in hits} == found
    assert [hit.rank for hit in hits] == list(range(1, len(found) + 1))


def test_a_scope_finds_what_lies_too_far_down_without_it(build: Opens) -> None:
    other = document("other.txt", *(Piece(text=f"Zebras run {n} miles.") for n in range(450)))
    library = build(other, SCOPED)
    query = make_query("zebras")
    everywhere = search(library.index, EMBEDDER, query, k=450)
    assert not any(hit.path == "scoped.txt" for hit in everywhere)
    scope = Scope(source_id=SCOPED.source.source_id)
    assert len(search(library.index, EMBEDDER, query, k=9, rows=rows_in(library.index, scope))) == 3


def test_a_section_needs_its_source() -> None:
    with pytest.raises(ValueError, match="of which source"):
        Scope(section_id="1")


def test_a_hit_names_its_source(build: Opens) -> None:
    hits = search_in(build(ROADMAP, OTHER), make_query("Do zebras graze at dawn?"), k=1)
    assert (hits[0].title, hits[0].path, hits[0].chunk.text) == (
        "other.txt",
        "other.txt",
        "Zebras graze at dawn.",
    )


class _NoRows:
    """An index without a chunk; none can be written, for BM25 needs a row."""

    def __init__(self, folder: Path) -> None:
        (folder / "raw").touch()
        with (folder / FILE).open("wb") as file:
            write_dense(folder / "raw", file, shape=(0, EMBEDDER.spec.dim))
        self.dense = Dense(folder)

    @property
    def lexical(self) -> Self:
        return self

    def scores(self, query: Sequence[str]) -> Vectors:
        return np.zeros(0, dtype=np.float32)

    def chunks(self, rows: Sequence[int]) -> tuple[Chunk, ...]:
        return ()

    def __len__(self) -> int:
        return 0


@pytest.mark.parametrize("question", ["How does Docker pack a model?", "What is reference 1?"])
def test_an_empty_index_finds_nothing(question: str, tmp_path: Path) -> None:
    assert search(cast(Index, _NoRows(tmp_path)), EMBEDDER, make_query(question), k=5) == ()


# --- works cited ---------------------------------------------------------------------------------------------------


def _numbers(hits: Sequence[Hit]) -> list[int]:
    return [h.chunk.sentences[0].references[0] for h in hits if h.chunk.sentences[0].kind is BlockKind.ENTRY]


def test_a_work_stands_right_behind_the_passage_that_cites_it(build: Opens) -> None:
    query = make_query("Which source backs up that Docker packs a model with all that it needs?")
    assert query.wanted is Wanted.WORKS
    first, second, *rest = search_in(build(ROADMAP), query)
    assert first.chunk.text.startswith("Docker packs")
    assert _numbers([second]) == [2]
    assert second.scores.fused == pytest.approx(first.scores.fused - 1e-4, abs=1e-6)
    assert _numbers(rest) == [1, 3]


def test_a_work_cited_only_beside_the_best_sentence_stands_further_behind(build: Opens) -> None:
    pieces = (
        Piece(text="Docker packs a model. Images are small.", marks=((21, 1), (39, 2))),
        entry(1, "Optimisation"),
        entry(2, "Containers"),
    )
    works = tuple(replace(work, piece=work.number) for work in WORKS[:2])
    hits = search_in(
        build(document("two.txt", *pieces, works=works)),
        make_query("Which source says: Docker packs a model?"),
    )
    assert hits[0].chunk.text.startswith("Docker packs")
    assert _numbers(hits) == [1, 2]
    gaps = [hits[0].scores.fused - hit.scores.fused for hit in hits[1:]]
    assert gaps == pytest.approx([1e-4, 0.05], abs=1e-6)


def test_works_are_held_back_unless_they_are_asked_for(build: Opens) -> None:
    query = make_query("Are there zebras of the savanna?")
    library = build(ROADMAP)
    held, free = search_in(library, query), search_in(library, query, weights=Weights(works=0.0))
    entry = [next(hit for hit in hits if _numbers([hit]) == [3]) for hits in (held, free)]
    assert entry[1].scores.fused - entry[0].scores.fused == pytest.approx(Weights().works, abs=1e-6)


def test_a_work_of_another_source_is_not_raised(build: Opens) -> None:
    alone = document("alone.txt", entry(2, "Something else"), works=(replace(WORKS[1], piece=0),))
    query = make_query("Which source backs up that Docker packs a model with all that it needs?")
    hits = search_in(build(ROADMAP, alone), query)
    raised = [hit for hit in hits if _numbers([hit]) == [2]]
    assert [hit.path for hit in raised] == ["roadmap.txt", "alone.txt"]
    assert raised[1].scores.fused < hits[0].scores.fused - 0.1


def test_a_work_asked_for_by_number_comes_first(build: Opens) -> None:
    for number in (1, 2, 3):
        assert _numbers(search_in(build(ROADMAP), make_query(f"What is reference {number}?"), k=1)) == [
            number
        ]


def test_a_work_asked_for_by_number_is_found_however_far_it_lies(build: Opens) -> None:
    near = [Piece(text=f"What is a reference, and what is a source? Question {n}.") for n in range(250)]
    library = build(
        document(
            "long.txt",
            *near,
            Piece(text="Zebras", kind=BlockKind.ENTRY),
            works=(replace(WORKS[0], number=7, piece=250),),
        )
    )
    assert _numbers(search_in(library, make_query("What is reference 7?"), k=1)) == [7]
