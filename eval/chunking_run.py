"""Waymark's own way through chunking_evaluation: its loader, chunks, index, retrieval and windows, nothing special.

The five texts become one's own documents of a throw-away index; windows are traced back to the raw characters that they
came from. Vectors are kept in the cache of the data folder, so that a second run embeds nothing.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import numpy.typing as npt

from eval.chunking import ChunkingSet, Passages, Range
from ingest.chunking import CHUNKER_VERSION, ChunkLimits
from ingest.generation import NewGeneration
from ingest.loaders.plain import load_plain
from ingest.vectors import Progress
from rag import __version__
from rag.embed import Embedder
from rag.index.generations import Generations
from rag.index.manifest import ChunkerSpec, Draft
from rag.index.reader import Index
from rag.passages import windows
from rag.query import make_query
from rag.retrieve import Weights, search
from rag.schema import Span

_LOOK_AHEAD = 200  # raw characters skipped at most where the loader dropped some
_MOST = 10  # passages


@contextmanager
def opened(
    texts: Mapping[str, str], embedder: Embedder, *, home: Path, progress: Progress
) -> Iterator[Index]:
    """The texts as the documents beside a roadmap of three words."""
    with tempfile.TemporaryDirectory() as folder:
        _build(Path(folder), texts, embedder, home=home, progress=progress)
        with Index.open(Path(folder), embedder=embedder.spec) as index:
            yield index.others or index


def _build(
    folder: Path, texts: Mapping[str, str], embedder: Embedder, *, home: Path, progress: Progress
) -> None:
    limits = ChunkLimits()
    with ExitStack() as held:
        writer = held.enter_context(Generations(folder).writer())
        scratch = held.enter_context(writer.scratch())
        making = held.enter_context(NewGeneration(scratch, None, embedder=embedder, limits=limits))
        making.add(load_plain(b"No roadmap here.", path="roadmap.txt"), is_roadmap=True)
        for name, text in texts.items():
            making.add(load_plain(text.encode(), path=name), is_roadmap=False)
        making.embed(home, progress=progress)
        draft = Draft(
            built_by=__version__,
            embedder=embedder.spec,
            chunker=ChunkerSpec(
                name="section-sentences",
                version=CHUNKER_VERSION,
                target_tokens=limits.target_tokens,
                max_tokens=limits.max_tokens,
            ),
            counts=making.counts,
            sources=making.sources,
        )
        writer.commit(making.files(), draft)


def retrieve(index: Index, data: ChunkingSet, embedder: Embedder, *, k: int, weights: Weights) -> Passages:
    """Per question the windows around its `k` best chunks, as ranges of the raw texts."""
    names = {source_id: path for source_id, (path, _) in index.titles.items()}
    documents = {source_id: index.document(source_id) for source_id in names}
    places = {
        source_id: raw_places(document.text, data.texts[names[source_id]])
        for source_id, document in documents.items()
    }
    found = []
    for one in data.questions:
        hits = search(index, embedder, make_query(one.question), k=k, weights=weights)
        made = windows(hits, document=documents.__getitem__, limit=_MOST)
        found.append([_range(names[w.source_id], w.span, places[w.source_id]) for w in made])
    return found


def raw_places(text: str, raw: str) -> npt.NDArray[np.int64]:
    """For each character of a loaded text where it stands in the raw one; -1 for white space and what was added."""
    places = np.full(len(text), -1, dtype=np.int64)
    position = 0
    for n, character in enumerate(text):
        if character.isspace():
            continue
        at = raw.find(character, position, position + _LOOK_AHEAD)
        if at >= 0:
            places[n], position = at, at + 1
    return places


def _range(name: str, span: Span, places: npt.NDArray[np.int64]) -> Range:
    known = places[span.start : span.end]
    known = known[known >= 0]
    return Range(name, int(known[0]), int(known[-1]) + 1)
