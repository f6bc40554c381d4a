"""Doubles for tests, ours and those of others. Nothing here reads a model or leaves this machine."""

import hashlib
import io
import re
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag.embed import Passage, Vectors, pool_parts, refuse_overlong
from rag.errors import PromptTooLong
from rag.generate.generator import Finish, Message, StopReason
from rag.schema import Document, EmbedderSpec, Span
from rag.scripted_server import Reply, ScriptedServer, Timing

if TYPE_CHECKING:
    from rag.index.builder import IndexedChunk
    from rag.index.files import Content

__all__ = [
    "FakeEmbedder",
    "Reply",
    "ScriptedGenerator",
    "ScriptedServer",
    "Timing",
    "build_files",
    "content_bytes",
]

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


class ScriptedGenerator:
    """A `Generator` that says what it was told to say, in the pieces it was told.

        llm = ScriptedGenerator("The whole answer [1].")
        llm.enqueue("An answer in ", "pieces [", "1].")
        llm.enqueue("A stream that is ", ServerFailed("the stream was cut"))

    One reply per call, in order; an error among the pieces is raised in its place. `seen` lists the messages of each
    call, `seeds` its seed. A word or a punctuation mark is one token.
    """

    def __init__(self, *replies: str, name: str = "scripted", context_tokens: int = 4096) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.seen: list[tuple[Message, ...]] = []
        self.seeds: list[int | None] = []
        self.closed = False
        self._replies: deque[tuple[str | Exception, ...]] = deque((reply,) for reply in replies)

    def enqueue(self, *pieces: str | Exception) -> None:
        """One reply more, after those that wait."""
        self._replies.append(pieces)

    def count_tokens(self, text: str) -> int:
        return len(_WORD.findall(text))

    def stream(
        self, messages: Sequence[Message], *, max_new_tokens: int, seed: int | None, cancel: threading.Event
    ) -> Iterator[str | Finish]:
        self.seen.append(tuple(messages))
        self.seeds.append(seed)
        prompt = sum(self.count_tokens(message.text) for message in messages)
        if prompt >= self.context_tokens:
            raise PromptTooLong(
                f"the prompt has {prompt} tokens, the context of {self.name} {self.context_tokens}"
            )
        if not self._replies:
            raise AssertionError("nothing is enqueued for this call")
        written = ""
        stop: StopReason = "eos"
        for piece in self._replies.popleft():
            if cancel.is_set():
                stop = "cancelled"
                break
            if isinstance(piece, Exception):
                raise piece
            if self.count_tokens(written + piece) > max_new_tokens:
                stop = "length"
                break
            written += piece
            yield piece
        yield Finish(prompt_tokens=prompt, completion_tokens=self.count_tokens(written), stop_reason=stop)

    def close(self) -> None:
        self.closed = True


def build_files(
    documents: Sequence[Document], chunks: Sequence["IndexedChunk"], vectors: Sequence[Vectors], *, dim: int
) -> dict[str, bytes]:
    """The files of a small index as `Writer.commit` takes them.

    Args:
        vectors: per chunk `(1 + sentences, dim)` float32 unit rows: the chunk, then each of its sentences.
    """
    from rag.index.builder import PartBuilder  # noqa: PLC0415 (heavy, and not every test has an index)

    with tempfile.TemporaryDirectory() as scratch:
        builder = PartBuilder(Path(scratch) / "part", dim=dim)
        for document in documents:
            builder.add_document(document)
        for entry in chunks:
            builder.add_chunk(entry)
        for rows in vectors:
            builder.add_vectors(rows)
        return {name: content_bytes(content) for name, content in builder.files().items()}


def content_bytes(content: "Content") -> bytes:
    """What a file of an index will hold."""
    if isinstance(content, bytes):
        return content
    buffer = io.BytesIO()
    content(buffer)
    return buffer.getvalue()
