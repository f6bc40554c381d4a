"""A sentence that may be told, what it is worth, and the sizes and weights of an extractive answer.

Pure values, and what can be said of one or two of them without a question.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.schema import BlockKind, Hit, Sentence
from rag.terms import terms

POINTS_BACK = re.compile(
    r"(?:It|Its|They|Their|Them|This|That|These|Those|Such|He|She|His|Her|Here|There|However|Instead)\b"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """Sizes and weights of an extractive answer, chosen as eval/LOG.md says."""

    budget_words: int = 70
    list_words: int = 130
    chunk: float = 0.6  # weight of the chunk's fused score
    sentence: float = 0.4  # of the sentence's own cosine
    coverage: float = 0.1  # of the share of the question's terms that it holds
    fresh: float = 0.15  # of the question's terms that nothing chosen before holds
    fresh_compared: float = 0.6  # the same in a comparison, where both sides have to be told
    adjacent: float = 0.08  # for standing next to a chosen sentence
    elsewhere: float = 0.04  # what a further sentence loses for standing in another section
    aside: float = 0.08  # the same, where it holds nothing asked for that is not told already
    keep: float = 0.72  # a further sentence needs this share of the best one's score
    telling_words: int = 10  # an item's first sentence of fewer words is followed by its second
    repeats: float = 0.3  # what a sentence loses for repeating the last answer of the conversation
    list_look: int = 5  # the best sentences that vote for a list
    list_keep: float = 0.4  # a list is given if its sentences hold this share of the votes


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A sentence of a hit with what it is worth as an answer; `worth` has no unit and compares within one query."""

    hit: Hit
    position: int  # of the sentence in its chunk
    worth: float

    @property
    def sentence(self) -> Sentence:
        return self.hit.chunk.sentences[self.position]

    @property
    def text(self) -> str:
        return self.sentence.shown or self.quote

    @property
    def quote(self) -> str:
        start = self.hit.chunk.span.start
        return self.hit.chunk.text[self.sentence.span.start - start : self.sentence.span.end - start]

    @property
    def n_words(self) -> int:
        return len(self.text.split())

    @property
    def place(self) -> tuple[str, int]:
        return self.hit.chunk.source_id, self.sentence.span.start


def shown_as(candidate: Candidate, shown: str, *, listed: bool = False) -> Candidate:
    """The candidate with another form in which its sentence is shown; `listed`: as an item of a list."""
    chunk, at = candidate.hit.chunk, candidate.position
    kind = BlockKind.ITEM if listed else candidate.sentence.kind
    sentence = replace(candidate.sentence, shown=shown, kind=kind)
    sentences = (*chunk.sentences[:at], sentence, *chunk.sentences[at + 1 :])
    return replace(candidate, hit=replace(candidate.hit, chunk=replace(chunk, sentences=sentences)))


@lru_cache(maxsize=4096)
def _held_in(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def held_terms(candidate: Candidate) -> frozenset[str]:
    """The terms of a sentence and of what leads into it."""
    return _held_in(f"{candidate.sentence.context} {candidate.text}")


def told_terms(candidate: Candidate) -> frozenset[str]:
    """What is told with a sentence: its own terms and those of the heading that it stands under."""
    return held_terms(candidate) | _held_in("".join(candidate.hit.chunk.heading_path[-1:]))


def in_order(chosen: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Documents by their best sentence, sentences as they stand in them."""
    first: dict[str, int] = {}
    for n, candidate in enumerate(sorted(chosen, key=lambda c: (-c.worth, c.place))):
        first.setdefault(candidate.hit.chunk.source_id, n)
    return tuple(sorted(chosen, key=lambda c: (first[c.hit.chunk.source_id], c.sentence.span.start)))
