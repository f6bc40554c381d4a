"""Ways of asking a language model, by name. Each yields the packed prompt that it answers, then the reply's pieces.

A strategy decides what is asked and in which order; what is shown and what stands is decided after it.
"""

import re
from collections.abc import Callable, Iterator

from rag.errors import GenerationError
from rag.prompt.asking import Asking, merged
from rag.prompt.packing import Packed
from rag.prompt.shield import for_prompt

DIRECT = "direct"
_DRAFTS = 3
_PARTS = 4
_PART_TOKENS, _EXPANSION_TOKENS = 160, 120
_THINKING = 2  # times the room of an answer where it is reasoned first
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.):]|[Qq]\d*[:.])\s*")

Strategy = Callable[[Asking], Iterator[str | Packed]]


def direct(asking: Asking) -> Iterator[str | Packed]:
    """One prompt, one reply. The default: quickest, and right for most questions."""
    packed = asking.prompt("answer", asking.hits, most=asking.answer_tokens)
    yield packed
    yield from asking.reply(packed)


def step_by_step(asking: Asking) -> Iterator[str | Packed]:
    """The model reasons first in a part that is not shown. For comparisons and small calculations; twice as slow."""
    most = _THINKING * asking.answer_tokens
    packed = asking.prompt("step_by_step", asking.hits, most=most)
    yield packed
    yield from asking.reply(packed, most=most)


def least_to_most(asking: Asking) -> Iterator[str | Packed]:
    """Splits a compound question, searches for each part, composes. For "what is X, and how does it differ from Y"."""
    parts = split_parts(asking.aside("split", most=_PART_TOKENS))
    if len(parts) < 2:
        yield from direct(asking)
        return
    hits = merged(asking.hits, *(asking.find(part) for part in parts))
    listed = "\n".join(f"{n}. {for_prompt(part)}" for n, part in enumerate(parts, 1))
    packed = asking.prompt("compose", hits, most=asking.answer_tokens, parts=listed)
    yield packed
    yield from asking.reply(packed)


def draft_and_select(asking: Asking) -> Iterator[str | Packed]:
    """Several drafts with different seeds; the one whose sentences are best supported is kept. For small models.

    It costs as many replies, and nothing is shown before the last.
    """
    packed = asking.prompt("answer", asking.hits, most=asking.answer_tokens)
    yield packed
    drafts, written = [], []
    for n in range(_DRAFTS):
        seed = asking.talk.seed + n if asking.talk.seed is not None else n or None
        try:
            drafts.append(asking.talk.whole(packed.messages, most=asking.answer_tokens, seed=seed))
        except GenerationError as error:
            if not drafts:
                raise
            asking.talk.notes.append(f"Only {len(drafts)} of {_DRAFTS} drafts were written: {error}")
            break
        written.append(asking.talk.written)
        if asking.talk.cancel.is_set():
            break
    checked = [asking.check(draft, packed) for draft in drafts]
    best = max(range(len(drafts)), key=lambda n: (checked[n].share, checked[n].supported, -n))
    asking.talk.written = written[best]
    yield drafts[best]


def expand_query(asking: Asking) -> Iterator[str | Packed]:
    """The model writes what an answer might say; that is searched for and never shown as evidence.

    For questions in other words than the documents'.
    """
    guess = asking.aside("expand", most=_EXPANSION_TOKENS)
    hits = merged(asking.hits, asking.find(f"{asking.question} {guess}")) if guess else asking.hits
    packed = asking.prompt("answer", hits, most=asking.answer_tokens)
    yield packed
    yield from asking.reply(packed)


def split_parts(reply: str) -> tuple[str, ...]:
    """The questions of a reply, one a line, at most four.

    >>> split_parts("1. What is LoRA?\\n- How does it differ from full fine-tuning?")
    ('What is LoRA?', 'How does it differ from full fine-tuning?')
    """
    lines = (_BULLET.sub("", line).strip() for line in reply.splitlines())
    asked = [line for line in lines if len(line.split()) > 1 and line.endswith("?")]
    return tuple(dict.fromkeys(asked))[:_PARTS]


STRATEGIES: dict[str, Strategy] = {
    DIRECT: direct,
    "step_by_step": step_by_step,
    "least_to_most": least_to_most,
    "draft_and_select": draft_and_select,
    "expand_query": expand_query,
}
