"""An embedder that keeps what it embedded: passages and evidence come back again and again in a run."""

from functools import lru_cache
from typing import Any

from rag.embed import Embedder, Vectors
from rag.schema import EmbedderSpec


class RememberingEmbedder:
    """An embedder that embeds each text once; passages come back in many answers."""

    def __init__(self, embedder: Embedder, *, size: int = 20_000) -> None:
        self._embedder = embedder
        self.embed_query = lru_cache(maxsize=size)(self._embed_query)

    @property
    def spec(self) -> EmbedderSpec:
        return self._embedder.spec

    def count_tokens(self, text: str) -> int:
        return self._embedder.count_tokens(text)

    def embed_passages(self, passages: Any) -> Any:  # Any: as the embedder has it
        return self._embedder.embed_passages(passages)

    def _embed_query(self, text: str) -> Vectors:
        return self._embedder.embed_query(text)
