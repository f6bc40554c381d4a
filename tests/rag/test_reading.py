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
    dense=0.0, sentence=0.0, sentence_mean=0.0, held=0.0, names=0.0, works=0.0, no_detail=0.0, followup=0.0
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
        self, name: str, verdict: Verdict, lacking: tuple[str, ...] = (), evidence: Evidence = NOTHING
    ) -> None:
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
    behind = [7, 8, 9, 10] if first == "roadmap" else [1, 2, 3, 4]  # the roadmap's stand between the others
    assert [hit.rank for hit in read.behind] == behind
    assert {hit.path for hit in read.behind} == {"roadmap", "others"} - {first}


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
    closer = replace(NOTHING, sentence_mean=0.5 + sentences, held=0.3 + held)
    near = replace(NOTHING, sentence_mean=0.5, held=0.3)
    verdict = Verdict(probability=others_probability, answer=others_probability > 0.6)
    roadmap = _Shelf("roadmap", Verdict(probability=0.9, answer=True), evidence=near)
    others = _Shelf("others", verdict, evidence=closer)
    reader = Reader(shelves=(cast(Shelf, roadmap), cast(Shelf, others)), max_question_chars=100)
    read = reader.read("What is it?", (), k=6)
    assert {hit.path for hit in read.hits} == {first}
    assert read.verdict.answer  # one of the gates says so, whichever shelf is closer
