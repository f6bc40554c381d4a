import json
from pathlib import Path

from ingest.fetch.classify import Outcome
from ingest.fetch.snapshots import Record, Visit
from ingest.fetch.table import NEVER, as_data, as_lines, rows_of
from ingest.overview import cited_works
from rag.index.manifest import SkippedSource, SourceEntry
from rag.schema import Span, Work

ROOT = Path(__file__).resolve().parents[3]


def _work(number: int, url: str, title: str = "A title") -> Work:
    return Work(
        number=number, title=title, url=url, text_fragment=None, accessed=None, span=Span(start=0, end=1)
    )


def _visit(outcome: Outcome, sha: str = "", size: int = 0, reason: str = "", day: int = 1) -> Visit:
    at = f"2025-01-0{day}T10:00:00+00:00"
    return Visit(
        at=at, run="1", outcome=outcome, reason=reason, url="https://a.example/x", sha256=sha, size_bytes=size
    )


URL = "https://a.example/"


def test_a_row_shows_the_last_visit_and_the_newest_snapshot() -> None:
    visits = (
        _visit(Outcome.OK, "aa", 1000),
        _visit(Outcome.CHANGED, "bb", 2500, day=2),
        _visit(Outcome.GONE, "cc", 10, reason="answers 404", day=3),
    )
    works = [_work(1, URL + "#x"), _work(2, "https://b.example/", "T" * 60), _work(3, URL)]
    rows = rows_of(works, {URL: Record(url=URL, visits=visits)})
    first, second, third = rows
    assert (first.outcome, first.reason, first.date[:10]) == ("gone", "answers 404", "2025-01-03")
    assert (first.size_bytes, first.sha256, first.snapshots, first.same_as) == (2500, "bb", 2, (3,))
    assert (second.outcome, second.size_bytes, second.snapshots, second.same_as) == (NEVER, None, 0, ())
    assert third.same_as == (1,)
    lines = as_lines(rows)
    assert lines[1].split() == "1 A title a.example gone (answers 404) 2025-01-03 2 kB 2".split()
    assert lines[-1] == "3 works: 2 gone, 1 not fetched; 0 indexed"
    assert max(map(len, lines)) < 130
    assert json.loads(json.dumps(as_data(rows)))[0]["same_as"] == [3]


def test_a_row_shows_what_of_a_work_is_indexed_and_why_not() -> None:
    works = [
        _work(1, URL + "#x"),
        _work(2, "https://b.example/"),
        _work(3, URL),
        _work(4, "https://c.example/"),
    ]
    entry = SourceEntry(
        source_id="one", path=URL, title="T", media_type="t", content_sha256="", size_bytes=1, n_chunks=7,
        n_pages=3,
    )  # fmt: skip
    skipped = [SkippedSource(path="https://b.example/", reason="scanned: no text")]
    visits = (
        _visit(Outcome.SUPPLIED, "aa", 10, reason="x.pdf, given by Ada"),
        _visit(Outcome.BLOCKED, day=2),
    )
    records = {URL: Record(url=URL, visits=visits)}
    first, second, third, fourth = rows_of(works, records, sources=[entry], skipped=skipped)
    assert (first.indexed, first.source_id, first.chunks, first.pages) == (True, "one", 7, 3)
    assert (first.outcome, first.snapshot_outcome, first.snapshot_date[:10]) == (
        "blocked", "supplied", "2025-01-01",
    )  # fmt: skip
    assert (third.indexed, third.source_id) == (True, "one")
    assert (second.indexed, second.skipped) == (False, "scanned: no text")
    assert (fourth.indexed, fourth.skipped, fourth.source_id) == (False, "", None)
    lines = as_lines([first, second])
    assert lines[1].endswith("7 chunks, 3 pages")
    assert lines[2].endswith("scanned: no text")


def test_a_table_of_nothing() -> None:
    assert as_lines(rows_of([], {}))[-1] == "0 works: none; 0 indexed"


def test_the_works_are_those_of_the_roadmap() -> None:
    listed = json.loads((ROOT / "tests/data/works_cited.json").read_text())
    assert [(work.number, work.url) for work in cited_works()] == [
        (entry["n"], entry["url"]) for entry in listed
    ]
