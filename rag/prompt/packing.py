"""Passages into a prompt: labelled, fenced off, and no more of them than the language model can read.

Pure; tokens are counted by the function that is handed in, the generator's own.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answer import Cut
from rag.errors import PromptTooLong
from rag.generate.generator import Message
from rag.passages import Window
from rag.prompt.shield import fence_for, for_prompt
from rag.schema import Hit, Span
from rag.sentences import split_sentences

CHAT_TOKENS = 16  # what a chat template puts around a message, at most; the known ones take 4 to 10
_WORTH_CUTTING = 48  # tokens; a smaller rest of the room is left empty

Count = Callable[[str], int]
Fill = Callable[[str], Sequence[Message]]  # the passages as text -> the prompt
Read = Callable[[Window], str]  # a passage as it is to be read


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A prompt and what is in it. Label n is that of `passages[n - 1]`; those cut wholly have the labels after them."""

    messages: tuple[Message, ...]
    passages: tuple[Window, ...]  # as far as the language model reads them
    left_out: tuple[Window, ...]
    cut: tuple[Cut, ...]
    tokens: int  # of the prompt, with what a chat template adds
    hits: tuple[Hit, ...] = ()  # that the passages were made from


def pack(
    found: Sequence[Window], *, fill: Fill, count: Count, budget: int, read: Read = lambda window: window.text
) -> Packed:
    """Put as many passages into the prompt as `budget` tokens hold, the best first; the last may lose its end.

    Raises:
        PromptTooLong: not even a sentence of the first passage fits.
    """
    texts = [_placed(window, read) for window in found] + [message.text for message in fill("")]
    bench = _Bench(fence=fence_for(texts), count=count, read=read)
    taken = bench.take(found, budget - prompt_tokens(fill(""), count))
    while taken:  # joined texts may count more than their parts
        messages = tuple(fill(bench.blocks(taken)))
        tokens = prompt_tokens(messages, count)
        if tokens <= budget:
            return Packed(
                messages=messages,
                passages=tuple(taken),
                left_out=tuple(found[len(taken) :]),
                cut=tuple(bench.cut(found, taken)),
                tokens=tokens,
            )
        taken.pop()
    raise PromptTooLong(f"The question and one passage do not fit into {budget:,} tokens.")


def prompt_tokens(messages: Sequence[Message], count: Count) -> int:
    """Tokens of a prompt, with what a chat template adds at most."""
    return CHAT_TOKENS + sum(count(message.text) + CHAT_TOKENS for message in messages)


def _placed(window: Window, read: Read) -> str:
    """A passage as the language model reads it, with where it stands."""
    place = (window.title, *window.heading_path[-1:])
    named = " › ".join(for_prompt(" ".join(part.split())) for part in place if part)
    return f"{named}\n{for_prompt(read(window))}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bench:
    """What it takes to put one prompt together."""

    fence: str
    count: Count
    read: Read

    def take(self, found: Sequence[Window], room: int) -> list[Window]:
        """The first passages that fit into so many tokens; the last may lose its end."""
        taken: list[Window] = []
        for label, window in enumerate(found, 1):
            cost = self.cost(window, label)
            if cost > room:
                worth = room >= _WORTH_CUTTING or not taken
                shorter = self._shortened(window, label, room) if worth else None
                return taken if shorter is None else [*taken, shorter]
            taken.append(window)
            room -= cost
        return taken

    def cut(self, found: Sequence[Window], taken: Sequence[Window]) -> Iterator[Cut]:
        for label, window in enumerate(found, 1):
            left = self.cost(taken[label - 1], label) if label <= len(taken) else 0
            if label > len(taken) or taken[label - 1] != window:
                yield Cut(label=label, tokens=self.cost(window, label) - left)

    def blocks(self, taken: Sequence[Window]) -> str:
        return "\n\n".join(self._block(window, label) for label, window in enumerate(taken, 1))

    def cost(self, window: Window, label: int) -> int:
        return self.count(self._block(window, label) + "\n\n")

    def _block(self, window: Window, label: int) -> str:
        opening, closing = f"=== {self.fence} passage [{label}]", f"=== {self.fence} end of passage [{label}]"
        return f"{opening} · {_placed(window, self.read)}\n{closing}"

    def _shortened(self, window: Window, label: int, room: int) -> Window | None:
        """The first sentences of a passage that fit; None if not even one does."""
        for part in reversed(split_sentences(window.text)[:-1]):
            span = Span(start=window.span.start, end=window.span.start + part.end)
            shorter = replace(window, text=window.text[: part.end], span=span)
            if self.cost(shorter, label) <= room:
                return shorter
        return None
