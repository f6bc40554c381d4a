"""An opened index: rows that agree, the right embedder, and a generation that stays readable for life."""

import io
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rag.embed import Passage, Vectors
from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.builder import SENTENCES, IndexedChunk
from rag.index.dense import FILE as DENSE
from rag.index.generations import Generations
from rag.index.manifest import ChunkerSpec, Counts, Draft, Manifest
from rag.index.reader import Index
from rag.index.rows import FILE as ROWS
from rag.schema import Block, BlockKind, Chunk, Document, Sentence, Source, Span
from rag.testing import FakeEmbedder, build_files

EMBEDDER = FakeEmbedder(dim=8)
SENTENCES_OF = [["Cats purr.", "Cats sleep."], ["Dogs bark."], ["Birds fly.", "Birds sing.", "Birds nest."]]
Files = dict[str, bytes]


def _document(texts: list[list[str]]) -> tuple[Document, list[Chunk]]:
    """One paragraph and one chunk for each of the lists of sentences."""
    source = Source(
        source_id="a" * 16, path="a.txt", media_type="text/plain", content_sha256="0" * 64, size_bytes=1
    )
    blocks: list[Block] = []
    chunks: list[Chunk] = []
    start = 0
    for n, sentences in enumerate(texts):
        text = " ".join(sentences)
        spans = [text.index(sentence) for sentence in sentences]
        chunks.append(
            Chunk(
                chunk_id=f"{n:020x}",
                source_id=source.source_id,
                ordinal=n,
                text=text,
                span=Span(start=start, end=start + len(text)),
                section_id="",
                heading_path=(),
                first_page=None,
                last_page=None,
                n_tokens=9,
                sentences=tuple(
                    Sentence(
                        span=Span(start=start + place, end=start + place + len(sentence)),
                        kind=BlockKind.PARAGRAPH,
                        block=n,
                    )
                    for place, sentence in zip(spans, sentences, strict=True)
                ),
            )
        )
        blocks.append(Block(kind=BlockKind.PARAGRAPH, span=chunks[-1].span))
        start += len(text) + 2
    text = "\n\n".join(" ".join(sentences) for sentences in texts)
    return Document(source=source, title="Animals", text=text, headings=(), blocks=tuple(blocks)), chunks


def _vectors(chunks: list[Chunk]) -> list[Vectors]:
    passages = [
        Passage(
            text=chunk.text,
            parts=tuple(
                Span(start=s.span.start - chunk.span.start, end=s.span.end - chunk.span.start)
                for s in chunk.sentences
            ),
        )
        for chunk in chunks
    ]
    return [rows for _, rows in sorted(EMBEDDER.embed_passages(passages))]


def _files(texts: list[list[str]]) -> Files:
    document, chunks = _document(texts)
    indexed = [IndexedChunk(chunk=chunk, searched=chunk.text) for chunk in chunks]
    return build_files([document], indexed, _vectors(chunks), dim=8)


def _draft(texts: list[list[str]]) -> Draft:
    return Draft(
        built_by="0",
        embedder=EMBEDDER.spec,
        chunker=ChunkerSpec(name="plain", version=1, target_tokens=8, max_tokens=16),
        counts=Counts(documents=1, chunks=len(texts), sentences=sum(map(len, texts))),
        sources=(),
    )


def _commit(
    home: Path, texts: list[list[str]], change: Callable[[Files], Files] = lambda files: files
) -> str:
    with Generations(home).writer() as writer:
        return writer.commit(change(_files(texts)), _draft(texts))


def _open(home: Path) -> Index:
    return Index.open(home, embedder=EMBEDDER.spec)


@pytest.fixture
def index(home: Path) -> Iterator[Index]:
    _commit(home, SENTENCES_OF)
    opened = _open(home)
    yield opened
    opened.close()


def test_row_i_is_the_same_chunk_in_every_file(index: Index) -> None:
    assert len(index) == 3
    for row, sentences in enumerate(SENTENCES_OF):
        text = " ".join(sentences)
        assert index.chunks([row])[0].text == text
        assert index.dense.search(EMBEDDER.embed_query(text), k=1)[0].tolist() == [row]
        assert int(index.lexical.scores([text.split()[-1].lower().strip(".")]).argmax()) == row


def test_chunks_come_in_the_order_asked_for(index: Index) -> None:
    assert [chunk.ordinal for chunk in index.chunks([2, 0, 2])] == [2, 0, 2]


def test_each_chunk_brings_the_vectors_of_its_own_sentences(index: Index) -> None:
    _, chunks = _document(SENTENCES_OF)
    expected = _vectors(chunks)
    found = index.chunks_with_vectors([2, 0, 1])
    assert [chunk.ordinal for chunk, _ in found] == [2, 0, 1]
    for chunk, vectors in found:
        assert vectors.dtype == np.float32
        assert vectors == pytest.approx(expected[chunk.ordinal][1:], abs=1e-3)  # kept in half precision


def test_documents_and_titles_are_read_by_source(index: Index) -> None:
    document, _ = _document(SENTENCES_OF)
    assert index.document("a" * 16) == document
    assert index.titles == {"a" * 16: ("a.txt", "Animals")}
    with pytest.raises(KeyError):
        index.document("nowhere")


def test_what_was_read_stays_usable_after_closing(index: Index) -> None:
    document = index.document("a" * 16)
    index.close()
    assert index.document("a" * 16) is document
    assert len(index) == 3


def _sentence_lost(files: Files) -> Files:
    whole = files[SENTENCES]
    rows = np.frombuffer(whole[-6 * 8 * 2 :], dtype=np.float16).reshape(6, 8)
    assert np.array_equal(rows, _load(whole))
    return files | {SENTENCES: _saved(rows[:-1])}


def _load(data: bytes) -> Vectors:
    loaded: Vectors = np.load(io.BytesIO(data), allow_pickle=False)
    return loaded


def _saved(rows: object) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(rows), allow_pickle=False)
    return buffer.getvalue()


def _vector_lost(files: Files) -> Files:
    return files | {DENSE: _files(SENTENCES_OF[:2])[DENSE]}


def _text_lost(files: Files) -> Files:
    fewer = _files(SENTENCES_OF[:2])
    return files | {name: data for name, data in fewer.items() if name.startswith("lexical/")}


def _chunk_lost(files: Files) -> Files:
    return files | {ROWS: _files(SENTENCES_OF[:2])[ROWS]}


def _all_lost_a_row(files: Files) -> Files:
    return _files(SENTENCES_OF[:2])


def _rows_left_out(files: Files) -> Files:
    return {name: data for name, data in files.items() if name != ROWS}


DISAGREEMENTS = [_sentence_lost, _vector_lost, _text_lost, _chunk_lost, _all_lost_a_row, _rows_left_out]


@pytest.mark.parametrize("change", DISAGREEMENTS)
def test_rows_that_do_not_agree_are_corrupt(home: Path, change: Callable[[Files], Files]) -> None:
    _commit(home, SENTENCES_OF, change)
    with pytest.raises(IndexCorrupt, match=r"do not agree|cannot be read"):
        _open(home)


@pytest.mark.parametrize("change", DISAGREEMENTS)
def test_the_generation_before_serves_where_rows_do_not_agree(
    home: Path, change: Callable[[Files], Files]
) -> None:
    good = _commit(home, SENTENCES_OF[:1])
    _commit(home, SENTENCES_OF, change)
    index = _open(home)
    assert index.manifest.generation_id == good
    assert len(index) == 1
    assert index.warnings[-1] == f"Generation {good} serves instead."
    index.close()


@pytest.mark.parametrize("change", [{"model": "other"}, {"revision": "2"}, {"dim": 9}, {"max_tokens": 9}])
def test_another_embedder_is_a_mismatch_that_names_both(home: Path, change: dict[str, str | int]) -> None:
    _commit(home, SENTENCES_OF)
    spec = replace(EMBEDDER.spec, **change)  # type: ignore[arg-type]
    with pytest.raises(IndexMismatch) as caught:
        Index.open(home, embedder=spec)
    assert "made with fake@1 (8 dimensions)" in str(caught.value)
    assert f"settings say {spec.model}@{spec.revision} ({spec.dim} dimensions)" in str(caught.value)
    assert "waymark index" in caught.value.hint


def test_without_an_index_it_is_missing(home: Path) -> None:
    with pytest.raises(IndexMissing):
        _open(home)


def test_an_open_index_stays_readable_while_its_generation_is_pruned(home: Path, index: Index) -> None:
    folder = Generations(home).folder(index.manifest.generation_id)
    for n in range(3):
        _commit(home, [[f"Text {n}."]])
        assert folder.exists() == (n < 2)
    assert [chunk.text for chunk in index.chunks([0, 1, 2])] == [" ".join(one) for one in SENTENCES_OF]
    assert [len(vectors) for _, vectors in index.chunks_with_vectors([0, 1, 2])] == [2, 1, 3]
    assert index.document("a" * 16).title == "Animals"
    assert index.dense.search(EMBEDDER.embed_query("Dogs bark."), k=1)[0].tolist() == [1]
    assert index.lexical.scores(["bark"]).argmax() == 1
    newest = _open(home)
    assert newest.chunks([0])[0].text == "Text 2."
    newest.close()


def test_a_reader_overtaken_while_it_opens_gets_the_newest_and_closes_the_other(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _commit(home, SENTENCES_OF)
    damaged = _commit(home, SENTENCES_OF)
    (home / "generations" / damaged / DENSE).write_bytes(b"?")
    opened: list[Index] = []
    load = Index.__init__

    def load_and_be_overtaken(self: Index, folder: Path, manifest: Manifest) -> None:
        load(self, folder, manifest)
        opened.append(self)
        if len(opened) == 1:
            _commit(home, SENTENCES_OF[:1])

    monkeypatch.setattr(Index, "__init__", load_and_be_overtaken)
    index = _open(home)
    assert (len(opened), index is opened[1], len(index)) == (2, True, 1)
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        opened[0].chunks([0])
    index.close()
