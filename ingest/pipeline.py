"""From sources to a new generation of the index: load, chunk, embed what is new, commit.

The effects of ingest in one place; what it calls is pure but for the embedder. An unchanged corpus is recognised by
content hashes before anything is chunked or embedded, and then nothing is written.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from ingest.chunking import CHUNKER_VERSION, ChunkLimits, chunk_document, embedded_text
from ingest.loaders import ROADMAP, load_document
from rag import __version__
from rag.bundled import roadmap_path
from rag.embed import Embedder, Passage, Vectors
from rag.errors import DocumentError, IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.builder import IndexedChunk, build_files
from rag.index.cache import EmbeddingCache
from rag.index.generations import Generations, Opened
from rag.index.manifest import ChunkerSpec, Counts, Draft, SourceEntry, content_digest
from rag.schema import Chunk, Document, Span

ROADMAP_PATH = "corpus/roadmap.txt"  # the source's identity, wherever the file lies
_EMBED_AT_ONCE = 64  # passages: enough for the embedder to put those of like length together
_KEEP_AFTER = 8  # passages between two commits of the cache: what a kill can cost

Progress = Callable[[str, int, int], None]  # step, done, total


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What an indexing run did."""

    generation_id: str
    changed: bool  # a new generation was written
    n_documents: int
    n_chunks: int
    n_embedded: int  # passages whose vectors had to be computed
    seconds: float


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
        DocumentError: a source cannot be read, or there is no text in any.
        IndexLocked, StorageError: nothing can be written; what served before still serves.
    """
    began = time.monotonic()
    limits = _within_window(limits or ChunkLimits(), embedder)
    chunker = ChunkerSpec(
        name="section-sentences",
        version=CHUNKER_VERSION,
        target_tokens=limits.target_tokens,
        max_tokens=limits.max_tokens,
    )
    generations = Generations(home)
    data = (roadmap or roadmap_path()).read_bytes()
    documents = (load_document(data, path=ROADMAP_PATH, media_type=ROADMAP),)
    digest = content_digest(
        [_entry(document, 0) for document in documents], embedder=embedder.spec, chunker=chunker
    )
    current = _current(generations)
    if current is not None and current.manifest.content_digest == digest and not current.warnings:
        counts = current.manifest.counts
        return IndexReport(
            generation_id=current.manifest.generation_id,
            changed=False,
            n_documents=counts.documents,
            n_chunks=counts.chunks,
            n_embedded=0,
            seconds=time.monotonic() - began,
        )
    with generations.writer() as writer:
        chunks = _chunks(documents, limits, embedder)
        if not chunks:
            raise DocumentError("There is no text to index.")
        vectors, n_embedded = _embed(home, embedder, chunks, progress)
        draft = _draft(documents, [entry.chunk for entry in chunks], embedder, chunker)
        progress("write", 0, 1)
        generation_id = writer.commit(build_files(documents, chunks, vectors, dim=embedder.spec.dim), draft)
        progress("write", 1, 1)
    return IndexReport(
        generation_id=generation_id,
        changed=True,
        n_documents=len(documents),
        n_chunks=len(chunks),
        n_embedded=n_embedded,
        seconds=time.monotonic() - began,
    )


def _current(generations: Generations) -> Opened | None:
    try:
        return generations.open_current()
    except (IndexMissing, IndexCorrupt, IndexMismatch):
        return None


def _within_window(limits: ChunkLimits, embedder: Embedder) -> ChunkLimits:
    return replace(limits, max_tokens=min(limits.max_tokens, embedder.spec.max_tokens))


def _chunks(documents: Sequence[Document], limits: ChunkLimits, embedder: Embedder) -> list[IndexedChunk]:
    return [
        IndexedChunk(
            chunk=chunk,
            searched=embedded_text(
                chunk.text,
                path=chunk.heading_path,
                context=chunk.sentences[0].context,
                max_tokens=limits.max_tokens,
                count_tokens=embedder.count_tokens,
            ),
        )
        for document in documents
        for chunk in chunk_document(document, limits=limits, count_tokens=embedder.count_tokens)
    ]


def _embed(
    home: Path, embedder: Embedder, chunks: Sequence[IndexedChunk], progress: Progress
) -> tuple[list[Vectors], int]:
    """Vectors of all chunks, and how many passages were embedded rather than found in the cache."""
    passages = [_passage(entry) for entry in chunks]
    distinct = list(dict.fromkeys(passages))
    with closing(EmbeddingCache(home, embedder.spec)) as cache:
        known = {distinct[n]: rows for n, rows in cache.get(distinct).items()}
        missing = [passage for passage in distinct if passage not in known]
        progress("embed", 0, len(missing))
        done = 0
        for part in _embedded_in_parts(embedder, missing):
            cache.put(part)
            known |= part
            done += len(part)
            progress("embed", done, len(missing))
    return [known[passage] for passage in passages], len(missing)


def _embedded_in_parts(
    embedder: Embedder, passages: Sequence[Passage]
) -> Iterator[list[tuple[Passage, Vectors]]]:
    for start in range(0, len(passages), _EMBED_AT_ONCE):
        together = passages[start : start + _EMBED_AT_ONCE]
        computed = ((together[n], rows) for n, rows in embedder.embed_passages(together))
        while part := list(islice(computed, _KEEP_AFTER)):
            yield part


def _passage(entry: IndexedChunk) -> Passage:
    chunk = entry.chunk
    shift = len(entry.searched) - len(chunk.text) - chunk.span.start
    parts = tuple(Span(start=s.span.start + shift, end=s.span.end + shift) for s in chunk.sentences)
    return Passage(text=entry.searched, parts=parts)


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
