"""`waymark bench growth`: how searching, opening and the size on disk grow with the number of chunks.

Vectors and words are made up: vectors are random directions, words are drawn as words are (few often, many rarely), so
that lists of the lexical index have plausible lengths. The read path is the real one: dense, lexical, rows, sentence
vectors, fusion. LangChain's store holds the same texts and vectors and searches by a vector, so neither embeds.
"""

import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from eval.bench import Spread
from rag import __version__
from rag.embed import Vectors
from rag.index.builder import IndexedChunk, PartBuilder
from rag.index.generations import Generations
from rag.index.manifest import ChunkerSpec, Counts, Draft, SourceEntry
from rag.index.reader import Index
from rag.query import make_query
from rag.retrieve import search
from rag.schema import BlockKind, Chunk, Document, Sentence, Source, Span
from rag.testing import FakeEmbedder

COLUMNS = ("chunks", "build s", "open s", "MiB on disk", "Waymark ms", "LangChain default ms", "ratio")
_DIM = 384
_VOCABULARY = 50_000
_WORDS = 40  # of a chunk
_PER_DOCUMENT = 500  # chunks
_K = 8
_SEED = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One size. Searches in milliseconds; `ratio` is LangChain's median over Waymark's."""

    chunks: int
    build_s: float
    open_s: float
    mib: float
    waymark_ms: Spread
    langchain_ms: Spread

    @property
    def ratio(self) -> float:
        return self.langchain_ms.median / self.waymark_ms.median

    def to_dict(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio}

    def cells(self) -> tuple[str, ...]:
        numbers = (f"{self.chunks:,}", f"{self.build_s:.1f}", f"{self.open_s:.2f}", f"{self.mib:,.0f}")
        return (*numbers, _shown(self.waymark_ms), _shown(self.langchain_ms), f"{self.ratio:.2f}")


def sizes(largest: int) -> tuple[int, ...]:
    """1,000, then ten times as many as far as `largest`, and `largest` itself."""
    steps = [1000 * 10**n for n in range(8) if 1000 * 10**n < largest]
    return (*steps, largest)


def measure(n_chunks: int, *, questions: int) -> Step:
    """Build an index of that size in a temporary folder, open it and search it; then LangChain's store."""
    embedder = FakeEmbedder(dim=_DIM)
    asked = [_text(row) for row in _drawn(np.random.default_rng(_SEED + 1), questions, words=6)]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        began = time.perf_counter()
        _build(home, n_chunks, embedder)
        built = time.perf_counter()
        with Index.open(home, embedder=embedder.spec) as index:
            opened = time.perf_counter()
            queries = [make_query(question) for question in asked]
            ours = _timed(lambda n: search(index, embedder, queries[n], k=_K), questions)
        size = sum(path.stat().st_size for path in (home / "generations").rglob("*") if path.is_file())
    vectors = [embedder.embed_query(question) for question in asked]
    return Step(
        chunks=n_chunks,
        build_s=built - began,
        open_s=opened - built,
        mib=size / 2**20,
        waymark_ms=ours,
        langchain_ms=_langchain(n_chunks, vectors),
    )


def _langchain(n_chunks: int, asked: Sequence[Vectors]) -> Spread:
    from eval import baseline  # noqa: PLC0415 (LangChain, last)

    texts, vectors = [], []
    for some, rows in _made(n_chunks):
        texts += some
        vectors.append(rows)
    store = baseline.open_vectors(texts, np.concatenate(vectors), k=_K)
    return _timed(lambda n: store(asked[n].tolist()), len(asked))


def _timed(one: Callable[[int], object], n: int) -> Spread:
    one(0)
    milliseconds = []
    for turn in range(n):
        began = time.perf_counter()
        one(turn)
        milliseconds.append(1000 * (time.perf_counter() - began))
    return Spread.of(milliseconds)


def _build(home: Path, n_chunks: int, embedder: FakeEmbedder) -> None:
    with ExitStack() as held:
        writer = held.enter_context(Generations(home).writer())
        scratch = held.enter_context(writer.scratch())
        builder = PartBuilder(scratch / "part", dim=_DIM)
        sources = []
        for n, (texts, vectors) in enumerate(_made(n_chunks)):
            document = _document(n, texts)
            builder.add_document(document)
            for chunk in _chunks(document, texts):
                builder.add_chunk(IndexedChunk(chunk=chunk, searched=chunk.text))
            builder.add_chunk_vectors(vectors)
            builder.add_sentence_vectors(vectors.astype(np.float16))
            sources.append(SourceEntry.of(document, n_chunks=len(texts)))
        draft = Draft(
            built_by=__version__,
            embedder=embedder.spec,
            chunker=ChunkerSpec(name="made-up", version=1, target_tokens=_WORDS, max_tokens=_WORDS),
            counts=Counts(documents=len(sources), chunks=n_chunks, sentences=n_chunks),
            sources=tuple(sources),
        )
        writer.commit(builder.files(), draft)


def _made(n_chunks: int) -> Iterator[tuple[list[str], Vectors]]:
    """Texts and unit vectors, a document at a time; the same each time."""
    random = np.random.default_rng(_SEED)
    for start in range(0, n_chunks, _PER_DOCUMENT):
        n = min(_PER_DOCUMENT, n_chunks - start)
        vectors = random.standard_normal((n, _DIM), dtype=np.float32)
        vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
        yield [_text(row) for row in _drawn(random, n, words=_WORDS)], vectors


def _drawn(random: np.random.Generator, n: int, *, words: int) -> list[list[int]]:
    """Numbers of words, the low ones often: the share of the n-th word falls with n."""
    drawn = np.exp(random.random((n, words)) * np.log(_VOCABULARY)).astype(np.int64)
    return [[int(number) for number in row] for row in drawn]


def _text(numbers: Sequence[int]) -> str:
    return " ".join(f"w{number}" for number in numbers)


def _document(n: int, texts: Sequence[str]) -> Document:
    source = Source(
        source_id=f"{n:016x}", path=f"{n}.txt", media_type="text/plain", content_sha256="0" * 64, size_bytes=0
    )
    return Document(source=source, title=str(n), text="\n\n".join(texts), headings=(), blocks=())


def _chunks(document: Document, texts: Sequence[str]) -> Iterator[Chunk]:
    start = 0
    for n, text in enumerate(texts):
        span = Span(start=start, end=start + len(text))
        start = span.end + 2
        yield Chunk(
            chunk_id=f"{document.source.source_id}{n:04x}",
            source_id=document.source.source_id,
            ordinal=n,
            text=text,
            span=span,
            section_id="",
            heading_path=(),
            first_page=None,
            last_page=None,
            n_tokens=_WORDS,
            sentences=(Sentence(span=span, kind=BlockKind.PARAGRAPH, block=n),),
        )


def _shown(of: Spread) -> str:
    return f"{of.median:.2f} [{of.least:.2f} – {of.greatest:.2f}]"
