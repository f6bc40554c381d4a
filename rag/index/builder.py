"""From documents, chunks and vectors to the files of one generation.

Row `i` of the lexical arrays, of `dense.faiss` and of table `chunks` is the same chunk; `sentences.npy` holds the
sentence vectors of all chunks one after another. Pure but for memory: bytes out, nothing written.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.embed import Vectors
from rag.index.dense import FILE as DENSE
from rag.index.dense import build_dense
from rag.index.lexical import build_lexical
from rag.index.rows import FILE as ROWS
from rag.index.rows import build_rows
from rag.schema import Chunk, Document

SENTENCES = "sentences.npy"
OTHERS = "others"  # the folder of all documents but the roadmap, within a generation


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexedChunk:
    """A chunk as it goes into the index. `searched` is its embedded text: headings, lead-in, then its words."""

    chunk: Chunk
    searched: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Documents that make one index together, their chunks, and per chunk `(1 + sentences, dim)` vectors."""

    documents: Sequence[Document]
    chunks: Sequence[IndexedChunk]
    vectors: Sequence[Vectors]


def build_generation(roadmap: Part, others: Part, *, dim: int) -> dict[str, bytes]:
    """All files of a generation but its manifest; none below `others/` where there are no others."""
    files = build_files(roadmap.documents, roadmap.chunks, roadmap.vectors, dim=dim)
    if others.chunks:
        below = build_files(others.documents, others.chunks, others.vectors, dim=dim)
        files |= {f"{OTHERS}/{name}": data for name, data in below.items()}
    return files


def build_files(
    documents: Sequence[Document], chunks: Sequence[IndexedChunk], vectors: Sequence[Vectors], *, dim: int
) -> dict[str, bytes]:
    """The files of one part.

    Args:
        vectors: per chunk `(1 + sentences, dim)` float32 unit rows: the chunk, then each of its sentences.
    """
    whole = [rows[:1] for rows in vectors] or [np.zeros((0, dim), dtype=np.float32)]
    parts = [rows[1:] for rows in vectors] or [np.zeros((0, dim), dtype=np.float32)]
    buffer = io.BytesIO()
    np.save(buffer, np.concatenate(parts).astype(np.float16), allow_pickle=False)
    return {
        ROWS: build_rows(documents, [(entry.chunk, entry.searched) for entry in chunks]),
        DENSE: build_dense(np.concatenate(whole)),
        SENTENCES: buffer.getvalue(),
        **build_lexical([entry.searched for entry in chunks]),
    }
