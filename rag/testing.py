"""Doubles for tests, ours and those of others. Nothing here reads a file, a model or the network."""

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache

import numpy as np

from rag.embed import Passage, Vectors, pool_parts, refuse_overlong
from rag.schema import EmbedderSpec, Span

_WORD = re.compile(r"\w+|[^\w\s]")


class FakeEmbedder:
    """An `Embedder` without a model: each word hashes to a vector, a text is the mean of its words.

    Texts that share words are near each other; equal texts are equal. A word or a punctuation mark is one token,
    and there are two special ones. `seen` lists the passages that were embedded, in order.
    """

    def __init__(
        self,
        *,
        model: str = "fake",
        revision: str = "1",
        dim: int = 32,
        max_tokens: int = 256,
        delay_s: float = 0.0,  # per passage
    ) -> None:
        self.spec = EmbedderSpec(model=model, revision=revision, dim=dim, max_tokens=max_tokens)
        self.seen: list[Passage] = []
        self._delay_s = delay_s
        self._word_vector = lru_cache(maxsize=None)(self._hashed)

    def count_tokens(self, text: str) -> int:
        return len(_WORD.findall(text)) + 2

    def embed_query(self, text: str) -> Vectors:
        """One text to `(dim,)`; what passes the window is cut."""
        vector: Vectors = self._embed(text, (), limit=self.spec.max_tokens - 2)[0]
        return vector

    def embed_passages(self, passages: Sequence[Passage]) -> Iterator[tuple[int, Vectors]]:
        """Yield `(position, (1 + parts, dim))`, the last passage first: the order is nobody's right."""
        for passage in passages:
            refuse_overlong(self.count_tokens(passage.text), self.spec, passage.text)
        for n, passage in reversed(list(enumerate(passages))):
            time.sleep(self._delay_s)
            self.seen.append(passage)
            yield n, self._embed(passage.text, passage.parts)

    def _embed(self, text: str, parts: Sequence[Span], *, limit: int | None = None) -> Vectors:
        words = list(_WORD.finditer(text))[:limit]
        states = np.stack([self._word_vector(""), *(self._word_vector(word[0].lower()) for word in words)])
        offsets = np.array([(0, 0), *(word.span() for word in words)], dtype=np.int64)
        return pool_parts(states, offsets, parts)

    def _hashed(self, word: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(f"{self.spec.revision}\0{word}".encode()).digest()[:8])
        vector: Vectors = np.random.default_rng(seed).standard_normal(self.spec.dim, dtype=np.float32)
        return vector
