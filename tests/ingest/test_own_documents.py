"""One's own documents beside the roadmap: added, changed, removed, skipped; nothing embedded twice."""

from pathlib import Path

import pytest

from ingest.library import Library, write_library
from ingest.pipeline import IndexReport, index_corpus, plan_corpus
from ingest.plan import Change
from rag.index.generations import Generations
from rag.index.reader import Index
from rag.query import make_query
from rag.retrieve import search
from rag.testing import FakeEmbedder

ROADMAP = "Title\n\nSection 1: One\n\nThe roadmap has one sentence.\n"
NOTES = "# Notes\n\nFirst thing to know.\n\n## More\n\nSecond thing to know.\n"


@pytest.fixture
def roadmap(tmp_path: Path) -> Path:
    path = tmp_path / "roadmap.txt"
    path.write_text(ROADMAP)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "own"
    path.mkdir()
    (path / "notes.md").write_text(NOTES)
    (path / "page.html").write_text("<html><title>P</title><body><p>A page of one's own.</p></body></html>")
    (path / "drawing.svelte").write_text("<script>let a = 1;</script>")
    (path / "broken.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    return path


def _run(home: Path, roadmap: Path, embedder: FakeEmbedder | None = None) -> IndexReport:
    return index_corpus(home, embedder=embedder or FakeEmbedder(), roadmap=roadmap)


def _changes(report: IndexReport) -> dict[str, Change]:
    return {Path(one.path).name: one.change for one in report.plan}


def test_readable_files_are_indexed_and_each_of_the_others_is_told(
    home: Path, roadmap: Path, folder: Path
) -> None:
    write_library(home, Library().with_items(folder.as_posix()))
    report = _run(home, roadmap)
    assert (report.n_documents, report.changed) == (3, True)
    reasons = {Path(one.path).name: one.reason for one in report.skipped}
    assert set(reasons) == {"drawing.svelte", "broken.pdf"}
    assert "svelte" in reasons["drawing.svelte"]
    with Index.open(home, embedder=FakeEmbedder().spec) as index:
        assert index.others is not None
        assert {Path(path).name for path, _ in index.titles.values()} == {"roadmap.txt"}
        assert {Path(path).name for path, _ in index.others.titles.values()} == {"notes.md", "page.html"}


def test_a_second_run_embeds_and_writes_nothing(home: Path, roadmap: Path, folder: Path) -> None:
    write_library(home, Library().with_items(folder.as_posix()))
    first, embedder = _run(home, roadmap), FakeEmbedder()
    second = _run(home, roadmap, embedder)
    assert (second.changed, second.n_embedded, embedder.seen) == (False, 0, [])
    assert second.generation_id == first.generation_id
    assert second.skipped == first.skipped


def test_only_the_changed_chunks_of_a_changed_file_are_embedded(
    home: Path, roadmap: Path, folder: Path
) -> None:
    write_library(home, Library().with_items(folder.as_posix()))
    _run(home, roadmap)
    (folder / "notes.md").write_text(NOTES.replace("Second thing", "Another thing"))
    embedder = FakeEmbedder()
    report = _run(home, roadmap, embedder)
    assert _changes(report)["notes.md"] is Change.CHANGED
    assert (report.n_embedded, len(embedder.seen)) == (1, 1)
    assert "Another thing" in str(embedder.seen[0])


def test_a_touched_file_is_unchanged(home: Path, roadmap: Path, folder: Path) -> None:
    write_library(home, Library().with_items(folder.as_posix()))
    _run(home, roadmap)
    (folder / "notes.md").touch()
    assert not _run(home, roadmap).changed


def test_after_removal_the_index_is_what_it_was_before(home: Path, roadmap: Path, folder: Path) -> None:
    _run(home, roadmap)
    before = Generations(home).open_current().manifest
    write_library(home, Library().with_items(folder.as_posix()))
    _run(home, roadmap)
    between = Generations(home).open_current().manifest
    write_library(home, Library())
    report = _run(home, roadmap)
    after = Generations(home).open_current().manifest
    assert report.n_embedded == 0
    assert (after.content_digest, after.skipped) == (before.content_digest, ())
    assert between.content_digest != before.content_digest


def test_a_renamed_file_is_not_embedded_again(home: Path, roadmap: Path, folder: Path) -> None:
    write_library(home, Library().with_items(folder.as_posix()))
    _run(home, roadmap)
    (folder / "notes.md").rename(folder / "renamed.md")
    report = _run(home, roadmap)
    assert (_changes(report)["notes.md"], _changes(report)["renamed.md"]) == (Change.REMOVED, Change.ADDED)
    assert report.n_embedded == 0


def test_a_dry_run_tells_and_does_nothing(home: Path, roadmap: Path, folder: Path) -> None:
    write_library(home, Library().with_items(folder.as_posix()))
    plan = plan_corpus(home, embedder=FakeEmbedder(), roadmap=roadmap)
    assert {Path(one.path).name: one.change for one in plan}["notes.md"] is Change.ADDED
    assert Generations(home).ids() == []


def test_a_folder_that_is_gone_is_told_and_the_rest_is_indexed(
    home: Path, roadmap: Path, tmp_path: Path
) -> None:
    write_library(home, Library().with_items((tmp_path / "gone").as_posix()))
    report = _run(home, roadmap)
    assert report.n_documents == 1
    assert [one.reason for one in report.skipped] == ["it is not there any more"]


def test_other_documents_do_not_change_what_is_found_in_the_roadmap(
    home: Path, roadmap: Path, folder: Path
) -> None:
    embedder, query = FakeEmbedder(), make_query("Which roadmap has one sentence?")
    _run(home, roadmap)
    with Index.open(home, embedder=embedder.spec) as index:
        alone = search(index, embedder, query, k=5)
    write_library(home, Library().with_items(folder.as_posix()))
    _run(home, roadmap)
    with Index.open(home, embedder=embedder.spec) as index:
        assert search(index, embedder, query, k=5) == alone
        assert index.others is not None
        beside = search(index.others, embedder, query, k=50)
        assert {hit.row for hit in beside} == set(range(len(index), len(index) + len(index.others)))


def test_there_is_no_second_part_without_other_documents(home: Path, roadmap: Path) -> None:
    _run(home, roadmap)
    with Index.open(home, embedder=FakeEmbedder().spec) as index:
        assert index.others is None
    assert not [file.name for file in index.manifest.files if file.name.startswith("others/")]


def test_a_file_that_was_half_written_when_it_was_read_is_read_again(
    home: Path, roadmap: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever came of the moment: its bytes before and after are the same, so only their hash tells."""
    whole = Path.read_bytes

    def read(path: Path) -> bytes:
        if path.name == "late.md":
            return b""
        if path.name == "gone.md":
            raise FileNotFoundError(2, "No such file or directory")
        return whole(path)

    for name in ("late.md", "gone.md"):
        (folder / name).write_text(f"# {name}\n\nAll of it is here.\n")
    write_library(home, Library().with_items(folder.as_posix()))
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", read)
        report = _run(home, roadmap)
    skipped = {Path(one.path).name for one in report.skipped}
    assert {"late.md", "gone.md"} <= skipped
    report = _run(home, roadmap)
    assert not {"late.md", "gone.md"} & {Path(one.path).name for one in report.skipped}


def test_what_another_version_could_not_read_is_tried_again(
    home: Path, roadmap: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_library(home, Library().with_items(folder.as_posix()))
    with monkeypatch.context() as patched:
        patched.setattr("ingest.pipeline.__version__", "0.0.1")
        assert len(skipped := _run(home, roadmap).skipped) > 0
        assert not _run(home, roadmap).changed
    report = _run(home, roadmap)
    assert (report.changed, report.n_embedded, report.skipped) == (True, 0, skipped)
    assert not _run(home, roadmap).changed


def test_a_copy_of_the_same_bytes_is_one_document_and_settles(
    home: Path, roadmap: Path, folder: Path
) -> None:
    (folder / "a copy.md").write_text(NOTES)
    (folder / "broken too.pdf").write_bytes((folder / "broken.pdf").read_bytes())
    (folder / "roadmap copy.txt").write_text(ROADMAP)
    write_library(home, Library().with_items(folder.as_posix()))
    report = _run(home, roadmap)
    manifest = Generations(home).open_current().manifest
    also = {
        Path(entry.path).name: [Path(other).name for other in entry.also_at] for entry in manifest.sources
    }
    assert also == {"roadmap.txt": ["roadmap copy.txt"], "a copy.md": ["notes.md"], "page.html": []}
    assert _changes(report)["notes.md"] is Change.DUPLICATE
    assert {Path(one.path).name for one in report.skipped} >= {"broken.pdf", "broken too.pdf"}
    with Index.open(home, embedder=FakeEmbedder().spec) as index:
        assert index.others is not None
        texts = [chunk.text for chunk in index.others.chunks(range(len(index.others)))]
    assert len(texts) == len(set(texts))
    assert not _run(home, roadmap).changed

    (folder / "a copy.md").unlink()
    report = _run(home, roadmap)
    assert (_changes(report)["notes.md"], report.changed, report.n_embedded) == (Change.ADDED, True, 0)
    assert not _run(home, roadmap).changed
