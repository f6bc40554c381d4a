"""The evaluation of sources: labels, controls and counts."""

import re
from pathlib import Path

import pytest

from eval.options import SETS
from eval.source_graph import AGREES, CHANGED, STRANGERS, SourceCase, load_cases, run_cases
from rag.answer import Says
from rag.errors import QuestionSetError
from rag.schema import Span

CASES = (
    SourceCase(
        id="1", statement="It is 2 m high.", work=1, file="docs/d2l/a.md", verdict="agrees", quote="2 m"
    ),
    SourceCase(id="2", statement="It is old.", work=2, file="docs/docker/b.md", verdict="not_found"),
)


def says(verdict: str) -> Says:
    return Says(
        verdict=verdict,  # type: ignore[arg-type]
        source_id="s", title="T", path="p", quote="q", quote_span=Span(start=0, end=1),
        heading_path=(), pages=(), score=0.5,
    )  # fmt: skip


def test_a_source_that_always_agrees_is_caught() -> None:
    report = run_cases(CASES, lambda statement, file: says("agrees"))
    assert (report.n, report.precision, report.recall) == (2, 0.5, 1.0)
    assert report.controls[STRANGERS] == (2, 2)
    assert report.controls[CHANGED] == (2, 2)  # the number, and the negation


def test_a_source_that_says_nothing_has_no_precision() -> None:
    report = run_cases(CASES, lambda statement, file: says("not_found"))
    assert (report.precision, report.recall) == (None, 0.0)
    assert report.confusion == {("agrees", "not_found"): 1, ("not_found", "not_found"): 1}
    assert not any(wrong for _, wrong in report.controls.values())


def test_controls_ask_a_file_of_the_other_field() -> None:
    report = run_cases(CASES, lambda statement, file: says("not_found"))
    assert {(one.of, one.file) for one in report.asked if one.kind == STRANGERS} == {
        ("1", "docs/docker/b.md"),
        ("2", "docs/d2l/a.md"),
    }


def test_the_labelled_pairs_are_whole_and_quote_little() -> None:
    cases = load_cases(SETS / "sources.jsonl")
    assert len(cases) >= 60
    assert len({case.id for case in cases}) == len(cases)
    assert len({(case.statement, case.file) for case in cases}) == len(cases)
    for case in cases:
        assert bool(case.quote) == (case.verdict == AGREES)
        assert len(case.quote.split()) <= 25


def test_a_malformed_set_is_named(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text('{"id": 1}\n', encoding="utf-8")
    with pytest.raises(QuestionSetError, match=re.escape("cases.jsonl")):
        load_cases(tmp_path / "cases.jsonl")
