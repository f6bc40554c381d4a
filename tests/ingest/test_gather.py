"""What is wanted in the index, from disks alone: which sources, under which names, and why others are not."""

from pathlib import Path

import pytest

from ingest.fetch.classify import Outcome
from ingest.fetch.snapshots import Snapshots, Visit
from ingest.gather import Wanted, gather
from ingest.library import Library
from ingest.loaders import ROADMAP, load_document

CITING = """Title

Section 1: One

One sentence.¹ Another.²

Works cited

1. A page, accessed on October 10, 2025, https://a.example/x#:~:text=word
2. The same page, accessed on October 10, 2025, https://a.example/x
3. A paper, accessed on October 10, 2025, https://b.example/paper
4. Never fetched, accessed on October 10, 2025, https://c.example/
"""
HTML = b"<html><title>A page</title><body><p>What the page says.</p></body></html>"
PDF = b"%PDF-1.7\nnot much"


def _visit(url: str, outcome: Outcome = Outcome.OK, content_type: str = "text/html") -> Visit:
    return Visit(
        at="2025-01-01T00:00:00+00:00", run="1", outcome=outcome, url=url, content_type=content_type,
        fingerprint=f"{url} {content_type}",
    )  # fmt: skip


@pytest.fixture
def roadmap(tmp_path: Path) -> Path:
    path = tmp_path / "roadmap.txt"
    path.write_text(CITING)
    return path


def _gathered(home: Path, roadmap: Path, *items: str) -> tuple[dict[str, Wanted], dict[str, str]]:
    wanted, refused = gather(Library(items=items), roadmap=roadmap, snapshots=Snapshots(home))
    return {one.found.path: one for one in wanted}, {one.path: one.reason for one in refused}


def test_fetched_works_are_wanted_each_page_once_and_as_what_it_is(home: Path, roadmap: Path) -> None:
    snapshots = Snapshots(home)
    first = snapshots.add("https://a.example/x", _visit("https://a.example/final"), HTML)
    snapshots.add("https://b.example/paper", _visit("https://b.example/paper", content_type="text/html"), PDF)
    snapshots.add("https://not-cited.example/", _visit("https://not-cited.example/"), HTML + b"<p>Other")
    wanted, refused = _gathered(home, roadmap)
    assert list(wanted) == ["corpus/roadmap.txt", "https://a.example/x", "https://b.example/paper"]
    assert [one.media_type for one in wanted.values()] == [ROADMAP, "text/html", "application/pdf"]
    page = wanted["https://a.example/x"]
    assert (page.read(), page.found.sha256, page.found.size_bytes) == (HTML, first.sha256, len(HTML))
    assert not refused


def test_the_newest_readable_snapshot_counts_and_a_damaged_one_is_told(home: Path, roadmap: Path) -> None:
    snapshots, url = Snapshots(home), "https://a.example/x"
    snapshots.add(url, _visit(url), b"old")
    newest = snapshots.add(url, _visit(url, content_type="text/plain"), b"new")
    snapshots.add(url, _visit(url, Outcome.GONE, content_type="gone"), b"nothing here")
    wanted, _ = _gathered(home, roadmap)
    assert wanted[url].read() == b"new"
    path = snapshots.path(url, newest.sha256)
    assert path is not None
    path.write_bytes(b"bad")
    wanted, refused = _gathered(home, roadmap)
    assert url not in wanted
    assert "damaged" in refused[url]


def test_a_record_that_cannot_be_read_stops_nothing(home: Path, roadmap: Path) -> None:
    snapshots = Snapshots(home)
    for url in ("https://a.example/x", "https://b.example/paper"):
        snapshots.add(url, _visit(url), HTML + url.encode())
    record = next(
        path for path in home.glob("sources/*/record.json") if b"https://a.example/x" in path.read_bytes()
    )
    record.write_bytes(b"{")
    wanted, refused = _gathered(home, roadmap)
    assert set(wanted) == {"corpus/roadmap.txt", "https://b.example/paper"}
    assert set(refused) == {"https://a.example/x"}


def test_pages_of_ones_own_are_wanted_once_they_were_fetched(home: Path, roadmap: Path) -> None:
    url = "https://own.example/notes"
    _, refused = _gathered(home, roadmap, url)
    assert "add it again" in refused[url]
    Snapshots(home).add(url, _visit(url), HTML)
    wanted, refused = _gathered(home, roadmap, url)
    assert (set(wanted), refused) == ({"corpus/roadmap.txt", url}, {})


def test_a_cited_page_stands_for_a_copy_of_ones_own(home: Path, roadmap: Path, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    copy = tmp_path / "own" / "page.html"
    copy.write_bytes(HTML)
    other = tmp_path / "own" / "page.svelte"  # not read as a page, so no duplicate of one
    other.write_bytes(HTML)
    Snapshots(home).add("https://a.example/x", _visit("https://a.example/x"), HTML)
    wanted, refused = _gathered(home, roadmap, copy.parent.as_posix())
    assert set(wanted) == {"corpus/roadmap.txt", "https://a.example/x"}
    assert refused == {other.as_posix(): "files that end in .svelte are not read"}
    assert wanted["https://a.example/x"].found.also_at == (copy.as_posix(),)


@pytest.mark.parametrize(
    ("content_type", "final_url", "body", "expected"),
    [
        ("text/html; charset=utf-8", "https://a.example/x.pdf", HTML, "text/html"),
        ("text/plain", "https://a.example/x.md", b"# A title\n\nText.", "text/markdown"),
        ("text/plain", "https://a.example/x", b"Text.", "text/plain"),
        ("application/json", "https://a.example/n.ipynb", b'{"cells": []}', "application/x-ipynb+json"),
        ("application/octet-stream", "https://a.example/x", HTML, "text/html"),
        ("application/octet-stream", "https://a.example/x.rst", b"Text.", "text/x-rst"),
        ("text/markdown", "https://a.example/x", b"# T", "text/markdown"),
        ("text/css", "https://a.example/x", b"Text.", "text/plain"),
        ("image/png", "https://a.example/x", PDF, "application/pdf"),
    ],
)
def test_a_pages_loader_is_told_by_its_bytes_then_its_type_then_its_name(
    content_type: str, final_url: str, body: bytes, expected: str, home: Path, roadmap: Path
) -> None:
    Snapshots(home).add("https://a.example/x", _visit(final_url, content_type=content_type), body)
    wanted, _ = _gathered(home, roadmap)
    assert wanted["https://a.example/x"].media_type == expected


def test_the_roadmap_used_here_cites_what_the_tests_say(roadmap: Path) -> None:
    works = load_document(roadmap.read_bytes(), path="r", media_type=ROADMAP).works
    assert [work.number for work in works] == [1, 2, 3, 4]
