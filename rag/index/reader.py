"""One generation, opened and checked: what retrieval and answering read.

A reader keeps its generation for life and takes no lock. Opening verifies every file's hash (`Generations`), that the
rows of all files agree, and that the vectors are those of the embedder in use.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from rag.embed import Vectors
from rag.errors import IndexCorrupt, IndexMismatch
from rag.index.builder import SENTENCES
from rag.index.dense import FILE as DENSE
from rag.index.dense import Dense
from rag.index.generations import Generations
from rag.index.lexical import Lexical
from rag.index.manifest import Manifest
from rag.index.rows import Rows
from rag.schema import Chunk, Document, EmbedderSpec


class Index:
    """Chunks by row, their vectors, their terms."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.manifest = manifest
        self.warnings: tuple[str, ...] = ()
        self.dense = Dense((folder / DENSE).read_bytes())
        self.lexical = Lexical(folder)
        self._sentences = np.load(folder / SENTENCES, mmap_mode="r", allow_pickle=False)
        self.rows = Rows(folder)
        self.titles = self.rows.titles()
        self.document = lru_cache(maxsize=8)(self._document)
        sizes = {len(self.rows), len(self.dense), len(self.lexical), manifest.counts.chunks}
        if len(sizes) > 1 or len(self._sentences) != manifest.counts.sentences:
            self.close()
            raise IndexCorrupt(f"the files of generation {manifest.generation_id} do not agree in their rows")

    @classmethod
    def open(cls, home: Path, *, embedder: EmbedderSpec) -> "Index":
        """Open the generation that serves.

        Raises:
            IndexMissing, IndexCorrupt: there is none, or none is whole.
            IndexMismatch: it was made by another embedder or format.
        """
        made: list[Index] = []

        def check(folder: Path, manifest: Manifest) -> None:
            if manifest.embedder != embedder:
                raise IndexMismatch(
                    f"The index was made with {_name(manifest.embedder)}, the settings say {_name(embedder)}."
                )
            made.append(cls(folder, manifest))

        opened = Generations(home).open_current(check)
        *overtaken, index = made
        for one in overtaken:  # by a writer, between the check and the last look at `CURRENT`
            one.close()
        index.warnings = opened.warnings
        return index

    def __len__(self) -> int:
        return len(self.dense)

    def chunks(self, rows: Sequence[int]) -> tuple[Chunk, ...]:
        """Chunks in the order of `rows`."""
        return tuple(chunk for chunk, _ in self.rows.chunks(rows))

    def chunks_with_vectors(self, rows: Sequence[int]) -> tuple[tuple[Chunk, Vectors], ...]:
        """Chunks with the vectors of their sentences, `(sentences, dim)` float32 of about unit length."""
        found = []
        for chunk, first in self.rows.chunks(rows):
            vectors: npt.NDArray[np.float32] = np.asarray(
                self._sentences[first : first + len(chunk.sentences)], dtype=np.float32
            )
            found.append((chunk, vectors))
        return tuple(found)

    def _document(self, source_id: str) -> Document:
        return self.rows.document(source_id)

    def close(self) -> None:
        """Close the files; what was read stays usable."""
        self.rows.close()


def _name(spec: EmbedderSpec) -> str:
    return f"{spec.model}@{spec.revision[:12]} ({spec.dim} dimensions)"
