"""Words of a question that no close passage has, and whether the question would lie nearer without them.

What is near because of the rest of the question, and drawn away by one word ("Seaborn or Plotly"), is a near miss.
Words for which the passages have other words draw little. One more embedding where there are such words, else none.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rag.embed import Embedder, Vectors
from rag.index.reader import Index
from rag.query import Query
from rag.retrieve import held_terms
from rag.schema import Hit
from rag.terms import terms, without_words, words

_LOOK = 3  # hits, and sentences
# Pull: a long question in other words than the document's has more of it, and may well be answered.
_MOST = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Foreign:
    """The words, those worth most first, and by how much their absence raises the cosine of the best sentence."""

    words: tuple[str, ...] = ()
    pull: float = 0.0


def foreign_words(
    query: Query, hits: Sequence[Hit], index: Index, embedder: Embedder, *, weigh: Callable[[str], float]
) -> Foreign:
    """What of the asking part of a question is foreign to the hits that were found for it in an index.

    Where no word of it is held nothing is left to draw away from, and the pull is 0.
    """
    held = frozenset[str]().union(*(held_terms(hit.chunk) for hit in hits[:_LOOK]))
    strange = [
        word for word in dict.fromkeys(words(query.focus)) if terms(word) and held.isdisjoint(terms(word))
    ]
    if not strange or not hits:
        return Foreign()
    strange.sort(key=lambda word: -max(map(weigh, terms(word))))
    rest = without_words(query.focus, strange)
    if not terms(rest):
        return Foreign(words=tuple(strange))
    close = _closest(hits, index)
    whole = max(score for hit in hits for score in hit.sentence_scores)
    if query.background or query.focus != query.text:  # then the scores are of more than the asking part
        whole = float((close @ embedder.embed_query(query.focus)).max())
    pull = float((close @ embedder.embed_query(rest)).max()) - whole
    return Foreign(words=tuple(strange), pull=min(max(pull, 0.0), _MOST))


def _closest(hits: Sequence[Hit], index: Index) -> Vectors:
    """The vectors of the sentences nearest to the question, `(at most 3, dim)`."""
    places = [(score, hit.row, n) for hit in hits for n, score in enumerate(hit.sentence_scores)]
    best = sorted(places, reverse=True)[:_LOOK]
    rows = list(dict.fromkeys(row for _, row, _ in best))
    found = index.chunks_with_vectors([row - index.first_row for row in rows])
    vectors = {row: vectors for row, (_, vectors) in zip(rows, found, strict=True)}
    return np.stack([vectors[row][n] for _, row, n in best])
