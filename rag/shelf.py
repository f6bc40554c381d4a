"""One part of the index with what is needed to judge a question by it: its own words and their weights.

The roadmap is one shelf, all other documents another. Each reads a question with its own vocabulary (spelling, names
it does not have) and has its own evidence gate, so that adding documents does not change what the roadmap answers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from rag.embed import Embedder
from rag.gate import Evidence, GateModel, Verdict, detail_missing, judge, weigh_evidence
from rag.index.reader import Index
from rag.naming import Named, Names
from rag.passages import Scope
from rag.places import look_up
from rag.query import Query, make_query
from rag.retrieve import Rows, Weights, rows_in, search
from rag.schema import Hit, Turn
from rag.settings import Settings
from rag.spelling import Speller
from rag.terms import distinct, terms, words
from rag.unheld import Foreign, foreign_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A question as one shelf understood it, what it found, and what its gate says."""

    shelf: "Shelf"
    query: Query
    hits: tuple[Hit, ...]
    evidence: Evidence
    verdict: Verdict
    lacking: tuple[str, ...] = ()  # names in the question that the shelf does not have
    is_named: bool = False  # the question names documents of this shelf, and these are what was searched


class Shelf:
    """A part of the index that finds and judges. `gate` is the roadmap's where none is given."""

    def __init__(
        self, index: Index, embedder: Embedder, settings: Settings, *, gate: GateModel | None = None
    ) -> None:
        self.index = index
        self._gate = gate
        self._embedder = embedder
        self._threshold = settings.refusal_threshold
        self._is_roadmap = index.first_row == 0
        self._weights = Weights(
            dense=settings.dense_weight if self._is_roadmap else settings.others_dense_weight
        )
        self._names = Names(index.titles)
        self._speller = Speller(counts=index.lexical.word_counts, is_word=self._is_one_piece)

    def find(
        self,
        question: str,
        turns: Sequence[Turn],
        *,
        k: int,
        scope: Scope | None = None,
        rewritten: bool = False,
    ) -> Finding:
        """Search for a clean question, in a scope if there is one, and judge what came. Nothing found: no answer."""
        query = make_query(question, turns, rewritten=rewritten)
        everywhere = scope is None or scope == Scope()
        told = self._looked_up(query) if everywhere else None
        if told and told.hits:
            return told
        if (mended := self._speller.mend(question)) != question:
            query = make_query(mended, turns, rewritten=rewritten)
            told = (self._looked_up(query) or told) if everywhere else None
            if told and told.hits:
                return told
        if everywhere and (named := self._in_named(query, k=k)):
            return named
        rows = None if scope is None or everywhere else rows_in(self.index, scope)
        found = self._found(query, k=k, rows=rows)
        if told is not None:
            found = replace(found, query=replace(query, contents=told.query.contents))
        if told is not None or (scope is not None and not found.hits):
            found = replace(found, verdict=Verdict(probability=0.0, answer=False))
        return found

    def _found(self, query: Query, *, k: int, rows: Rows | None) -> Finding:
        """What a search brings, among these rows if they are given, and what the gate says of it."""
        hits = search(self.index, self._embedder, query, k=k, weights=self._weights, rows=rows)
        names = self._speller.unknown_names(query.question)
        strange = [word for word in words(query.focus) if not all(map(self._is_known, terms(word)[:1]))]
        searched = len(self.index if rows is None else rows)
        evidence, verdict = self._weighed(query, hits, names=names, strange=strange, searched=searched)
        return Finding(shelf=self, query=query, hits=hits, evidence=evidence, verdict=verdict, lacking=names)

    def _weighed(
        self,
        query: Query,
        hits: Sequence[Hit],
        *,
        names: Sequence[str],
        strange: Sequence[str],
        searched: int,
    ) -> tuple[Evidence, Verdict]:
        detail = detail_missing(query, hits)
        # Only the roadmap's gate was fitted with foreign words.
        foreign = self._foreign_words(query, hits) if self._is_roadmap else Foreign()
        evidence = weigh_evidence(
            query,
            hits,
            weigh=self.weigh,
            names=names,
            no_detail=detail is not None,
            foreign=foreign.pull,
            searched=searched,
        )
        verdict = judge(evidence, threshold=self._threshold, model=self._gate)
        headings = frozenset(words(" ".join(title for hit in hits for title in hit.chunk.heading_path)))
        # Where a detail is the reason, only names are worth a word beside it.
        lacking = distinct(names or ([] if detail else strange))
        missing = tuple(word for word in lacking if word.lower() not in headings)
        return evidence, replace(verdict, missing=missing, detail=detail, foreign=foreign.words)

    def _foreign_words(self, query: Query, hits: Sequence[Hit]) -> Foreign:
        return foreign_words(query, hits, self.index, self._embedder, weigh=self.weigh)

    def _in_named(self, query: Query, *, k: int) -> Finding | None:
        """What the documents that a question names say of the rest of it, if they answer."""
        named = Named(source_ids=(), rest="") if self._is_roadmap else self._names.find(query.text)
        if not named.source_ids or not terms(named.rest):
            return None
        rest = make_query(named.rest)
        rows = np.sort(
            np.concatenate([rows_in(self.index, Scope(source_id=one)) for one in named.source_ids])
        )
        found = self._found(replace(query, text=rest.text, focus=rest.focus), k=k, rows=rows)
        return replace(found, is_named=True) if found.verdict.answer else None

    def _looked_up(self, query: Query) -> Finding | None:
        """What answers a question about how the roadmap is built; no hits where it lacks what is asked for."""
        if not self._is_roadmap or (looked := look_up(self.index, query.standalone)) is None:
            return None
        contents, hits = looked
        query = replace(query, contents=contents)
        # What is told is there or it is not; only who refuses everything refuses this.
        verdict = Verdict(probability=1.0, answer=bool(hits) and (self._threshold or 0.0) < 1.0)
        evidence = weigh_evidence(query, hits, weigh=self.weigh)
        return Finding(shelf=self, query=query, hits=hits, evidence=evidence, verdict=verdict)

    def weigh(self, term: str) -> float:
        """Inverse document frequency over the chunks of this shelf."""
        return self.index.lexical.weigh(term)

    def _is_known(self, term: str) -> bool:
        return self.index.lexical.document_frequency(term) > 0

    def _is_one_piece(self, word: str) -> bool:
        """Whether the embedder's tokenizer has the word whole: then it is plain English, rare or not."""
        return self._embedder.count_tokens(word) == 3  # the piece and two special tokens
