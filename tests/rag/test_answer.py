"""The JSON of an answer is a contract: its keys, its nulls, its plain types."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rag.answer import (
    Answer,
    AnswerStatus,
    Citation,
    Cut,
    Passage,
    Provenance,
    Reference,
    Says,
    Timings,
    Usage,
)
from rag.schema import Chunk, Hit, Scores, Span

HIT = Hit(
    rank=1,
    row=7,
    chunk=Chunk(
        chunk_id="c",
        source_id="abc",
        ordinal=0,
        text="Momentum helps.",
        span=Span(start=10, end=25),
        section_id="1",
        heading_path=("Part I", "Training"),
        first_page=3,
        last_page=4,
        n_tokens=4,
        sentences=(),
    ),
    title="Guide",
    path="guide.pdf",
    scores=Scores(dense=0.123456, lexical=2.0, fused=0.98765),
    sentence_scores=(0.5,),
)
CITATION = Citation(
    label=1,
    source_id="abc",
    title="Guide",
    path="guide.pdf",
    url=None,
    heading_path=("Part I", "Training"),
    pages=(3, 4),
    quote="Momentum helps.",
    quote_span=Span(start=10, end=25),
    answer_spans=(Span(start=0, end=15),),
    support=1.0,
    references=(Reference(number=44, title="LoRA", url="https://example.org/lora"),),
)
ANSWER = Answer(
    id="1f",
    question="Why  momentum?",
    standalone="Why momentum?",
    search_query="Why momentum?",
    status=AnswerStatus.ANSWERED,
    text="Momentum helps. [1]",
    raw_text="Momentum helps. [1] [9]",
    citations=(CITATION,),
    passages=(Passage(label=1, hit=HIT, pages=(3, 4)),),
    cut=(Cut(label=2, tokens=40),),
    unknown_labels=(9,),
    unsupported_spans=(Span(start=2, end=5),),
    warnings=("old",),
    usage=Usage(prompt_tokens=3, completion_tokens=4),
    timings=Timings(retrieve_s=0.123456, first_token_s=0.2, total_s=0.3),
    provenance=Provenance(index_id="i", embedder="e@1", generator="extractive", settings_digest="d"),
    evidence=0.123456,
)


def _record(answer: Answer = ANSWER) -> Any:  # Any: plain JSON
    return json.loads(json.dumps(answer.to_dict(), allow_nan=False))


def test_the_answer_has_exactly_the_published_keys() -> None:
    assert list(_record()) == [
        "id",
        "question",
        "standalone",
        "search_query",
        "status",
        "text",
        "raw_text",
        "citations",
        "passages",
        "cut",
        "unknown_labels",
        "unsupported_spans",
        "warnings",
        "evidence",
        "usage",
        "timings",
        "provenance",
    ]


def test_its_parts_have_exactly_the_published_keys() -> None:
    record = _record()
    assert list(record["citations"][0]) == [
        "label",
        "source_id",
        "title",
        "path",
        "url",
        "heading_path",
        "pages",
        "quote",
        "quote_span",
        "answer_spans",
        "support",
        "references",
    ]
    assert list(record["citations"][0]["references"][0]) == ["n", "title", "url", "says"]
    assert list(record["passages"][0]) == [
        *("label", "source_id", "title", "path", "heading_path", "pages", "text", "span", "scores")
    ]
    assert list(record["passages"][0]["scores"]) == ["dense", "lexical", "fused", "rerank"]
    assert list(record["usage"]) == ["prompt_tokens", "completion_tokens", "stop_reason"]
    assert list(record["timings"]) == ["retrieve_s", "first_token_s", "total_s"]
    assert list(record["provenance"]) == [
        *("index_id", "embedder", "generator", "settings_digest", "strategy", "prompt_digest", "seed")
    ]


def test_values_are_carried_over() -> None:
    record = _record()
    assert [record[key] for key in ("id", "question", "search_query", "text", "raw_text")] == [
        "1f",
        "Why  momentum?",
        "Why momentum?",
        "Momentum helps. [1]",
        "Momentum helps. [1] [9]",
    ]
    assert (record["unknown_labels"], record["warnings"]) == ([9], ["old"])
    assert record["usage"] == {"prompt_tokens": 3, "completion_tokens": 4, "stop_reason": None}
    assert record["provenance"] == {
        "index_id": "i",
        "embedder": "e@1",
        "generator": "extractive",
        "settings_digest": "d",
        "strategy": None,
        "prompt_digest": None,
        "seed": None,
    }
    assert record["cut"] == [{"label": 2, "tokens": 40}]
    assert record["passages"][0]["text"] == "Momentum helps."
    assert record["citations"][0]["references"] == [
        {"n": 44, "title": "LoRA", "url": "https://example.org/lora", "says": None}
    ]


def test_spans_are_pairs() -> None:
    record = _record()
    assert record["unsupported_spans"] == [[2, 5]]
    assert record["citations"][0]["quote_span"] == [10, 25]
    assert record["citations"][0]["answer_spans"] == [[0, 15]]


def test_no_pages_are_null_and_pages_are_a_list() -> None:
    assert _record()["citations"][0]["pages"] == [3, 4]
    without = replace(ANSWER, citations=(replace(CITATION, pages=()),))
    assert _record(without)["citations"][0]["pages"] is None


def test_what_was_not_measured_is_null() -> None:
    record = _record(replace(ANSWER, citations=(replace(CITATION, support=None),)))
    assert record["citations"][0]["support"] is None
    assert record["passages"][0]["scores"]["rerank"] is None


@pytest.mark.parametrize(
    ("status", "written"),
    [(AnswerStatus.ANSWERED, "answered"), (AnswerStatus.INSUFFICIENT_EVIDENCE, "insufficient_evidence")],
)
def test_the_status_is_its_published_word(status: AnswerStatus, written: str) -> None:
    assert replace(ANSWER, status=status).to_dict()["status"] == written


def test_scores_and_times_are_rounded_to_four_places() -> None:
    record = _record()
    assert record["passages"][0]["scores"]["dense"] == 0.1235
    assert record["passages"][0]["scores"]["fused"] == 0.9877
    assert record["timings"]["retrieve_s"] == 0.1235
    assert record["evidence"] == 0.1235


def test_what_a_source_says_is_part_of_its_reference() -> None:
    says = Says(
        verdict="agrees",
        source_id="s",
        title="LoRA",
        path="https://example.org/lora",
        quote="It freezes weights.",
        quote_span=Span(start=3, end=22),
        heading_path=("How",),
        pages=(),
        score=0.81239,
    )
    reference = replace(CITATION.references[0], says=says)
    record = _record(replace(ANSWER, citations=(replace(CITATION, references=(reference,)),)))
    assert record["citations"][0]["references"][0]["says"] == {
        "verdict": "agrees",
        "source_id": "s",
        "title": "LoRA",
        "path": "https://example.org/lora",
        "quote": "It freezes weights.",
        "quote_span": [3, 22],
        "heading_path": ["How"],
        "pages": None,
        "score": 0.8124,
    }
