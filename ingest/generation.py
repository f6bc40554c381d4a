"""A new generation in the making: documents stream in, one in memory at a time, and become files.

Unchanged documents are copied row by row, with their vectors, from the generation that serves; of the others first all
chunks are written down, then their vectors are looked up or computed. The roadmap is one part, all others a second.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ingest.chunking import ChunkLimits, cut_document, embedded_text
from ingest.plan import Found
from ingest.vectors import Progress, VectorSource
from rag.embed import Embedder
from rag.errors import DocumentError
from rag.index.builder import AROUND_CHARS, OTHERS, SENTENCES, IndexedChunk, PartBuilder
from rag.index.dense import Dense
from rag.index.files import Content
from rag.index.generations import Opened
from rag.index.manifest import Counts, SourceEntry
from rag.index.rows import FILE, Copied, Rows
from rag.schema import Document

_AT_ONCE = 4096  # vectors copied together


@dataclass(frozen=True, slots=True, kw_only=True)
class _Served:
    """A part of the generation that serves."""

    folder: Path
    source_ids: dict[str, str]  # by path
    dense: Dense
    sentences: npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """Consecutive rows of a new part: all of them new, or all copied from one place."""

    rows: range
    served: _Served | None = None
    copied: Copied | None = None


@dataclass(slots=True)
class _Part:
    builder: PartBuilder
    runs: list[_Run] = field(default_factory=list)
    sources: list[SourceEntry] = field(default_factory=list)

    def note(self, run: _Run) -> None:
        """Runs of new rows that touch become one, so that they are embedded together."""
        last = self.runs[-1] if self.runs else None
        if last and last.served is run.served is None:
            self.runs[-1] = replace(last, rows=range(last.rows.start, run.rows.stop))
        else:
            self.runs.append(run)


class NewGeneration:
    """Add documents, then embed, then ask for the files; use as a context."""

    def __init__(
        self, scratch: Path, current: Opened | None, *, embedder: Embedder, limits: ChunkLimits
    ) -> None:
        self._embedder = embedder
        self._limits = limits
        self._current = current
        self._served = tuple(_served(current)) if current else ()
        dim = embedder.spec.dim
        self._roadmap = _Part(PartBuilder(scratch / "roadmap", dim=dim))
        self._others = _Part(PartBuilder(scratch / OTHERS, dim=dim, around_chars=AROUND_CHARS))

    def __enter__(self) -> "NewGeneration":
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as closed:
            for part in (self._roadmap, self._others):
                closed.callback(part.builder.close)

    def copy(self, found: Found, *, is_roadmap: bool) -> None:
        """Take over a document that did not change."""
        path = found.path
        part = self._roadmap if is_roadmap else self._others
        served = next(one for one in self._served if path in one.source_ids)
        first = part.builder.n_chunks
        copied = part.builder.copy(served.folder, served.source_ids[path])
        part.note(_Run(rows=range(first, part.builder.n_chunks), served=served, copied=copied))
        entries = self._current.manifest.sources if self._current else ()
        entry = next(entry for entry in entries if entry.path == path)
        part.sources.append(replace(entry, also_at=found.also_at))

    def add(self, document: Document, *, is_roadmap: bool, also_at: tuple[str, ...] = ()) -> None:
        """Chunk a document and write it down; `also_at` are other places of the same bytes.

        Raises:
            DocumentError: it has no text; nothing was written then.
        """
        part = self._roadmap if is_roadmap else self._others
        chunks = _indexed_chunks(document, self._limits, self._embedder)
        opening = next(chunks, None)
        if opening is None:
            raise DocumentError("it has no text")
        first = part.builder.n_chunks
        part.builder.add_document(document)
        part.builder.add_chunk(opening)
        for entry in chunks:
            part.builder.add_chunk(entry)
        run = _Run(rows=range(first, part.builder.n_chunks))
        part.note(run)
        part.sources.append(SourceEntry.of(document, n_chunks=len(run.rows), also_at=also_at))

    def embed(self, home: Path, *, progress: Progress) -> int:
        """Give every row its vectors; how many passages had to be embedded."""
        with closing(VectorSource(home, self._embedder, progress=progress)) as vectors:
            vectors.expect(self._new_chunks())
            for part in (self._roadmap, self._others):
                for run in part.runs:
                    if run.served and run.copied:
                        _copy_vectors(run.served, run.copied, part.builder)
                        continue
                    for entries in part.builder.chunks(run.rows):
                        for rows in vectors.of(entries):
                            part.builder.add_vectors(rows)
            return vectors.n_embedded

    def _new_chunks(self) -> Iterator[Sequence[IndexedChunk]]:
        for part in (self._roadmap, self._others):
            for run in part.runs:
                if run.served is None:
                    yield from part.builder.chunks(run.rows)

    @property
    def sources(self) -> tuple[SourceEntry, ...]:
        return (*self._roadmap.sources, *self._others.sources)

    @property
    def counts(self) -> Counts:
        builders = self._roadmap.builder, self._others.builder
        return Counts(
            documents=len(self.sources),
            chunks=sum(builder.n_chunks for builder in builders),
            sentences=sum(builder.n_sentences for builder in builders),
        )

    def files(self) -> dict[str, Content]:
        """All files of the generation but its manifest; none below `others/` where there are no others."""
        files = self._roadmap.builder.files()
        if self._others.builder.n_chunks:
            files |= {f"{OTHERS}/{name}": content for name, content in self._others.builder.files().items()}
        return files


def _served(current: Opened) -> Iterator[_Served]:
    for folder in (current.folder, current.folder / OTHERS):
        if (folder / FILE).is_file():
            with closing(Rows(folder)) as rows:
                source_ids = {path: source_id for source_id, (path, _) in rows.titles().items()}
            sentences = np.load(folder / SENTENCES, mmap_mode="r", allow_pickle=False)
            yield _Served(folder=folder, source_ids=source_ids, dense=Dense(folder), sentences=sentences)


def _copy_vectors(served: _Served, copied: Copied, builder: PartBuilder) -> None:
    rows, sentences = copied.rows, copied.sentences
    for start in range(rows.start, rows.stop, _AT_ONCE):
        some = np.arange(start, min(start + _AT_ONCE, rows.stop))
        builder.add_chunk_vectors(served.dense.vectors(some))
    for start in range(sentences.start, sentences.stop, _AT_ONCE):
        builder.add_sentence_vectors(served.sentences[start : min(start + _AT_ONCE, sentences.stop)])


def _indexed_chunks(document: Document, limits: ChunkLimits, embedder: Embedder) -> Iterator[IndexedChunk]:
    # The same words are asked for up to four times.
    count_tokens = lru_cache(maxsize=256)(embedder.count_tokens)
    for chunk in cut_document(document, limits=limits, count_tokens=count_tokens):
        searched = embedded_text(
            chunk.text,
            path=chunk.heading_path,
            context=chunk.sentences[0].context,
            max_tokens=limits.max_tokens,
            count_tokens=count_tokens,
        )
        yield IndexedChunk(chunk=chunk, searched=searched)
