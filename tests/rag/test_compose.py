"""The extractive answerer: which sentences it picks, how many, and in what order."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import pytest

from ingest.assemble import CitedWork, Piece, assemble, make_source
from ingest.chunking import ChunkLimits, chunk_document
from rag.compose import Candidate, Style, compose, weigh_sentences
from rag.query import Wanted, make_query
from rag.schema import BlockKind, Document, Hit, Role, Scores, Turn

ITEM = BlockKind.ITEM
PLAIN = Style(coverage=0.0, fresh=0.0, fresh_compared=0.0, adjacent=0.0, elsewhere=0.0, repeats=0.0)


def _document(*pieces: Piece, works: tuple[CitedWork, ...] = (), path: str = "guide.txt") -> Document:
    return assemble(make_source(path, b"", media_type="text/plain"), pieces, works=works)


def _hits(
    document: Document, cosines: Mapping[str, float], *, target: int = 40, first_row: int = 0
) -> list[Hit]:
    """Every chunk as a hit. A sentence's score is that of the first key that it holds; a chunk's is its best."""

    def cosine(text: str) -> float:
        return next((value for key, value in cosines.items() if key in text), 0.1)

    chunks = chunk_document(
        document, limits=ChunkLimits(target_tokens=target), count_tokens=lambda text: len(text.split()) + 2
    )
    hits = []
    for row, chunk in enumerate(chunks, first_row):
        scores = tuple(cosine(sentence.span.cut(document.text)) for sentence in chunk.sentences)
        hits.append(
            Hit(
                rank=1,
                row=row,
                chunk=chunk,
                title="Guide",
                path=document.source.path,
                scores=Scores(dense=max(scores), lexical=0.0, fused=max(scores)),
                sentence_scores=scores,
            )
        )
    hits.sort(key=lambda hit: (-hit.scores.fused, hit.row))
    return [replace(hit, rank=rank) for rank, hit in enumerate(hits, 1)]


def _answer(
    question: str,
    *documents: Document,
    cosines: Mapping[str, float],
    style: Style | None = None,
    history: Sequence[Turn] = (),
    weigh: Callable[[str], float] = lambda term: 1.0,
) -> list[str]:
    hits: list[Hit] = []
    for document in documents:
        hits += _hits(document, cosines, first_row=len(hits))
    by_id = {document.source.source_id: document for document in documents}
    hits.sort(key=lambda hit: -hit.scores.fused)
    chosen = compose(
        make_query(question, history), hits, document=by_id.__getitem__, weigh=weigh, style=style
    )
    return [candidate.text for candidate in chosen]


# --- sentences -----------------------------------------------------------------------------------------------------

PROSE = _document(
    Piece(text="1. Training", level=1, section_id="1"),
    Piece(text="Momentum smooths the path. Decay shrinks the weights. Noise helps now and then."),
    Piece(text="2. Serving", level=1, section_id="2"),
    Piece(text="Caches answer twice. Queues hold the rest."),
)


def test_nothing_found_gives_no_answer() -> None:
    assert compose(make_query("Why?"), (), document=lambda source_id: PROSE, weigh=lambda term: 1.0) == ()


def test_the_best_sentence_leads_and_poor_ones_stay_out() -> None:
    assert _answer("Why momentum?", PROSE, cosines={"Momentum": 0.9}, style=PLAIN) == [
        "Momentum smooths the path."
    ]


def test_further_sentences_need_their_share_of_the_best_ones_worth() -> None:
    cosines = {"Momentum": 0.9, "Caches": 0.7}
    both = ["Momentum smooths the path.", "Caches answer twice."]
    assert _answer("Why momentum?", PROSE, cosines=cosines, style=replace(PLAIN, keep=0.77)) == both
    assert _answer("Why momentum?", PROSE, cosines=cosines, style=replace(PLAIN, keep=0.79)) == both[:1]


def test_sentences_come_in_the_order_of_the_document() -> None:
    cosines = {"Caches": 0.9, "Momentum": 0.88, "Noise": 0.86}
    assert _answer("Why?", PROSE, cosines=cosines, style=PLAIN) == [
        "Momentum smooths the path.",
        "Noise helps now and then.",
        "Caches answer twice.",
    ]


def test_the_document_of_the_best_sentence_comes_first() -> None:
    other = _document(Piece(text="Zebras are striped."), path="zoo.txt")
    for best, order in (("Zebras", ["Zebras", "Momentum"]), ("Momentum", ["Momentum", "Zebras"])):
        cosines = {"Zebras": 0.85, "Momentum": 0.85} | {best: 0.9}
        answer = _answer("Why?", PROSE, other, cosines=cosines, style=PLAIN)
        assert [sentence.split()[0] for sentence in answer] == order


def test_a_budget_is_kept_and_a_shorter_sentence_may_still_fit() -> None:
    cosines = {"Momentum": 0.9, "Noise": 0.88, "Caches": 0.86}
    fitting = replace(PLAIN, budget_words=8)
    assert _answer("Why?", PROSE, cosines=cosines, style=fitting) == [
        "Momentum smooths the path.",
        "Caches answer twice.",
    ]
    assert len(_answer("Why?", PROSE, cosines=cosines, style=replace(fitting, budget_words=12))) == 3


def test_the_best_sentence_is_shown_even_if_it_passes_the_budget() -> None:
    style = replace(PLAIN, budget_words=1)
    assert _answer("Why?", PROSE, cosines={"Noise": 0.9}, style=style) == ["Noise helps now and then."]


def test_a_neighbour_of_a_chosen_sentence_is_preferred() -> None:
    cosines = {"Momentum": 0.9, "Decay": 0.7, "Queues": 0.72}
    style = replace(PLAIN, budget_words=8)
    assert _answer("Why?", PROSE, cosines=cosines, style=replace(style, chunk=0.0, sentence=1.0)) == [
        "Momentum smooths the path.",
        "Queues hold the rest.",
    ]
    near = replace(style, chunk=0.0, sentence=1.0, adjacent=0.1)
    assert _answer("Why?", PROSE, cosines=cosines, style=near) == [
        "Momentum smooths the path.",
        "Decay shrinks the weights.",
    ]


def test_a_sentence_of_another_section_is_worth_less() -> None:
    cosines = {"Momentum": 0.9, "Caches": 0.7}
    style = replace(PLAIN, keep=0.77)
    assert len(_answer("Why?", PROSE, cosines=cosines, style=style)) == 2
    assert len(_answer("Why?", PROSE, cosines=cosines, style=replace(style, elsewhere=0.1))) == 1


def test_a_sentence_that_holds_what_is_still_missing_is_preferred() -> None:
    cosines = {"Momentum": 0.9, "Caches": 0.6, "Decay": 0.61}
    style = replace(PLAIN, budget_words=8, chunk=0.0, sentence=1.0, keep=0.6)
    question = "Why momentum with caches?"
    assert "Decay shrinks the weights." in _answer(question, PROSE, cosines=cosines, style=style)
    fresh = _answer(question, PROSE, cosines=cosines, style=replace(style, fresh=0.5))
    assert fresh == ["Momentum smooths the path.", "Caches answer twice."]


def test_a_comparison_tells_both_sides() -> None:
    cosines = {"Momentum": 0.9, "Decay": 0.62, "Caches": 0.55}
    style = Style(budget_words=8, chunk=0.0, sentence=1.0)
    assert _answer("Why do momentum and caches matter?", PROSE, cosines=cosines, style=style) == [
        "Momentum smooths the path.",
        "Decay shrinks the weights.",
    ]
    assert _answer("Momentum vs caches?", PROSE, cosines=cosines, style=style) == [
        "Momentum smooths the path.",
        "Caches answer twice.",
    ]


def test_terms_of_the_question_count_by_their_weight() -> None:
    cosines = {"Momentum": 0.5, "Caches": 0.5}
    for heavy, first in (("momentum", "Momentum smooths the path."), ("cach", "Caches answer twice.")):
        ranked = weigh_sentences(
            make_query("Why momentum and caches?"),
            _hits(PROSE, cosines),
            weigh=lambda term, heavy=heavy: 9.0 if term == heavy else 1.0,  # type: ignore[misc]
            style=Style(),
        )
        assert ranked[0].text == first
        assert ranked[0].worth - ranked[1].worth == pytest.approx(Style().coverage * 0.8)


def test_a_follow_up_is_not_answered_with_what_was_just_said() -> None:
    cosines = {"Momentum": 0.9, "Decay": 0.85}
    history = (
        Turn(role=Role.USER, text="Why?"),
        Turn(role=Role.ASSISTANT, text="Momentum smooths the path."),
    )
    style = replace(PLAIN, keep=0.99, repeats=0.3, chunk=0.0, sentence=1.0)
    assert _answer("And otherwise?", PROSE, cosines=cosines, style=style)[0] == "Momentum smooths the path."
    assert _answer("And otherwise?", PROSE, cosines=cosines, style=style, history=history) == [
        "Decay shrinks the weights."
    ]


def test_ties_go_to_the_earlier_sentence() -> None:
    ranked = weigh_sentences(make_query("Zebras?"), _hits(PROSE, {}), weigh=lambda term: 1.0, style=PLAIN)
    assert [candidate.place for candidate in ranked] == sorted(candidate.place for candidate in ranked)


# --- lists ---------------------------------------------------------------------------------------------------------

LISTED = _document(
    Piece(text="1. Optimizers", level=1, section_id="1"),
    Piece(text="Three optimizers matter:"),
    Piece(
        text="Plain Descent: It steps downhill. It needs patience.", kind=ITEM, label="Plain Descent", lead=1
    ),
    Piece(
        text="Momentum Method: It remembers its earlier steps and so passes small bumps with ease. Few use it.",
        kind=ITEM,
        label="Momentum Method",
        lead=1,
    ),
    Piece(text="Adaptive ones:", kind=ITEM, label="", lead=1),
    Piece(text="Adam scales every step.", kind=ITEM, depth=1, lead=4),
    Piece(text="RMSProp scales, too.", kind=ITEM, depth=1, lead=4),
    Piece(text="Something else follows here."),
)
STEPS = {"Three optimizers": 0.8, "It steps": 0.85, "It remembers": 0.8, "Adam": 0.75, "RMSProp": 0.7}


def test_a_list_is_given_as_a_list_with_the_items_under_a_bare_lead_in() -> None:
    question = "What are the types of optimizers?"
    assert make_query(question).wanted is Wanted.LIST
    assert _answer(question, LISTED, cosines=STEPS) == [
        "Plain Descent: It steps downhill.",
        "It needs patience.",  # the first sentence says little, so the second follows
        "Momentum Method: It remembers its earlier steps and so passes small bumps with ease.",
        "Adaptive ones:",
        "Adam scales every step.",
        "RMSProp scales, too.",
    ]


def test_a_list_keeps_its_own_budget() -> None:
    style = Style(list_words=12)  # five and three words, then no room for the long item, but for a short one
    assert _answer("What are the types of optimizers?", LISTED, cosines=STEPS, style=style) == [
        "Plain Descent: It steps downhill.",
        "It needs patience.",
        "Adaptive ones:",
    ]


def test_a_question_that_names_one_item_gets_that_item() -> None:
    cosines = {"It remembers": 0.95, "": 0.5}
    question = "What are the parts of the momentum method?"
    assert make_query(question).wanted is Wanted.LIST
    answer = _answer(question, LISTED, cosines=cosines)
    assert answer == [
        "Momentum Method: It remembers its earlier steps and so passes small bumps with ease.",
        "Few use it.",
    ]
    assert len(_answer("What are the parts of optimizers?", LISTED, cosines=cosines)) == 6


def test_the_items_under_a_labelled_item_are_given_when_it_is_asked_for() -> None:
    document = _document(
        Piece(text="Adaptive Methods: Several exist:", kind=ITEM, label="Adaptive Methods"),
        Piece(text="Adam scales every step.", kind=ITEM, depth=1, lead=0),
        Piece(text="RMSProp scales, too.", kind=ITEM, depth=1, lead=0),
    )
    answer = _answer(
        "What are the adaptive methods?", document, cosines={"Several": 0.9, "Adam": 0.5, "RMS": 0.5}
    )
    assert answer == ["Adam scales every step.", "RMSProp scales, too."]


def test_no_list_is_given_where_the_best_sentences_are_prose() -> None:
    answer = _answer("What are the types of optimizers?", LISTED, cosines={"Something": 0.9, "": 0.0})
    assert answer == ["Something else follows here."]


def test_one_item_makes_no_list() -> None:
    document = _document(
        Piece(text="One optimizer matters:"),
        Piece(text="Plain descent steps downhill. It needs patience. It costs little.", kind=ITEM, lead=0),
    )
    answer = _answer("What are the types of optimizers?", document, cosines={"costs": 0.9}, style=PLAIN)
    assert answer == ["It costs little."]


def test_a_bare_lead_in_is_no_answer_unless_there_is_nothing_else() -> None:
    cosines = {"Three": 0.9, "Something": 0.8}
    assert _answer("Why optimizers?", LISTED, cosines=cosines, style=PLAIN) == [
        "Something else follows here."
    ]
    alone = _document(Piece(text="Three optimizers matter:"))
    assert _answer("Why optimizers?", alone, cosines=cosines) == ["Three optimizers matter:"]


# --- tables --------------------------------------------------------------------------------------------------------


def _row(*cells: str, kind: BlockKind = BlockKind.ROW) -> Piece:
    return Piece(text="\t".join(cells), kind=kind, columns=("Model", "Cost", "Strength"), cells=cells)


def test_a_row_is_shown_with_its_column_names() -> None:
    table = _document(
        _row("Model", "Cost", "Strength", kind=BlockKind.HEADER),
        _row("BERT", "low", "Understands both sides."),
        _row("GPT", "high", "Writes."),
    )
    answer = _answer("How costly is BERT?", table, cosines={"BERT": 0.9})
    assert answer == ["BERT — Cost: low. Strength: Understands both sides."]


def test_a_row_counts_with_the_words_that_it_is_shown_with() -> None:
    table = _document(_row("BERT", "low", "Understands."))
    [candidate] = weigh_sentences(
        make_query("What does it cost?"), _hits(table, {}), weigh=lambda term: 1.0, style=Style()
    )
    assert (candidate.n_words, candidate.quote) == (6, "BERT\tlow\tUnderstands.")


# --- works ---------------------------------------------------------------------------------------------------------


def _entry(number: int) -> Piece:
    return Piece(
        text=f"Paper {number}, https://example.org/{number}", kind=BlockKind.ENTRY, marker=f"{number}."
    )


CITING = _document(
    Piece(text="Adapters save memory. They are small.", marks=((21, 1), (37, 2))),
    Piece(text="Caches answer twice.", marks=((20, 3),)),
    *(_entry(number) for number in (1, 2, 3)),
    works=tuple(
        CitedWork(
            number=number,
            title=f"Paper {number}",
            url="",
            text_fragment=None,
            accessed=None,
            piece=number + 1,
        )
        for number in (1, 2, 3)
    ),
)
CITED = {"Adapters": 0.9, "Paper 1": 0.6, "Paper 2": 0.59, "Paper 3": 0.58, "They": 0.7, "Caches": 0.5}
ENTRY_1, ENTRY_2, ENTRY_3 = (f"Paper {number}, https://example.org/{number}" for number in (1, 2, 3))


def test_a_question_about_sources_gets_the_passage_and_the_works_that_it_cites() -> None:
    assert _answer("Which source says that adapters save memory?", CITING, cosines=CITED) == [
        "Adapters save memory.",
        ENTRY_1,
    ]
    assert _answer("Which source says that they are small?", CITING, cosines={**CITED, "They": 0.95}) == [
        "They are small.",
        ENTRY_2,
    ]


def test_a_work_asked_for_by_number_is_given_alone() -> None:
    assert _answer("What is reference 3?", CITING, cosines=CITED) == [ENTRY_3]


def test_works_that_match_as_well_as_the_best_one_are_given_without_a_passage() -> None:
    cosines = {"Paper 2": 0.9, "Paper 3": 0.85, "Paper 1": 0.5}
    assert _answer("Which source is on papers?", CITING, cosines=cosines) == [ENTRY_2, ENTRY_3]
    cosines = {"Paper 2": 0.9, "Paper 3": 0.7, "Paper 1": 0.5}
    assert _answer("Which source is on papers?", CITING, cosines=cosines) == [ENTRY_2]


def test_a_question_about_sources_over_a_document_without_any_is_answered_from_its_sentences() -> None:
    assert _answer("Which source mentions momentum?", PROSE, cosines={"Momentum": 0.9}, style=PLAIN) == [
        "Momentum smooths the path."
    ]


def test_a_candidate_quotes_its_document() -> None:
    for candidate in weigh_sentences(
        make_query("Why?"), _hits(LISTED, STEPS), weigh=lambda term: 1.0, style=Style()
    ):
        assert isinstance(candidate, Candidate)
        assert candidate.quote == candidate.sentence.span.cut(LISTED.text)
