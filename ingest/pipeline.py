"""From sources to a new generation of the index: gather, plan, load what is new, chunk, embed, commit.

The effects of ingest in one place; what it calls is pure but for disks and the embedder. An unchanged corpus is
recognised by content hashes before anything is loaded, chunked or embedded, and then nothing is written. Unchanged
documents keep their rows. One bad source never stops a run: it is skipped, with its reason in the manifest.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.chunking import CHUNKER_VERSION, ChunkLimits, chunk_document, embedded_text
from ingest.gather import ROADMAP_PATH, Wanted, gather
from ingest.library import read_library
from ingest.loaders import load_document
from ingest.plan import Change, Planned, make_plan
from ingest.vectors import Progress, embed_chunks
from rag import __version__
from rag.bundled import roadmap_path
from rag.embed import Embedder
from rag.errors import DocumentError, IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.builder import OTHERS, IndexedChunk, Part, build_generation
from rag.index.generations import Generations, Opened
from rag.index.manifest import ChunkerSpec, Counts, Draft, SkippedSource, SourceEntry
from rag.index.rows import FILE, Rows
from rag.schema import Chunk, Document


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What an indexing run did."""

    generation_id: str
    changed: bool  # a new generation was written
    n_documents: int
    n_chunks: int
    n_embedded: int  # passages whose vectors had to be computed
    seconds: float
    plan: tuple[Planned, ...]
    skipped: tuple[SkippedSource, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A document with its chunks as they go into the index."""

    document: Document
    chunks: tuple[IndexedChunk, ...]


def index_corpus(
    home: Path,
    *,
    embedder: Embedder,
    limits: ChunkLimits | None = None,
    progress: Progress = lambda step, done, total: None,
    roadmap: Path | None = None,
) -> IndexReport:
    """Bring the index up to date with its sources.

    Args:
        limits: sizes of chunks; never more than the embedder reads.
        roadmap: another file in the place of the bundled roadmap.

    Raises:
        DocumentError: the roadmap cannot be read, or there is no text in any source.
        IndexLocked, StorageError: nothing can be written; what served before still serves.
    """
    began = time.monotonic()
    limits = _within_window(limits or ChunkLimits(), embedder)
    chunker = _chunker(limits)
    generations = Generations(home)
    current = _current(generations, embedder, chunker)
    wanted, refused = gather(read_library(home), roadmap=roadmap or roadmap_path())
    plan = _plan(wanted, refused, current)
    if current is not None and _is_settled(plan, current):
        return _unchanged(current, plan, seconds=time.monotonic() - began)
    with generations.writer() as writer:
        loaded, failed = _load_all(plan, wanted, current, limits=limits, embedder=embedder, progress=progress)
        loaded.sort(key=lambda one: not _is_roadmap(one.document))
        chunks = [entry for one in loaded for entry in one.chunks]
        if not chunks:
            raise DocumentError("There is no text to index.")
        vectors, n_embedded = embed_chunks(home, embedder, chunks, progress=progress)
        documents = [one.document for one in loaded]
        skipped = tuple(sorted((*refused, *failed), key=lambda one: one.path))
        draft = _draft(documents, [entry.chunk for entry in chunks], embedder, chunker)
        progress("write", 0, 1)
        first = sum(len(one.chunks) for one in loaded if _is_roadmap(one.document))
        files = build_generation(
            Part(documents=documents[:1], chunks=chunks[:first], vectors=vectors[:first]),
            Part(documents=documents[1:], chunks=chunks[first:], vectors=vectors[first:]),
            dim=embedder.spec.dim,
        )
        generation_id = writer.commit(files, replace(draft, skipped=skipped))
        progress("write", 1, 1)
    return IndexReport(
        generation_id=generation_id,
        changed=True,
        n_documents=len(documents),
        n_chunks=len(chunks),
        n_embedded=n_embedded,
        seconds=time.monotonic() - began,
        plan=plan,
        skipped=skipped,
    )


def plan_corpus(
    home: Path, *, embedder: Embedder, limits: ChunkLimits | None = None, roadmap: Path | None = None
) -> tuple[Planned, ...]:
    """What `index_corpus` would do; loads, embeds and writes nothing. Files that were never loaded may still fail."""
    chunker = _chunker(_within_window(limits or ChunkLimits(), embedder))
    wanted, refused = gather(read_library(home), roadmap=roadmap or roadmap_path())
    return _plan(wanted, refused, _current(Generations(home), embedder, chunker))


def _is_roadmap(document: Document) -> bool:
    return document.source.path == ROADMAP_PATH


def _chunker(limits: ChunkLimits) -> ChunkerSpec:
    return ChunkerSpec(
        name="section-sentences",
        version=CHUNKER_VERSION,
        target_tokens=limits.target_tokens,
        max_tokens=limits.max_tokens,
    )


def _within_window(limits: ChunkLimits, embedder: Embedder) -> ChunkLimits:
    return replace(limits, max_tokens=min(limits.max_tokens, embedder.spec.max_tokens))


def _current(generations: Generations, embedder: Embedder, chunker: ChunkerSpec) -> Opened | None:
    """The generation that serves, if its rows can be used again: whole, by the same embedder and chunker."""
    try:
        opened = generations.open_current()
    except (IndexMissing, IndexCorrupt, IndexMismatch):
        return None
    same = opened.manifest.embedder == embedder.spec and opened.manifest.chunker == chunker
    return opened if same and not opened.warnings else None


def _plan(
    wanted: Sequence[Wanted], refused: Sequence[SkippedSource], current: Opened | None
) -> tuple[Planned, ...]:
    return make_plan(
        [one.found for one in wanted],
        refused,
        indexed=current.manifest.sources if current else (),
        skipped_before=current.manifest.skipped if current else (),
    )


def _is_settled(plan: Sequence[Planned], current: Opened) -> bool:
    """Nothing to add, change or remove, and nothing skipped that was not skipped before."""
    if any(one.change not in (Change.UNCHANGED, Change.SKIPPED) for one in plan):
        return False
    skipped = {(one.path, one.reason) for one in plan if one.change is Change.SKIPPED}
    return skipped == {(one.path, one.reason) for one in current.manifest.skipped}


def _unchanged(current: Opened, plan: tuple[Planned, ...], *, seconds: float) -> IndexReport:
    manifest = current.manifest
    return IndexReport(
        generation_id=manifest.generation_id,
        changed=False,
        n_documents=manifest.counts.documents,
        n_chunks=manifest.counts.chunks,
        n_embedded=0,
        seconds=seconds,
        plan=plan,
        skipped=manifest.skipped,
    )


def _load_all(
    plan: Sequence[Planned],
    wanted: Sequence[Wanted],
    current: Opened | None,
    *,
    limits: ChunkLimits,
    embedder: Embedder,
    progress: Progress,
) -> tuple[list[Loaded], list[SkippedSource]]:
    """Unchanged documents from the rows that serve, the others from their bytes; what fails, with its reason."""
    changes = {one.path: one for one in plan}
    loaded: list[Loaded] = []
    failed: list[SkippedSource] = []
    with _rows(current) as rows:
        for done, one in enumerate(wanted):
            planned = changes[one.found.path]
            progress("load", done, len(wanted))
            try:
                if planned.change is Change.SKIPPED:
                    failed.append(_skipped(one, planned.reason))
                elif planned.change is Change.UNCHANGED:
                    loaded.append(_from_rows(one, rows))
                else:
                    loaded.append(_from_bytes(one, limits=limits, embedder=embedder))
            except (DocumentError, OSError) as error:
                if one.found.path == ROADMAP_PATH:
                    raise
                failed.append(_skipped(one, getattr(error, "reason", "") or str(error)))
    progress("load", len(wanted), len(wanted))
    return loaded, failed


def _skipped(one: Wanted, reason: str) -> SkippedSource:
    return SkippedSource(path=one.found.path, reason=reason, content_sha256=one.found.sha256)


@contextmanager
def _rows(current: Opened | None) -> Iterator[dict[str, Rows]]:
    """The tables of the generation that serves, by the path of each source that they hold."""
    with ExitStack() as open_tables:
        by_path: dict[str, Rows] = {}
        for folder in (current.folder, current.folder / OTHERS) if current else ():
            if (folder / FILE).is_file():
                table = open_tables.enter_context(closing(Rows(folder)))
                by_path |= {path: table for path, _ in table.titles().values()}
        yield by_path


def _from_rows(one: Wanted, tables: Mapping[str, Rows]) -> Loaded:
    rows = tables[one.found.path]
    source_id = rows.source_at(one.found.path)
    chunks = (IndexedChunk(chunk=chunk, searched=searched) for chunk, searched in rows.indexed(source_id))
    return Loaded(document=rows.document(source_id), chunks=tuple(chunks))


def _from_bytes(one: Wanted, *, limits: ChunkLimits, embedder: Embedder) -> Loaded:
    document = load_document(one.read(), path=one.found.path, media_type=one.media_type)
    chunks = tuple(_indexed_chunks(document, limits, embedder))
    if not chunks:
        raise DocumentError("it has no text")
    return Loaded(document=document, chunks=chunks)


def _indexed_chunks(document: Document, limits: ChunkLimits, embedder: Embedder) -> Iterator[IndexedChunk]:
    for chunk in chunk_document(document, limits=limits, count_tokens=embedder.count_tokens):
        searched = embedded_text(
            chunk.text,
            path=chunk.heading_path,
            context=chunk.sentences[0].context,
            max_tokens=limits.max_tokens,
            count_tokens=embedder.count_tokens,
        )
        yield IndexedChunk(chunk=chunk, searched=searched)


def _draft(
    documents: Sequence[Document], chunks: Sequence[Chunk], embedder: Embedder, chunker: ChunkerSpec
) -> Draft:
    n_chunks = {document.source.source_id: 0 for document in documents}
    for chunk in chunks:
        n_chunks[chunk.source_id] += 1
    return Draft(
        built_by=__version__,
        embedder=embedder.spec,
        chunker=chunker,
        counts=Counts(
            documents=len(documents),
            chunks=len(chunks),
            sentences=sum(len(chunk.sentences) for chunk in chunks),
        ),
        sources=tuple(_entry(document, n_chunks[document.source.source_id]) for document in documents),
    )


def _entry(document: Document, n_chunks: int) -> SourceEntry:
    source = document.source
    return SourceEntry(
        source_id=source.source_id,
        path=source.path,
        title=document.title,
        media_type=source.media_type,
        content_sha256=source.content_sha256,
        size_bytes=source.size_bytes,
        n_chunks=n_chunks,
    )
