"""One generation, opened and checked: what retrieval and answering read.

A reader keeps its generation for life and takes no lock. Opening verifies every file's hash (`Generations`), that the
rows of all files agree, and that the vectors are those of the embedder in use.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import Self

import numpy as np
import numpy.typing as npt

from rag.embed import Vectors
from rag.errors import IndexCorrupt, IndexMismatch
from rag.index.builder import OTHERS, SENTENCES
from rag.index.dense import Dense
from rag.index.generations import Generations
from rag.index.lexical import Lexical
from rag.index.manifest import Manifest
from rag.index.rows import Rows
from rag.schema import Chunk, Document, EmbedderSpec

_KEPT = 8  # documents in memory
_KEPT_OUTLINES = 32
_KEPT_CHARACTERS = 10_000_000  # of all of them but the latest


class Index:
    """Chunks by row, their vectors, their terms.

    The roadmap is one index and `others`, all other documents, a second one of the same form beside it, so that words
    and weights of the one are not diluted by the other. `first_row` counts the rows of the parts before this one.
    """

    def __init__(self, folder: Path, manifest: Manifest, *, first_row: int = 0) -> None:
        self.manifest = manifest
        self.warnings: tuple[str, ...] = ()
        self.first_row = first_row
        self.others: Index | None = None
        self.dense = Dense(folder)
        self.lexical = Lexical(folder)
        self._sentences = np.load(folder / SENTENCES, mmap_mode="r", allow_pickle=False)
        self.rows = Rows(folder)
        self.titles = self.rows.titles()
        self._documents: dict[str, Document] = {}  # read last, the latest at the end
        self._reading = Lock()
        self.outline = lru_cache(maxsize=_KEPT_OUTLINES)(self.rows.outline)
        self.stored = lru_cache(maxsize=_KEPT)(self.rows.stored)
        try:
            if any(file.name.startswith(f"{OTHERS}/") for file in manifest.files) and not first_row:
                self.others = Index(folder / OTHERS, manifest, first_row=len(self.dense))
            self._check_rows()
        except IndexCorrupt:
            self.close()
            raise

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

    def _check_rows(self) -> None:
        """Files of a part agree with each other, and all parts together with the manifest."""
        agree = len(self.rows) == len(self.dense) == len(self.lexical)
        parts = [self] if self.others is None else [self, self.others]
        counts = self.manifest.counts
        whole = bool(self.first_row) or (
            sum(map(len, parts)) == counts.chunks
            and sum(len(part._sentences) for part in parts) == counts.sentences
        )
        if not agree or not whole:
            raise IndexCorrupt(
                f"the files of generation {self.manifest.generation_id} do not agree in their rows"
            )

    def __len__(self) -> int:
        return len(self.dense)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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

    def document(self, source_id: str) -> Document:
        """One document, whole; some of those read last are kept. `outline` has all but its text and its blocks.

        Raises:
            KeyError: no such document in this part.
        """
        with self._reading:
            document = self._documents.pop(source_id, None) or self.rows.document(source_id)
            self._documents[source_id] = document
            while len(self._documents) > 1 and (
                len(self._documents) > _KEPT
                or sum(len(one.text) for one in self._documents.values()) > _KEPT_CHARACTERS
            ):
                del self._documents[next(iter(self._documents))]
            return document

    def close(self) -> None:
        """Close the files; what was read stays usable."""
        self.rows.close()
        if self.others is not None:
            self.others.close()


def _name(spec: EmbedderSpec) -> str:
    return f"{spec.model}@{spec.revision[:12]} ({spec.dim} dimensions)"
