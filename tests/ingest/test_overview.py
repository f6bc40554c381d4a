"""The rows of the library page: works cited and own documents, before and after they are indexed."""

from pathlib import Path

from ingest.fetch.snapshots import Snapshots
from ingest.fetch.supply import supply
from ingest.library import Library, write_library
from ingest.overview import cited_works, own_rows, work_rows
from ingest.pipeline import index_corpus
from rag.bundled import roadmap_path
from rag.testing import FakeEmbedder
from rag.works import page_url


def test_before_anything_there_are_75_works_and_nothing_of_ones_own(home: Path) -> None:
    assert [row.n for row in work_rows(home)] == list(range(1, 76))
    assert own_rows(home) == ()
    assert not home.exists()


def test_rows_tell_what_is_indexed_what_is_not_and_what_brought_it_in(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "a.md").write_text("# A note\n\nText.\n")
    (folder / "b.md").write_text("# A note\n\nText.\n")
    (folder / "c.svelte").write_text("x")
    (tmp_path / "paper.md").write_text("# A paper\n\nOther text.\n")
    write_library(home, Library().with_items(folder.as_posix(), "https://own.example/"))
    url = page_url(cited_works()[5].url)
    supply(url, tmp_path / "paper.md", snapshots=Snapshots(home), by="Ada")
    assert {row.skipped for row in own_rows(home)} == {"not indexed yet; run `waymark index`"}

    index_corpus(home, embedder=FakeEmbedder(), roadmap=roadmap_path())
    rows = {row.path: row for row in own_rows(home)}
    assert set(rows) == {f"{folder}/a.md", f"{folder}/c.svelte", "https://own.example/"}
    note = rows[f"{folder}/a.md"]
    assert (note.indexed, note.title, note.item, note.chunks, note.pages) == (
        True, "A note", str(folder), 1, 0,
    )  # fmt: skip
    assert note.also_at == (f"{folder}/b.md",)
    assert ".svelte" in rows[f"{folder}/c.svelte"].skipped
    assert "add it again" in rows["https://own.example/"].skipped
    works = {row.n: row for row in work_rows(home)}
    assert (works[6].indexed, works[7].indexed, works[8].indexed) == (True, True, False)
    assert works[6].source_id == works[7].source_id
