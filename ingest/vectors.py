"""The vectors of chunks: from the cache where they were computed before, from the embedder where not.

Each passage is kept before the embedder is asked for the next one, so that a run that is killed loses what the
embedder had in hand and nothing else, and the next one goes on where it stopped.
"""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rag.embed import Embedder, Passage, Vectors
from rag.index.builder import IndexedChunk
from rag.index.cache import EmbeddingCache
from rag.schema import Span

Progress = Callable[[str, int, int], None]  # step, done, total


class VectorSource:
    """Looks up or computes; counts what had to be computed."""

    def __init__(self, home: Path, embedder: Embedder, *, progress: Progress) -> None:
        self._embedder = embedder
        self._cache = EmbeddingCache(home, embedder.spec)
        self._progress = progress
        self._expected = 0
        self.n_embedded = 0

    def expect(self, groups: Iterable[Sequence[IndexedChunk]]) -> None:
        """Count what of all this will have to be computed, for the progress that is shown."""
        missing: set[bytes] = set()
        for entries in groups:
            missing |= self._cache.missing([_passage(entry) for entry in entries])
        self._expected = len(missing)
        self._progress("embed", 0, self._expected)

    def of(self, entries: Sequence[IndexedChunk]) -> list[Vectors]:
        """Per chunk `(1 + sentences, dim)`: the chunk, then its sentences. The more at a time, the less padding."""
        passages = [_passage(entry) for entry in entries]
        distinct = list(dict.fromkeys(passages))
        known = {distinct[n]: rows for n, rows in self._cache.get(distinct).items()}
        missing = [passage for passage in distinct if passage not in known]
        for n, rows in self._embedder.embed_passages(missing):
            self._cache.put([(missing[n], rows)])
            known[missing[n]] = rows
            self.n_embedded += 1
            self._expected = max(self._expected, self.n_embedded)
            self._progress("embed", self.n_embedded, self._expected)
        return [known[passage] for passage in passages]

    def close(self) -> None:
        self._cache.close()


def _passage(entry: IndexedChunk) -> Passage:
    chunk = entry.chunk
    shift = len(entry.searched) - len(chunk.text) - chunk.span.start
    parts = tuple(Span(start=s.span.start + shift, end=s.span.end + shift) for s in chunk.sentences)
    return Passage(text=entry.searched, parts=parts)
