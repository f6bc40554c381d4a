"""A generation in the making: what did not change is copied, what has no text leaves no trace."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ingest.chunking import ChunkLimits
from ingest.generation import NewGeneration
from ingest.loaders import load_document
from ingest.plan import Found
from rag.errors import DocumentError
from rag.index.generations import Generations, Opened
from rag.index.manifest import ChunkerSpec, Draft
from rag.index.reader import Index
from rag.schema import Document
from rag.testing import FakeEmbedder

TEXTS = {
    f"{name}.md": f"# About {name}\n\n{name} is one. It has two sentences.\n" for name in ("a", "b", "c")
}


def _document(path: str) -> Document:
    return load_document(TEXTS[path].encode(), path=path)


def _found(path: str, *, also_at: tuple[str, ...] = ()) -> Found:
    source = _document(path).source
    return Found(path=path, sha256=source.content_sha256, size_bytes=source.size_bytes, also_at=also_at)


def _making(scratch: Path, current: Opened | None, embedder: FakeEmbedder) -> NewGeneration:
    return NewGeneration(scratch, current, embedder=embedder, limits=ChunkLimits())


def _commit(home: Path, making: NewGeneration, embedder: FakeEmbedder) -> Index:
    draft = Draft(
        built_by="0",
        embedder=embedder.spec,
        chunker=ChunkerSpec(name="plain", version=1, target_tokens=8, max_tokens=16),
        counts=making.counts,
        sources=making.sources,
    )
    with Generations(home).writer() as writer:
        writer.commit(making.files(), draft)
    return Index.open(home, embedder=embedder.spec)


@pytest.fixture
def first(home: Path, tmp_path: Path) -> Iterator[Index]:
    """Roadmap a, with b and c beside it."""
    embedder = FakeEmbedder()
    with _making(tmp_path / "scratch1", None, embedder) as making:
        for path in TEXTS:
            making.add(_document(path), is_roadmap=path == "a.md")
        assert making.embed(home, progress=lambda *_: None) == 3
        index = _commit(home, making, embedder)
    yield index
    index.close()


def test_copies_stand_at_new_rows_with_their_vectors_and_nothing_is_embedded(
    home: Path, tmp_path: Path, first: Index
) -> None:
    embedder = FakeEmbedder()
    (home / "cache" / "embeddings.sqlite").unlink()
    with _making(tmp_path / "scratch2", Generations(home).open_current(), embedder) as making:
        making.copy(_found("a.md"), is_roadmap=True)
        making.copy(_found("c.md", also_at=("copy of c.md",)), is_roadmap=False)
        assert making.embed(home, progress=lambda *_: None) == 0
        second = _commit(home, making, embedder)
    assert embedder.seen == []
    assert [source.path for source in second.manifest.sources] == ["a.md", "c.md"]
    assert second.manifest.sources[1].also_at == ("copy of c.md",)
    assert first.others is not None
    assert second.others is not None
    assert len(second.others) == 1
    [(before, rows_before)] = first.others.chunks_with_vectors([1])
    [(after, rows_after)] = second.others.chunks_with_vectors([0])
    assert before == after
    assert np.array_equal(rows_before, rows_after)
    assert np.array_equal(
        first.others.dense.vectors(np.array([1])), second.others.dense.vectors(np.array([0]))
    )
    assert second.others.document(after.source_id) == first.others.document(after.source_id)
    second.close()


def test_new_ones_and_copies_may_take_turns(home: Path, tmp_path: Path, first: Index) -> None:
    embedder = FakeEmbedder()
    changed = load_document(TEXTS["b.md"].replace("two", "some").encode(), path="b.md")
    with _making(tmp_path / "scratch2", Generations(home).open_current(), embedder) as making:
        making.copy(_found("a.md"), is_roadmap=True)
        making.add(changed, is_roadmap=False)
        making.copy(_found("c.md"), is_roadmap=False)
        assert making.embed(home, progress=lambda *_: None) == 1
        second = _commit(home, making, embedder)
    assert second.others is not None
    for row, chunk in enumerate(second.others.chunks(range(len(second.others)))):
        query = embedder.embed_query(f"{'/'.join(chunk.heading_path)}\n{chunk.text}")
        assert second.others.dense.search(query, k=1)[0].tolist() == [row]
    second.close()


def test_a_document_without_text_leaves_no_trace(tmp_path: Path) -> None:
    empty = load_document(b"# Only a heading\n", path="d.md")
    with _making(tmp_path / "scratch", None, FakeEmbedder()) as making:
        with pytest.raises(DocumentError, match="no text"):
            making.add(empty, is_roadmap=False)
        assert (making.sources, making.counts.documents, making.counts.chunks) == ((), 0, 0)
