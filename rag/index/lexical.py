"""The lexical half of the index: BM25 over chunks, kept as plain arrays.

bm25s computes and stores; this module decides what a term is (`rag.terms`) and how its files become named bytes.
Parameters are those that the retrieval baselines were measured with: k1 1.5, b 0.75, English stems and stop words.
"""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import bm25s
import numpy as np
import numpy.typing as npt

from rag.terms import terms, words

FOLDER = "lexical"
_VOCABULARY = "vocab.index.json"  # term -> column
_WORDS = "words.json"  # word as written, in lower case -> how often
_PARAMETERS = {"k1": 1.5, "b": 0.75, "method": "lucene"}


def build_lexical(texts: Sequence[str]) -> dict[str, bytes]:
    """Index texts, row by row, as files named below the generation's folder."""
    rows = [list(terms(text)) or [""] for text in texts]  # bm25s drops an empty row and shifts those after it
    engine = bm25s.BM25(**_PARAMETERS)
    engine.index(rows, show_progress=False)
    with tempfile.TemporaryDirectory() as folder:
        engine.save(folder)
        named = {f"{FOLDER}/{file.name}": file.read_bytes() for file in sorted(Path(folder).iterdir())}
    counts = Counter(word for text in texts for word in words(text))
    return named | {f"{FOLDER}/{_WORDS}": json.dumps(counts, ensure_ascii=False, sort_keys=True).encode()}


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
