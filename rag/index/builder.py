"""From documents, chunks and vectors to the files of one generation, a document at a time.

Row `i` of the lexical arrays, of `dense.faiss` and of table `chunks` is the same chunk; `sentences.npy` holds the
sentence vectors of all chunks one after another. What is being built lies in files of a scratch folder, not in memory:
first documents and chunks are added, new ones or copies from another generation, then the vectors of all rows in their
order, and last the files are asked for. Knows no embedder.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np
import numpy.typing as npt

from rag.embed import Vectors
from rag.errors import StorageError
from rag.index.dense import FILE as DENSE
from rag.index.dense import write_dense
from rag.index.files import Content, Sink, copy_file, make_folder, storage
from rag.index.lexical import LexicalBuilder
from rag.index.rows import FILE as ROWS
from rag.index.rows import Copied, RowsBuilder
from rag.schema import Chunk, Document

SENTENCES = "sentences.npy"
AROUND_CHARS = 1000  # for documents whose paragraphs and headings nobody has looked at
OTHERS = "others"  # the folder of all documents but the roadmap, within a generation


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedChunk:
    """A chunk as it goes into the index. `searched` is its embedded text: headings, lead-in, then its words."""

    chunk: Chunk
    searched: str


class PartBuilder:
    """The files of documents that make one index together. Every method raises `StorageError` for the disk.

    Words are looked up in a chunk with `around_chars` of its section around it; 0 looks in the chunk alone.
    """

    def __init__(self, scratch: Path, *, dim: int, around_chars: int = 0) -> None:
        make_folder(scratch)
        self._around_chars = around_chars
        self._scratch = scratch
        self._dim = dim
        self._rows = RowsBuilder(scratch / ROWS)
        with storage(scratch):
            self._whole: BinaryIO = (scratch / "whole.float32").open("wb")
            self._sentences: BinaryIO = (scratch / "sentences.float16").open("wb")

    @property
    def n_chunks(self) -> int:
        return self._rows.n_chunks

    @property
    def n_sentences(self) -> int:
        return self._rows.n_sentences

    def add_document(self, document: Document) -> None:
        self._rows.add_document(document)

    def add_chunk(self, entry: IndexedChunk) -> None:
        """The next row, of the document that was added last."""
        self._rows.add_chunk(entry.chunk, entry.searched)

    def copy(self, folder: Path, source_id: str) -> Copied:
        """A document and its chunks from the part of another generation that lies in `folder`."""
        return self._rows.copy(folder, source_id)

    def chunks(self, rows: range) -> Iterator[list[IndexedChunk]]:
        """Rows that were added, some at a time."""
        for some in self._rows.chunks(rows):
            yield [IndexedChunk(chunk=chunk, searched=searched) for chunk, searched in some]

    def add_vectors(self, rows: Vectors) -> None:
        """`(1 + sentences, dim)` float32 unit rows of the next chunk: the chunk, then each of its sentences."""
        self.add_chunk_vectors(rows[:1])
        self.add_sentence_vectors(rows[1:].astype(np.float16))

    def add_chunk_vectors(self, rows: Vectors) -> None:
        """The vectors of the next chunks, `(chunks, dim)`."""
        with storage(self._scratch):
            self._whole.write(np.ascontiguousarray(rows, dtype=np.float32).data)

    def add_sentence_vectors(self, rows: npt.NDArray[np.float16]) -> None:
        """The vectors of the next sentences, `(sentences, dim)`."""
        with storage(self._scratch):
            self._sentences.write(np.ascontiguousarray(rows).data)

    def files(self) -> dict[str, Content]:
        """What is to be written; nothing can be added any more. `close` when that is done."""
        lexical = LexicalBuilder(around_chars=self._around_chars)
        for row in self._rows.searched():
            lexical.add(row.text, n_own=row.n_own, place=row.place)
        self.close()
        return {
            ROWS: partial(copy_file, self._scratch / ROWS),
            DENSE: self._write_dense,
            SENTENCES: self._write_sentences,
            **lexical.files(self._scratch / "lexical"),
        }

    def close(self) -> None:
        """Close what is open; what was built stays in the scratch folder."""
        with storage(self._scratch):
            self._whole.close()
            self._sentences.close()
        self._rows.close()

    def _write_dense(self, sink: Sink) -> None:
        path, shape = self._scratch / "whole.float32", (self.n_chunks, self._dim)
        self._check(path, 4 * self.n_chunks * self._dim)
        write_dense(path, sink, shape=shape)

    def _write_sentences(self, sink: Sink) -> None:
        """As `np.save` would write them."""
        path = self._scratch / "sentences.float16"
        self._check(path, 2 * self.n_sentences * self._dim)
        header = io.BytesIO()
        np.lib.format.write_array_header_1_0(
            header, {"descr": "<f2", "fortran_order": False, "shape": (self.n_sentences, self._dim)}
        )
        sink.write(header.getvalue())
        copy_file(path, sink)

    def _check(self, path: Path, expected: int) -> None:
        if (size := path.stat().st_size) != expected:
            raise StorageError(f"The disk of {path.parent} kept {size} of {expected} bytes of {path.name}.")
