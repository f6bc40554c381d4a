"""Finding the chunks that speak to a query: dense and lexical scores, fused by a convex combination.

Both halves look at the whole collection, the union of their best rows is scored by both, and every candidate is then
scored at sentence level too, from vectors stored with the index. Knows nothing about answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from rag.embed import Embedder, Vectors
from rag.index.reader import Index
from rag.passages import Scope
from rag.query import Query, Wanted
from rag.schema import BlockKind, Chunk, Hit, Scores
from rag.terms import distinct, terms

Rows = npt.NDArray[np.int64]  # of one part of the index, ascending

_CANDIDATES = 200  # rows taken from each half
_LOOK = 5  # best passages that are looked at for the question's terms
_BEHIND, _FAR_BEHIND = 1e-4, 0.05  # a cited entry behind the sentence, or only the chunk, that cites it


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Chosen on eval/questions/fit.jsonl, with the development set in view; eval/LOG.md says how."""

    dense: float = 0.8  # the rest is lexical
    sentence: float = 0.4  # share of the best sentence in the dense score; the rest is the chunk
    focus: float = 0.4  # share of the asking part where a message says more than it asks
    background: float = 0.4  # share of the history in a follow-up's vector
    background_terms: float = 0.4  # weight of the history's terms against the question's own
    section: float = 0.15  # what a chunk gains from the best chunk of its section
    works: float = 0.3  # what an entry of the works cited loses unless the question asks for works
    reworded: float = 0.4  # where the best passages hold less of the question's terms, words do not count


def search(
    index: Index,
    embedder: Embedder,
    query: Query,
    *,
    k: int,
    weights: Weights | None = None,
    rows: Rows | None = None,
) -> tuple[Hit, ...]:
    """The `k` best chunks, of these rows if they are given, best first; ties broken by source and place.

    The dense score of a chunk is `(1 - sentence) * cos(chunk) + sentence * max cos(its sentences)`; the lexical score
    is BM25 over its greatest value here; `fused = dense * d + (1 - dense) * l`, before what section and works do.
    """
    weights = weights or Weights()
    vector = query_vector(embedder, query, weights)
    lexical = _lexical_scores(index, query, weights)
    top = (lexical if rows is None else lexical[rows]).max(initial=0.0) or 1.0
    if rows is None:  # else each is a candidate: they are few beside what the two halves would be asked for
        rows = np.union1d(_candidates(index, vector, lexical), _asked_by_number(index, query))
    if not len(rows):
        return ()
    found = index.chunks_with_vectors(rows.tolist())
    chunks = [chunk for chunk, _ in found]
    cosines = index.dense.cosines(vector, rows)
    sentences = [vectors @ vector for _, vectors in found]
    best = np.array([scores.max(initial=-1.0) for scores in sentences], dtype=np.float32)
    dense = (1 - weights.sentence) * cosines + weights.sentence * best
    fused: Vectors = weights.dense * dense + (1 - weights.dense) * lexical[rows] / np.float32(top)
    fused += weights.section * _section_best(chunks, fused)
    best_chunks = [chunks[i] for i in np.argsort(-fused, kind="stable")[:_LOOK]]
    if _most_held(index, query, best_chunks) < weights.reworded:
        fused = dense + weights.section * _section_best(chunks, dense)
    if query.wanted is Wanted.WORKS:
        _raise_cited_entries(chunks, fused, sentences, query)
    else:
        fused -= weights.works * np.array([_is_entry(chunk) for chunk in chunks], dtype=np.float32)
    order = sorted(range(len(rows)), key=lambda i: (-fused[i], chunks[i].source_id, chunks[i].ordinal))
    order = _once([chunks[i].text for i in order], order)[:k]
    return tuple(
        Hit(
            rank=rank,
            row=index.first_row + int(rows[i]),
            chunk=chunks[i],
            title=index.titles[chunks[i].source_id][1],
            path=index.titles[chunks[i].source_id][0],
            scores=Scores(dense=float(cosines[i]), lexical=float(lexical[rows[i]]), fused=float(fused[i])),
            sentence_scores=tuple(map(float, sentences[i])),
        )
        for rank, i in enumerate(order, 1)
    )


def rows_in(index: Index, scope: Scope) -> Rows:
    """The rows of a source, or of one section of it with its subsections; none if the index does not have it."""
    if scope.source_id is None:
        return np.arange(len(index), dtype=np.int64)
    rows = np.array(index.rows.rows_of(scope.source_id), dtype=np.int64)
    if scope.section_id is None or not len(rows):
        return rows
    headings = index.outline(scope.source_id).headings
    within = [heading.span for heading in headings if heading.section_id == scope.section_id]
    inside = [any(span.holds(chunk.span) for span in within) for chunk in index.chunks(rows.tolist())]
    return np.asarray(rows[np.array(inside, dtype=bool)], dtype=np.int64)


def held_terms(chunk: Chunk) -> frozenset[str]:
    """The terms of a passage and of what stands over it."""
    return _terms_of((*chunk.heading_path, *(sentence.context for sentence in chunk.sentences), chunk.text))


# Some 8 KiB each; search, gate and foreign words ask for the same few, one after another.
@lru_cache(maxsize=1024)
def _terms_of(texts: tuple[str, ...]) -> frozenset[str]:
    return frozenset(terms(" ".join(texts)))


def _most_held(index: Index, query: Query, chunks: Sequence[Chunk]) -> float:
    """The greatest share of the question's term weight (inverse document frequency) that one of the chunks holds."""
    weights = {term: index.lexical.weigh(term) for term in distinct(terms(query.text))}
    total = sum(weights.values()) or 1.0
    held = map(held_terms, chunks)
    shares = (sum(weight for term, weight in weights.items() if term in one) for one in held)
    return max(shares, default=0.0) / total


def _once(texts: Sequence[str], order: Sequence[int]) -> list[int]:
    """The same words in two sources, as in a copied file, are one passage: the first."""
    first = dict(zip(reversed(texts), reversed(order), strict=True))
    return [i for text, i in zip(texts, order, strict=True) if first[text] == i]


def query_vector(embedder: Embedder, query: Query, weights: Weights) -> Vectors:
    """`(dim,)` unit vector: the whole question, its asking part, and what the history adds."""
    vector = embedder.embed_query(query.text)
    if query.focus != query.text:
        vector = (1 - weights.focus) * vector + weights.focus * embedder.embed_query(query.focus)
    if query.background:
        joined = embedder.embed_query(f"{query.background} {query.text}")
        vector = (1 - weights.background) * vector + weights.background * joined
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-12), dtype=np.float32)


def _lexical_scores(index: Index, query: Query, weights: Weights) -> npt.NDArray[np.float32]:
    scores = index.lexical.scores(distinct(terms(query.text)))
    if query.background:
        scores = scores + weights.background_terms * index.lexical.scores(distinct(terms(query.background)))
    return scores


def _candidates(index: Index, vector: Vectors, lexical: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    near, _ = index.dense.search(vector, k=_CANDIDATES)
    n = min(_CANDIDATES, len(lexical))
    worded = np.argpartition(-lexical, n - 1)[:n] if n else np.zeros(0, dtype=np.int64)
    return np.union1d(near, worded[lexical[worded] > 0]).astype(np.int64)


def _asked_by_number(index: Index, query: Query) -> npt.NDArray[np.int64]:
    """The entries of the works cited that a question names by number: they may share no word with it."""
    rows: list[int] = []
    if query.wanted is Wanted.WORKS and query.numbers:
        for row, chunk in enumerate(index.chunks(range(len(index)))):
            if _is_entry(chunk) and set(chunk.sentences[0].references) & set(query.numbers):
                rows.append(row)
    return np.array(rows, dtype=np.int64)


def _section_best(chunks: Sequence[Chunk], fused: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """For each chunk the best score of another chunk in its section, 0 where it is alone."""
    best: dict[tuple[str, str], list[float]] = {}
    for chunk, score in zip(chunks, fused, strict=True):
        best.setdefault((chunk.source_id, chunk.section_id), []).append(float(score))
    out = np.zeros(len(chunks), dtype=np.float32)
    for n, (chunk, score) in enumerate(zip(chunks, fused, strict=True)):
        others = sorted(best[chunk.source_id, chunk.section_id], reverse=True)
        if len(others) > 1 and not _is_entry(chunk):
            out[n] = others[1] if score == others[0] else others[0]
    return out


def _is_entry(chunk: Chunk) -> bool:
    return chunk.sentences[0].kind is BlockKind.ENTRY


def _raise_cited_entries(
    chunks: Sequence[Chunk], fused: npt.NDArray[np.float32], sentences: Sequence[Vectors], query: Query
) -> None:
    """Put an entry of the works cited right behind the best passage that cites it, if it is not before it already.

    Asked for by number, it comes first.
    """
    cited: dict[tuple[str, int], float] = {}
    for chunk, score, cosines in zip(chunks, fused, sentences, strict=True):
        if _is_entry(chunk):
            continue
        best = int(cosines.argmax())
        for n, sentence in enumerate(chunk.sentences):
            worth = float(score) - (_BEHIND if n == best else _FAR_BEHIND)
            for number in sentence.references:
                key = (chunk.source_id, number)
                cited[key] = max(worth, cited.get(key, worth))
    for n, chunk in enumerate(chunks):
        if _is_entry(chunk):
            for number in chunk.sentences[0].references:
                asked_for = 1.0 if number in query.numbers else 0.0
                own = float(fused[n])
                fused[n] = asked_for + max(own, cited.get((chunk.source_id, number), own))
