"""One question on its way to a language model: what a strategy may use, and the steps that strategies share.

Effects come in from outside: searching, talking and checking are functions of the asking.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.generate.generator import Message
from rag.passages import Window
from rag.prompt.check import Checked
from rag.prompt.packing import Packed, pack
from rag.prompt.shield import for_prompt
from rag.prompt.talk import Talk
from rag.prompt.templates import Templates
from rag.schema import Hit

_LEAST_ANSWER = 64  # tokens; below that a context is too small to answer in


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """A question, what was found for it, and the means to ask a model."""

    question: str  # stand-alone
    hits: tuple[Hit, ...]
    talk: Talk
    templates: Templates
    prompt_tokens: int  # most of a prompt
    answer_tokens: int  # most of an answer
    find: Callable[[str], tuple[Hit, ...]]  # searches
    windows: Callable[[Sequence[Hit]], tuple[Window, ...]]
    read: Callable[[Window], str]  # a passage as the model is to read it
    check: Callable[[str, Packed], Checked]  # a reply that answered a prompt

    def prompt(self, name: str, hits: Sequence[Hit], *, most: int, **values: str) -> Packed:
        """The packed prompt of a template over these hits, with room kept for `most` tokens of answer.

        Raises:
            PromptTooLong: nothing fits.
        """
        context = self.talk.generator.context_tokens
        kept = max(min(most, context // 3), _LEAST_ANSWER)
        question = for_prompt(self.question)

        def fill(passages: str) -> tuple[Message, ...]:
            asked = self.templates.fill(name, passages=passages, question=question, **values)
            return (self.system, Message(role="user", text=asked))

        packed = pack(
            self.windows(hits),
            fill=fill,
            count=self.talk.generator.count_tokens,
            budget=min(self.prompt_tokens, context - kept),
            read=self.read,
        )
        return replace(packed, hits=tuple(hits))

    @property
    def system(self) -> Message:
        return Message(role="system", text=self.templates.fill("system"))

    def aside(self, name: str, *, most: int) -> str:
        """What the model says to a template that holds the question and no passages."""
        asked = self.templates.fill(name, question=for_prompt(self.question))
        return self.talk.whole([Message(role="user", text=asked)], most=most, seed=self.talk.seed)

    def reply(self, packed: Packed, *, most: int | None = None) -> Iterator[str]:
        return self.talk.say(packed.messages, most=most or self.answer_tokens, seed=self.talk.seed)


def merged(*found: Sequence[Hit]) -> tuple[Hit, ...]:
    """Several rankings as one, taken in turn; a hit that is in several stands where it is first."""
    rows: dict[int, Hit] = {}
    for n in range(max(map(len, found), default=0)):
        for hits in found:
            if n < len(hits):
                rows.setdefault(hits[n].row, hits[n])
    return tuple(replace(hit, rank=rank) for rank, hit in enumerate(rows.values(), 1))
