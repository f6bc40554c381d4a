"""Talking with one language model for one question: what it wrote, what it cost, and when it began.

Knows a generator; knows nothing about passages or answers.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rag.answer import Usage
from rag.generate.generator import Finish, Generator, Message
from rag.prompt.hidden import ReasoningFilter, without_reasoning
from rag.prompt.packing import prompt_tokens


@dataclass(slots=True, kw_only=True)
class Talk:
    """Every call for one question goes through here."""

    generator: Generator
    seed: int | None
    cancel: threading.Event
    began: float  # monotonic
    first_token_s: float | None = None
    written: str = ""  # by the last call, as the model wrote it
    notes: list[str] = field(default_factory=list)  # what a reader must know of how it went
    _prompt: int = 0
    _completion: int = 0
    _stop: str | None = None

    def say(self, messages: Sequence[Message], *, most: int, seed: int | None = None) -> Iterator[str]:
        """Yield what may be shown of a reply of at most `most` tokens; fewer where the context has no room.

        Raises:
            GenerationError: whatever the generator raises.
        """
        count = self.generator.count_tokens
        room = max(1, min(most, self.generator.context_tokens - prompt_tokens(messages, count)))
        reader = ReasoningFilter()
        self.written = ""
        for item in self.generator.stream(messages, max_new_tokens=room, seed=seed, cancel=self.cancel):
            if isinstance(item, Finish):
                self._prompt += item.prompt_tokens
                self._completion += item.completion_tokens
                self._stop = item.stop_reason
                continue
            self.written += item
            shown = reader.feed(item)
            if shown:
                yield shown
        rest = reader.close()
        if rest:
            yield rest

    def whole(self, messages: Sequence[Message], *, most: int, seed: int | None = None) -> str:
        """A whole reply that nobody sees growing, without its reasoning."""
        for _ in self.say(messages, most=most, seed=seed):
            pass
        return without_reasoning(self.written).strip()

    def shown(self, pieces: Iterator[str]) -> Iterator[str]:
        """The pieces as they are; notes when the first one came."""
        for piece in pieces:
            if self.first_token_s is None:
                self.first_token_s = time.monotonic() - self.began
            yield piece

    @property
    def usage(self) -> Usage:
        """Of all calls together; the stop reason is the last one's."""
        return Usage(prompt_tokens=self._prompt, completion_tokens=self._completion, stop_reason=self._stop)
