"""One part of the index with what is needed to judge a question by it: its own words and their weights.

The roadmap is one shelf, all other documents another. Each reads a question with its own vocabulary (spelling, names
it does not have) and has its own evidence gate, so that adding documents does not change what the roadmap answers.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.embed import Embedder
from rag.gate import Evidence, Verdict, judge, weigh_evidence
from rag.index.reader import Index
from rag.query import Query, make_query
from rag.retrieve import Weights, search
from rag.schema import Hit, Turn
from rag.settings import Settings
from rag.spelling import Speller
from rag.terms import distinct, terms, words


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A question as one shelf understood it, what it found, and what its gate says."""

    shelf: "Shelf"
    query: Query
    hits: tuple[Hit, ...]
    evidence: Evidence
    verdict: Verdict


class Shelf:
    """A part of the index that finds and judges."""

    def __init__(self, index: Index, embedder: Embedder, settings: Settings) -> None:
        self.index = index
        self._embedder = embedder
        self._threshold = settings.refusal_threshold
        self._weights = Weights(dense=settings.dense_weight)
        self._speller = Speller(counts=index.lexical.word_counts, is_word=self._is_one_piece)

    def find(self, question: str, turns: Sequence[Turn], *, k: int) -> Finding:
        """Search for a clean question and judge what came."""
        query = make_query(self._speller.mend(question), turns)
        hits = search(self.index, self._embedder, query, k=k, weights=self._weights)
        names = self._speller.unknown_names(query.question)
        strange = (word for word in words(query.focus) if not all(map(self._is_known, terms(word)[:1])))
        evidence = weigh_evidence(query, hits, weigh=self.weigh, names=names)
        verdict = judge(evidence, missing=names or distinct(strange), threshold=self._threshold)
        return Finding(shelf=self, query=query, hits=hits, evidence=evidence, verdict=verdict)

    def weigh(self, term: str) -> float:
        """Inverse document frequency over the chunks of this shelf, BM25's form."""
        n, df = len(self.index), self.index.lexical.document_frequency(term)
        return math.log(1 + (n - df + 0.5) / (df + 0.5))

    def _is_known(self, term: str) -> bool:
        return self.index.lexical.document_frequency(term) > 0

    def _is_one_piece(self, word: str) -> bool:
        """Whether the embedder's tokenizer has the word whole: then it is plain English, rare or not."""
        return self._embedder.count_tokens(word) == 3  # the piece and two special tokens
