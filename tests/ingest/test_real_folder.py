"""A folder as people have it, 99 files of others, from nothing to indexed and back; the embedder is a double."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.library import Library, write_library
from ingest.pipeline import IndexReport, index_corpus
from ingest.plan import Change
from rag.index.generations import Generations
from rag.index.reader import Index
from rag.testing import FakeEmbedder

pytestmark = [pytest.mark.slow, pytest.mark.shared]


@pytest.fixture(scope="module")
def base(
    shared: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Path, Path, str, IndexReport]]:
    """A data folder in which a copy of the folder is indexed; the copy; the digest before; the report."""
    root = tmp_path_factory.mktemp("real")
    docs, home = root / "docs", root / "home"
    shutil.copytree(shared / "sources" / "docs", docs)
    index_corpus(home, embedder=FakeEmbedder())
    digest = Generations(home).open_current().manifest.content_digest
    write_library(home, Library().with_items(docs.as_posix()))
    yield home, docs, digest, index_corpus(home, embedder=FakeEmbedder())
    shutil.rmtree(root)


@pytest.fixture
def copied(base: tuple[Path, Path, str, IndexReport], tmp_path: Path) -> tuple[Path, Path, str, IndexReport]:
    home, docs, digest, report = base
    shutil.copytree(home, tmp_path / "home", dirs_exist_ok=True)
    return tmp_path / "home", docs, digest, report


def test_every_readable_file_is_indexed_and_each_of_the_others_told(
    base: tuple[Path, Path, str, IndexReport],
) -> None:
    home, docs, _, report = base
    n_files = sum(path.is_file() for path in docs.rglob("*"))
    assert (n_files, len(report.skipped), report.n_documents) == (99, 10, 1 + 89)
    assert {Path(one.path).suffix for one in report.skipped} == {".svelte"}
    assert all("svelte" in one.reason for one in report.skipped)
    sources = Generations(home).open_current().manifest.sources
    assert Counter(Path(source.path).suffix for source in sources) == {
        ".html": 6, ".ipynb": 4, ".md": 49, ".mdx": 13, ".pdf": 7, ".rst": 10, ".txt": 1,
    }  # fmt: skip
    assert all(source.n_pages > 0 for source in sources if source.path.endswith(".pdf"))
    assert report.n_chunks > 10_000


def test_every_chunk_is_a_slice_of_its_document_and_knows_its_page(
    base: tuple[Path, Path, str, IndexReport],
) -> None:
    home, *_ = base
    n_paged = 0
    with Index.open(home, embedder=FakeEmbedder().spec) as index:
        assert index.others is not None
        for chunk in index.others.chunks(range(len(index.others))):
            path, _ = index.others.titles[chunk.source_id]
            document = index.others.document(chunk.source_id)
            assert chunk.span.cut(document.text) == chunk.text
            if path.endswith(".pdf"):
                numbers = {page.number for page in document.pages}
                assert chunk.first_page in numbers
                assert chunk.last_page in numbers
                n_paged += 1
    assert n_paged > 1000


def test_a_second_run_embeds_nothing_and_writes_nothing(copied: tuple[Path, Path, str, IndexReport]) -> None:
    home, _, _, first = copied
    embedder = FakeEmbedder()
    second = index_corpus(home, embedder=embedder)
    assert (second.changed, second.n_embedded, embedder.seen) == (False, 0, [])
    assert second.generation_id == first.generation_id
    assert second.skipped == first.skipped
    assert second.seconds < 2


def test_an_edited_file_embeds_only_its_changed_chunks_and_the_others_are_copied(
    copied: tuple[Path, Path, str, IndexReport],
) -> None:
    home, docs, _, first = copied
    path = next(path for path in sorted(docs.rglob("*.md")) if path.stat().st_size > 10_000)
    whole = path.read_bytes()
    (home / "cache" / "embeddings.sqlite").unlink()  # what did not change comes from the rows that serve
    path.write_bytes(whole + b"\n\nA sentence that was not there before.\n")
    embedder = FakeEmbedder()
    try:
        report = index_corpus(home, embedder=embedder)
    finally:
        path.write_bytes(whole)
    changed = [one.path for one in report.plan if one.change is Change.CHANGED]
    assert changed == [path.as_posix()]
    n_of_file = next(
        source.n_chunks
        for source in Generations(home).open_current().manifest.sources
        if source.path == changed[0]
    )
    assert 0 < report.n_embedded <= n_of_file
    assert report.n_chunks == first.n_chunks + 1


def test_an_edit_with_the_cache_embeds_one_chunk(copied: tuple[Path, Path, str, IndexReport]) -> None:
    home, docs, _, _ = copied
    path = next(path for path in sorted(docs.rglob("*.md")) if path.stat().st_size > 10_000)
    whole = path.read_bytes()
    path.write_bytes(whole + b"\n\nA sentence that was not there before.\n")
    embedder = FakeEmbedder()
    try:
        report = index_corpus(home, embedder=embedder)
    finally:
        path.write_bytes(whole)
    assert report.n_embedded == len(embedder.seen) == 1
    assert "was not there before" in embedder.seen[0].text


def test_after_removal_the_index_is_as_it_was_before(copied: tuple[Path, Path, str, IndexReport]) -> None:
    home, _, before, _ = copied
    write_library(home, Library())
    report = index_corpus(home, embedder=FakeEmbedder())
    assert (report.n_documents, report.n_embedded, report.skipped) == (1, 0, ())
    assert Generations(home).open_current().manifest.content_digest == before
