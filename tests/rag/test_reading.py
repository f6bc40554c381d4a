"""Which shelf a question is answered from, by shelves that say what they are told to."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import pytest

from rag.gate import Evidence, Verdict
from rag.query import make_query
from rag.reading import Read, Reader
from rag.schema import BlockKind, Chunk, Hit, Scores, Sentence, Span
from rag.shelf import Finding, Shelf

NOTHING = Evidence(
    dense=0.0, sentence=0.0, sentence_mean=0.0, held=0.0, names=0.0, works=0.0, no_detail=0.0, foreign=0.0
)


def _hit(source_id: str, rank: int) -> Hit:
    span = Span(start=0, end=4)
    sentence = Sentence(span=span, kind=BlockKind.PARAGRAPH, block=0)
    chunk = Chunk(
        chunk_id=f"{source_id}{rank}", source_id=source_id, ordinal=rank, text="Text", span=span, section_id="1",
        heading_path=(), first_page=None, last_page=None, n_tokens=3, sentences=(sentence,),
    )  # fmt: skip
    scores = Scores(dense=0.5, lexical=0.0, fused=0.5)
    return Hit(
        rank=rank, row=rank, chunk=chunk, title=source_id, path=source_id, scores=scores, sentence_scores=(0.5,)
    )  # fmt: skip


class _Shelf:
    """A shelf of one source that finds six passages and gives the verdict that it was made with."""

    def __init__(
        self,
        name: str,
        verdict: Verdict,
        lacking: tuple[str, ...] = (),
        evidence: Evidence = NOTHING,
        *,
        is_named: bool = False,
    ) -> None:
        self.is_named = is_named
        self.name = name
        self.evidence = evidence
        self.verdict = verdict
        self.lacking = lacking

    def find(self, question: str, turns: Sequence[Any], **_: Any) -> Finding:
        hits = tuple(_hit(self.name, rank) for rank in range(1, 7))
        query = make_query(question, ())
        shelf = cast(Shelf, self)
        return Finding(
            shelf=shelf,
            query=query,
            hits=hits,
            evidence=self.evidence,
            verdict=self.verdict,
            lacking=self.lacking,
            is_named=self.is_named,
        )

    def weigh(self, term: str) -> float:
        return 1.0


def _read(roadmap: Verdict, others: Verdict) -> Read:
    shelves = (cast(Shelf, _Shelf("roadmap", roadmap)), cast(Shelf, _Shelf("others", others)))
    return Reader(shelves=shelves, max_question_chars=100).read("What is it?", (), k=6)


@pytest.mark.parametrize(
    ("roadmap", "others", "first"),
    [(True, True, "roadmap"), (True, False, "roadmap"), (False, True, "others"), (False, False, "roadmap")],
)
def test_the_roadmap_answers_first_and_stands_first_where_nothing_answers(
    roadmap: bool, others: bool, first: str
) -> None:
    read = _read(Verdict(probability=0.87, answer=roadmap), Verdict(probability=0.9, answer=others))
    assert {hit.path for hit in read.hits} == {first}
    assert read.verdict.answer == (roadmap or others)
    assert [hit.rank for hit in read.hits] == [1, 2, 3, 4, 5, 6]
    assert [hit.path for hit in read.shown] == 6 * [first] + 4 * [*({"roadmap", "others"} - {first})]
    assert [hit.rank for hit in read.shown] == list(range(1, 11))


def test_a_refusal_names_as_missing_only_what_no_shelf_has() -> None:
    read = _read(
        Verdict(probability=0.1, answer=False, missing=("QLoRA", "vLLM")),
        Verdict(probability=0.1, answer=False, missing=("vLLM", "Mamba")),
    )
    assert read.verdict.missing == ("vLLM",)


@pytest.mark.parametrize(
    ("lacking", "others_lack", "others_answer", "first"),
    [
        (("SageMaker",), (), True, "others"),
        (("SageMaker",), ("SageMaker",), True, "roadmap"),
        (("SageMaker",), (), False, "roadmap"),
        ((), (), True, "roadmap"),
    ],
)
def test_the_roadmap_gives_way_where_it_lacks_a_name_that_the_others_have(
    lacking: tuple[str, ...], others_lack: tuple[str, ...], others_answer: bool, first: str
) -> None:
    roadmap = _Shelf("roadmap", Verdict(probability=0.87, answer=True), lacking)
    others = _Shelf("others", Verdict(probability=0.9, answer=others_answer), others_lack)
    reader = Reader(shelves=(cast(Shelf, roadmap), cast(Shelf, others)), max_question_chars=100)
    assert {hit.path for hit in reader.read("What is it?", (), k=6).hits} == {first}
    of_works = reader.read("Which source is cited for it?", (), k=6)
    assert {hit.path for hit in of_works.hits} == {"roadmap"}  # no other document has works cited


@pytest.mark.parametrize(
    ("sentences", "held", "others_probability", "first"),
    [
        (0.10, 0.0, 0.7, "roadmap"),
        (0.25, 0.0, 0.7, "others"),
        (0.10, 0.45, 0.7, "others"),
        (0.25, 0.0, 0.4, "others"),  # its own gate nearly answers
        (0.25, 0.0, 0.2, "roadmap"),
    ],
)
def test_the_roadmap_gives_way_where_the_others_are_plainly_closer(
    sentences: float, held: float, others_probability: float, first: str
) -> None:
    read = _closer(sentences, held, others_probability)
    assert {hit.path for hit in read.hits} == {first}
    assert read.verdict.answer  # one of the gates says so, whichever shelf is closer


@pytest.mark.parametrize(
    ("sentences", "shown"),
    [
        (0.00, "rrrrrr oooo"),
        (0.10, "rro rro rro o"),  # either may be meant: two of the one that answers, one of the other
        (0.25, "oor oor oor r"),
        (0.35, "oooooo rrrr"),
    ],
)
def test_where_both_are_about_as_close_their_passages_take_turns(sentences: float, shown: str) -> None:
    read = _closer(sentences, 0.0, 0.7)
    assert "".join(hit.path[0] for hit in read.shown) == shown.replace(" ", "")
    assert [hit.rank for hit in read.shown] == list(range(1, 11))


def test_works_cited_are_the_roadmaps_alone_however_close_the_others_are() -> None:
    read = _closer(0.25, 0.0, 0.7, question="Which source is cited for it?")
    assert "".join(hit.path[0] for hit in read.shown) == "rrrrrroooo"


def test_where_nothing_answers_what_is_plainly_closer_is_shown_first() -> None:
    for sentences, first in ((0.1, "roadmap"), (0.25, "others")):
        read = _closer(sentences, 0.0, 0.2, roadmap_probability=0.3)
        assert (read.verdict.answer, read.shown[0].path) == (False, first)


def _closer(
    sentences: float,
    held: float,
    others_probability: float,
    *,
    roadmap_probability: float = 0.9,
    question: str = "What is it?",
) -> Read:
    """Read where the other documents lead by that much."""
    closer = replace(NOTHING, sentence_mean=0.5 + sentences, held=0.3 + held)
    near = replace(NOTHING, sentence_mean=0.5, held=0.3)
    verdict = Verdict(probability=others_probability, answer=others_probability > 0.6)
    verdict_here = Verdict(probability=roadmap_probability, answer=roadmap_probability > 0.6)
    roadmap = _Shelf("roadmap", verdict_here, evidence=near)
    others = _Shelf("others", verdict, evidence=closer)
    reader = Reader(shelves=(cast(Shelf, roadmap), cast(Shelf, others)), max_question_chars=100)
    return reader.read(question, (), k=6)


@pytest.mark.parametrize(
    ("question", "roadmap_answers", "shown"),
    [
        ("What does the DTU course say?", True, "oooooo rrrr"),
        ("What do the roadmap and the DTU course say?", True, "rro rro rro o"),
        ("What do the roadmap and the DTU course say?", False, "oor oor oor r"),
    ],
)
def test_documents_that_a_question_names_answer_it_unless_it_names_the_roadmap_too(
    question: str, roadmap_answers: bool, shown: str
) -> None:
    roadmap = _Shelf("roadmap", Verdict(probability=0.9, answer=roadmap_answers))
    others = _Shelf("others", Verdict(probability=0.9, answer=True), is_named=True)
    reader = Reader(shelves=(cast(Shelf, roadmap), cast(Shelf, others)), max_question_chars=100)
    read = reader.read(question, (), k=6)
    assert "".join(hit.path[0] for hit in read.shown) == shown.replace(" ", "")
