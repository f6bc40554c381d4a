"""An index over a few lines of text, with what each chunk was indexed as, for tests of retrieval."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.assemble import CitedWork, Piece, assemble, make_source
from ingest.chunking import ChunkLimits, chunk_document, embedded_text
from rag.embed import Passage, Vectors
from rag.index.builder import IndexedChunk
from rag.index.generations import Generations
from rag.index.manifest import ChunkerSpec, Counts, Draft, SourceEntry
from rag.index.reader import Index
from rag.query import Query
from rag.retrieve import Weights, search
from rag.schema import BlockKind, Chunk, Document, Hit, Span
from rag.testing import FakeEmbedder, build_files

EMBEDDER = FakeEmbedder()
LIMITS = ChunkLimits(target_tokens=30, max_tokens=120)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What a chunk was indexed as."""

    chunk: Chunk
    searched: str
    vectors: Vectors  # the chunk, then its sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    index: Index
    rows: tuple[Row, ...]


def document(path: str, *pieces: Piece, works: tuple[CitedWork, ...] = ()) -> Document:
    return assemble(
        make_source(path, path.encode(), media_type="text/plain"), pieces, title=path, works=works
    )


def _indexed(document: Document) -> Iterator[Row]:
    for chunk in chunk_document(document, limits=LIMITS, count_tokens=EMBEDDER.count_tokens):
        searched = embedded_text(
            chunk.text,
            path=chunk.heading_path,
            context=chunk.sentences[0].context,
            max_tokens=LIMITS.max_tokens,
            count_tokens=EMBEDDER.count_tokens,
        )
        shift = len(searched) - len(chunk.text) - chunk.span.start
        parts = tuple(Span(start=s.span.start + shift, end=s.span.end + shift) for s in chunk.sentences)
        [(_, vectors)] = EMBEDDER.embed_passages([Passage(text=searched, parts=parts)])
        yield Row(chunk=chunk, searched=searched, vectors=vectors)


def build_library(home: Path, documents: Sequence[Document]) -> Library:
    rows = tuple(row for document in documents for row in _indexed(document))
    files = build_files(
        documents,
        [IndexedChunk(chunk=row.chunk, searched=row.searched) for row in rows],
        [row.vectors for row in rows],
        dim=EMBEDDER.spec.dim,
    )
    draft = Draft(
        built_by="test",
        embedder=EMBEDDER.spec,
        chunker=ChunkerSpec(name="test", version=1, target_tokens=30, max_tokens=120),
        counts=Counts(
            documents=len(documents),
            chunks=len(rows),
            sentences=sum(len(row.chunk.sentences) for row in rows),
        ),
        sources=tuple(
            SourceEntry(
                source_id=document.source.source_id,
                path=document.source.path,
                title=document.title,
                media_type="text/plain",
                content_sha256=document.source.content_sha256,
                size_bytes=document.source.size_bytes,
                n_chunks=sum(row.chunk.source_id == document.source.source_id for row in rows),
            )
            for document in documents
        ),
    )
    with Generations(home).writer() as writer:
        writer.commit(files, draft)
    return Library(index=Index.open(home, embedder=EMBEDDER.spec), rows=rows)


Opens = Callable[..., Library]


def entry(number: int, title: str) -> Piece:
    return Piece(text=f"{title}, https://example.org/{number}", kind=BlockKind.ENTRY, marker=f"{number}.")


PIECES = (
    Piece(text="1. Training", level=1, section_id="1"),
    Piece(text="Gradient descent lowers the loss. It follows the slope downhill.", marks=((33, 1),)),
    Piece(text="A learning rate sets the size of each step.", marks=((43, 2),)),
    Piece(text="2. Deployment", level=1, section_id="2"),
    Piece(text="Docker packs a model with all that it needs. Images are small.", marks=((44, 2),)),
    Piece(text="Kubernetes runs many containers and restarts those that fail."),
    Piece(text="3. Ethics", level=1, section_id="3"),
    Piece(text="Bias in data becomes bias in a model."),
    Piece(text="Works cited", level=1, section_id="works_cited"),
    entry(1, "Optimisation for beginners"),
    entry(2, "Containers and you"),
    entry(3, "Zebras of the savanna"),
)
WORKS = tuple(
    CitedWork(
        number=n,
        title=PIECES[8 + n].text,
        url=f"https://example.org/{n}",
        text_fragment=None,
        accessed=None,
        piece=8 + n,
    )
    for n in (1, 2, 3)
)
ROADMAP = document("roadmap.txt", *PIECES, works=WORKS)
OTHER = document(
    "other.txt",
    Piece(text="The loss of a model is lowered by gradient steps."),
    Piece(text="Zebras graze at dawn."),
)


def search_in(
    library: Library, query: Query, *, k: int = 100, weights: Weights | None = None
) -> tuple[Hit, ...]:
    return search(library.index, EMBEDDER, query, k=k, weights=weights)
