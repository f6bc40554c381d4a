"""What a run would do, from hashes alone."""

from ingest.plan import Change, Found, Planned, make_plan
from rag.index.manifest import SkippedSource, SourceEntry


def _found(path: str, sha256: str = "1") -> Found:
    return Found(path=path, sha256=sha256, size_bytes=1)


def _entry(path: str, sha256: str = "1") -> SourceEntry:
    return SourceEntry(
        source_id=path, path=path, title="T", media_type="t", content_sha256=sha256, size_bytes=1, n_chunks=1
    )


def test_every_source_gets_the_change_that_its_hash_tells() -> None:
    plan = make_plan(
        [_found("changed", "2"), _found("new"), _found("same")],
        [SkippedSource(path="large", reason="too large")],
        indexed=[_entry("changed"), _entry("gone"), _entry("same")],
        skipped_before=[],
    )
    assert plan == (
        Planned(path="changed", change=Change.CHANGED),
        Planned(path="gone", change=Change.REMOVED),
        Planned(path="large", change=Change.SKIPPED, reason="too large"),
        Planned(path="new", change=Change.ADDED),
        Planned(path="same", change=Change.UNCHANGED),
    )


def test_what_failed_before_is_skipped_again_until_its_bytes_change() -> None:
    before = [SkippedSource(path="bad.pdf", reason="encrypted", content_sha256="1")]
    (same,) = make_plan([_found("bad.pdf")], [], indexed=[], skipped_before=before)
    (other,) = make_plan([_found("bad.pdf", "2")], [], indexed=[], skipped_before=before)
    assert (same.change, same.reason, other.change) == (Change.SKIPPED, "encrypted", Change.ADDED)


def test_an_indexed_source_that_cannot_be_taken_any_more_is_skipped_and_not_removed() -> None:
    refused = [SkippedSource(path="a", reason="it may not be read")]
    (planned,) = make_plan([], refused, indexed=[_entry("a")], skipped_before=[])
    assert planned.change is Change.SKIPPED


def test_the_same_bytes_in_several_places_are_one_source_and_its_duplicates() -> None:
    found = [Found(path="a.md", sha256="1", size_bytes=1, also_at=("b.md", "c.md"))]
    plan = make_plan(found, [], indexed=[_entry("b.md", "1")], skipped_before=[])
    assert [(one.path, one.change, one.reason) for one in plan] == [
        ("a.md", Change.ADDED, ""),
        ("b.md", Change.DUPLICATE, "the same bytes as a.md"),
        ("c.md", Change.DUPLICATE, "the same bytes as a.md"),
    ]


def test_copies_of_what_cannot_be_read_are_skipped_for_the_same_reason() -> None:
    found = [Found(path="a.pdf", sha256="1", size_bytes=1, also_at=("b.pdf",))]
    before = [SkippedSource(path="a.pdf", reason="damaged", content_sha256="1")]
    plan = make_plan(found, [], indexed=[], skipped_before=before)
    assert [(one.path, one.change, one.reason) for one in plan] == [
        ("a.pdf", Change.SKIPPED, "damaged"),
        ("b.pdf", Change.SKIPPED, "damaged"),
    ]
