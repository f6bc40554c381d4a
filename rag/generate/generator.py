"""What every language model looks like to the rest of Waymark: messages in, pieces of text and one `Finish` out.

Knows nothing of LangChain, of a library or of a server; `rag.generate` says which one stands behind it.
"""

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Spoken = Literal["system", "user", "assistant"]
StopReason = Literal["eos", "length", "cancelled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    role: Spoken
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish:
    """How a generation ended. Tokens are the model's own where it tells them, else `count_tokens` of the text."""

    prompt_tokens: int
    completion_tokens: int
    stop_reason: StopReason


class Generator(Protocol):
    """A language model. May be shared by threads; a model on this machine writes one answer at a time."""

    @property
    def name(self) -> str:
        """What a person set, such as `openai:qwen3`; it tells no key."""

    @property
    def context_tokens(self) -> int:
        """Tokens that prompt and answer may have together."""

    def count_tokens(self, text: str) -> int:
        """Tokens of a text, never fewer for a longer one; the marks that a chat adds are not counted.

        Where the model's tokenizer is not at hand, an estimate that errs upwards.
        """

    def stream(
        self,
        messages: Sequence[Message],
        *,
        max_new_tokens: int,
        seed: int | None,
        cancel: threading.Event,
    ) -> Iterator[str | Finish]:
        """Yield the answer's pieces and, last, its `Finish`.

        Args:
            max_new_tokens: most tokens of the answer; fewer where the context has no room for them.
            seed: None takes the likeliest token each time; a number samples, the same number the same answer.
            cancel: once set, the stream ends within a second with `stop_reason="cancelled"`.

        Raises:
            GenerationError: of the kind of trouble; the pieces yielded before it stand.
        """

    def close(self) -> None:
        """Give back memory and connections; a second time does nothing."""
