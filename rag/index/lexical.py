"""The lexical half of the index: BM25 over chunks, kept as plain arrays.

bm25s computes and stores; this module decides what a term is (`rag.terms`) and how its files become named bytes.
Parameters are those that the retrieval baselines were measured with: k1 1.5, b 0.75, English stems and stop words;
SciPy sorts the matrix, in less memory than bm25s's default.
"""

import json
import math
from array import array
from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt
from bm25s.tokenization import Tokenized

from rag.index.files import Content, copy_file, storage
from rag.terms import terms, words

FOLDER = "lexical"
_VOCABULARY = "vocab.index.json"  # term -> column
_WORDS = "words.json"  # word as written, in lower case -> how often
_PARAMETERS = {"k1": 1.5, "b": 0.75, "method": "lucene", "csc_backend": "scipy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    above: "array[int]"  # terms of headings and lead-in
    own: "array[int]"
    n_own: int  # characters
    place: Hashable  # None: it has no neighbours


@dataclass(frozen=True, slots=True, kw_only=True)
class _InContext(Sequence["array[int]"]):
    """The terms of each row with those of the neighbours that fit beside it; made when asked for, not kept."""

    rows: list[_Row]
    around_chars: int
    nothing: "array[int]"  # bm25s drops an empty row and shifts those after it

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, n: Any) -> Any:  # Any: Sequence also takes slices, nobody here does
        beside = (self.rows[i].own for i in self._neighbours(n))
        return sum(beside, self.rows[n].above[:]) or self.nothing

    def _neighbours(self, n: int) -> range:
        """The row itself and those around it, before and after it in turn, as long as there is room."""
        row, first, last = self.rows[n], n, n
        room = self.around_chars - row.n_own
        before = after = row.place is not None
        while before or after:
            is_before = before and (not after or n - first <= last - n)
            beside = first - 1 if is_before else last + 1
            if self._fits(beside, row.place, room):
                room -= self.rows[beside].n_own
                first, last = min(first, beside), max(last, beside)
            elif is_before:
                before = False
            else:
                after = False
        return range(first, last + 1)

    def _fits(self, n: int, place: Hashable, room: int) -> bool:
        return 0 <= n < len(self.rows) and self.rows[n].place == place and self.rows[n].n_own <= room


class LexicalBuilder:
    """Takes texts row by row and keeps the numbers of their terms, four bytes each.

    With `around_chars`, a row is indexed with as many of its neighbours as that holds: a chunk is often too short to
    have all that a question asks for, and BM25 favours the shortest that has some of it. eval/LOG.md has the figures.
    """

    def __init__(self, *, around_chars: int = 0) -> None:
        self._around_chars = around_chars
        self._rows: list[_Row] = []
        self._columns: dict[str, int] = {}
        self._words: Counter[str] = Counter()

    def add(self, text: str, *, n_own: int | None = None, place: Hashable = None) -> None:
        """The next row. Neighbours of the same `place` lend it the last `n_own` characters of theirs."""
        own = len(text) - (len(text) if n_own is None else n_own)
        row = _Row(
            above=self._numbers(text[:own]), own=self._numbers(text[own:]), n_own=n_own or 0, place=place
        )
        self._rows.append(row)
        self._words.update(words(text))

    def _numbers(self, text: str) -> "array[int]":
        columns = self._columns
        return array("i", [columns.setdefault(term, len(columns)) for term in terms(text)])

    def files(self, scratch: Path) -> dict[str, Content]:
        """The index as files named below the generation's folder; they come from `scratch`, which must stay."""
        engine = bm25s.BM25(**_PARAMETERS)
        nothing = self._columns.setdefault("", len(self._columns))
        rows = _InContext(rows=self._rows, around_chars=self._around_chars, nothing=array("i", [nothing]))
        engine.index(Tokenized(ids=rows, vocab=self._columns), show_progress=False)
        with storage(scratch):
            engine.save(scratch)
            (scratch / _WORDS).write_text(
                json.dumps(self._words, ensure_ascii=False, sort_keys=True), encoding="utf-8"
            )
        return {f"{FOLDER}/{file.name}": partial(copy_file, file) for file in sorted(scratch.iterdir())}


class Lexical:
    """BM25 scores over the rows that were indexed."""

    def __init__(self, folder: Path) -> None:
        self._engine = bm25s.BM25.load(str(folder / FOLDER), load_corpus=False, allow_pickle=False)
        vocabulary: Mapping[str, int] = json.loads((folder / FOLDER / _VOCABULARY).read_bytes())
        self.vocabulary: Mapping[str, int] = vocabulary
        self.word_counts: Mapping[str, int] = json.loads((folder / FOLDER / _WORDS).read_bytes())

    def __len__(self) -> int:
        return int(self._engine.scores["num_docs"])

    def scores(self, query: Sequence[str]) -> npt.NDArray[np.float32]:
        """BM25 of every row, `(rows,)`, >= 0 and unbounded; terms that no row has count nothing."""
        known = [term for term in query if term in self.vocabulary]
        if not known:
            return np.zeros(len(self), dtype=np.float32)
        return np.asarray(self._engine.get_scores(known), dtype=np.float32)

    def document_frequency(self, term: str) -> int:
        """In how many rows a term stands."""
        column = self.vocabulary.get(term)
        if column is None:
            return 0
        ends = self._engine.scores["indptr"]
        return int(ends[column + 1] - ends[column])

    def weigh(self, term: str) -> float:
        """Inverse document frequency of a term over the rows, BM25's form."""
        n, df = len(self), self.document_frequency(term)
        return math.log(1 + (n - df + 0.5) / (df + 0.5))
