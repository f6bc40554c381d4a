"""The vectors of chunks: from the cache where they were computed before, from the embedder where not.

What was computed is kept a few passages at a time, so that a run that is killed costs little and the next one goes on
where it stopped.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path

from rag.embed import Embedder, Passage, Vectors
from rag.index.builder import IndexedChunk
from rag.index.cache import EmbeddingCache
from rag.schema import Span

_EMBED_AT_ONCE = 64  # passages: enough for the embedder to put those of like length together
_KEEP_AFTER = 8  # passages between two commits of the cache: what a kill can cost

Progress = Callable[[str, int, int], None]  # step, done, total


def embed_chunks(
    home: Path, embedder: Embedder, chunks: Sequence[IndexedChunk], *, progress: Progress
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
