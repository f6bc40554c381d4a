"""The files of a generation, built in scratch files and written once more."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from rag.errors import StorageError
from rag.index.builder import SENTENCES, IndexedChunk, PartBuilder
from rag.index.dense import FILE as DENSE
from rag.index.dense import Dense
from rag.index.rows import FILE as ROWS
from rag.schema import BlockKind, Chunk, Document, Sentence, Source, Span
from rag.testing import content_bytes

DIM = 8
SOURCE = Source(
    source_id="a" * 16, path="a.txt", media_type="text/plain", content_sha256="0" * 64, size_bytes=1
)
DOCUMENT = Document(source=SOURCE, title="T", text="words", headings=(), blocks=())


def _entry(n: int, *, n_sentences: int = 2) -> IndexedChunk:
    sentence = Sentence(span=Span(start=0, end=5), kind=BlockKind.PARAGRAPH, block=0)
    chunk = Chunk(
        chunk_id=f"{n:020x}", source_id=SOURCE.source_id, ordinal=n, text="words", span=Span(start=0, end=5),
        section_id="", heading_path=(), first_page=None, last_page=None, n_tokens=3,
        sentences=(sentence,) * n_sentences,
    )  # fmt: skip
    return IndexedChunk(chunk=chunk, searched=f"words {n}")


@pytest.fixture
def builder(tmp_path: Path) -> Iterator[PartBuilder]:
    made = PartBuilder(tmp_path / "scratch", dim=DIM)
    made.add_document(DOCUMENT)
    for n in range(5):
        made.add_chunk(_entry(n))
    yield made
    made.close()


def _vectors(n: int) -> np.ndarray:
    drawn = np.random.default_rng(n).standard_normal((3, DIM)).astype(np.float32)
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def test_sentence_vectors_are_written_as_numpy_would(builder: PartBuilder) -> None:
    for n in range(5):
        builder.add_vectors(_vectors(n))
    expected = io.BytesIO()
    np.save(expected, np.concatenate([_vectors(n)[1:] for n in range(5)]).astype(np.float16))
    assert content_bytes(builder.files()[SENTENCES]) == expected.getvalue()


def test_vectors_may_come_one_chunk_or_many_at_a_time(builder: PartBuilder, tmp_path: Path) -> None:
    builder.add_vectors(_vectors(0))
    builder.add_chunk_vectors(np.concatenate([_vectors(n)[:1] for n in range(1, 5)]))
    builder.add_sentence_vectors(np.concatenate([_vectors(n)[1:] for n in range(1, 5)]).astype(np.float16))
    files = builder.files()
    (tmp_path / DENSE).write_bytes(content_bytes(files[DENSE]))
    assert np.array_equal(
        Dense(tmp_path).vectors(np.arange(5)), np.concatenate([_vectors(n)[:1] for n in range(5)])
    )
    assert np.load(io.BytesIO(content_bytes(files[SENTENCES]))).shape == (10, DIM)


def test_rows_are_read_back_in_groups_before_the_file_is_finished(builder: PartBuilder) -> None:
    assert (builder.n_chunks, builder.n_sentences) == (5, 10)
    assert [entry for group in builder.chunks(range(1, 4)) for entry in group] == [
        _entry(n) for n in (1, 2, 3)
    ]


@pytest.mark.parametrize(("file", "wanted"), [("whole.float32", DENSE), ("sentences.float16", SENTENCES)])
def test_a_scratch_file_that_lost_bytes_is_noticed(
    builder: PartBuilder, tmp_path: Path, file: str, wanted: str
) -> None:
    for n in range(5):
        builder.add_vectors(_vectors(n))
    files = builder.files()
    path = tmp_path / "scratch" / file
    path.write_bytes(path.read_bytes()[:-4])
    with pytest.raises(StorageError, match=rf"kept \d+ of \d+ bytes of {file}"):
        content_bytes(files[wanted])


def test_the_files_are_those_of_one_part(builder: PartBuilder) -> None:
    for n in range(5):
        builder.add_vectors(_vectors(n))
    names = set(builder.files())
    assert {ROWS, DENSE, SENTENCES, "lexical/words.json"} < names
    assert all(name.startswith("lexical/") for name in names - {ROWS, DENSE, SENTENCES})
