"""Where a statement goes further than its evidence with its words: absolutes, and comparisons turned round.

Pure, and rules rather than measures: such a statement has nearly all words of its evidence, so that shares of words
speak for it. Only what is plain is noticed; a hedge that was left out without an absolute in its place is not.
"""

import re
from collections.abc import Sequence

from rag.terms import terms

# What makes a claim absolute, and what in the evidence would have it so.
_ABSOLUTE = tuple(
    (re.compile(rf"\b(?:{said})\b", re.IGNORECASE), re.compile(rf"\b(?:{told})\b", re.IGNORECASE))
    for said, told in (
        (
            "always|every|all|invariably",
            r"always|every\w*|all|each|any\w*|invariably|both|whole|constant(?:ly)?|never|none|no|without|regardless",
        ),
        (
            "completely|entirely|fully|totally|wholly|perfectly",
            r"complete(?:ly)?|entire(?:ly)?|full(?:y)?|total(?:ly)?|whol(?:e|ly)|perfect(?:ly)?|all|eliminat\w*",
        ),
        (r"guarante\w+", r"guarante\w+|ensur\w+|certain(?:ly|ty)?|always"),
    )
)
_MORE_THAN = re.compile(r"\b(?:more|less|fewer|\w+er|better|worse)\b", re.IGNORECASE)
_THAN = re.compile(r"\bthan\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[;:.!?]|,? (?:but|while|whereas|although|because)\b", re.IGNORECASE)


def overstated(statement: str, evidence: Sequence[str]) -> tuple[str, ...]:
    """Absolutes of the statement for which the evidence has nothing of the kind, as written.

    >>> overstated("LoRA always helps.", ["LoRA often helps."]), overstated("It always helps.", ["It never fails."])
    (('always',), ())
    """
    told = " ".join(evidence)
    found = (said.search(statement) for said, holds in _ABSOLUTE if not holds.search(told))
    return tuple(match[0] for match in found if match)


def turned_round(statement: str, evidence: Sequence[str]) -> bool:
    """Whether the statement compares the same two things as a sentence of the evidence, the other way round.

    >>> turned_round("Cats are faster than dogs.", ["Dogs are faster than cats."])
    True
    """
    said = _compared(statement)
    if said is None:
        return False
    left, right = said
    for sentence in evidence:
        told = _compared(sentence)
        if told is None:
            continue
        before, after = told
        sides = (left & after, right & before)
        straight = len(left & before) + len(right & after)
        if all(sides) and sum(map(len, sides)) > straight:
            return True
    return False


def _compared(sentence: str) -> tuple[frozenset[str], frozenset[str]] | None:
    """The content words on the two sides of a comparison, without those between comparative and "than"."""
    than = _THAN.search(sentence)
    if than is None:
        return None
    before = _CLAUSE.split(sentence[: than.start()])[-1]
    after = _CLAUSE.split(sentence[than.end() :])[0]
    comparatives = list(_MORE_THAN.finditer(before))
    if not comparatives:
        return None
    return frozenset(terms(before[: comparatives[-1].start()])), frozenset(terms(after))
