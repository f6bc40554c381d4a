"""The sentences that tell most within a number of words, chosen one after the other."""

from collections.abc import Mapping, Sequence

from rag.compose.candidate import POINTS_BACK, Candidate, Style, held_terms, told_terms
from rag.terms import terms

_GAP = 2  # characters of white space between neighbouring sentences


def best_within(
    ranked: Sequence[Candidate],
    asked: Mapping[str, float],
    style: Style,
    *,
    fresh: float = 0.0,
    first: Sequence[Candidate] = (),
) -> list[Candidate]:
    """Greedy: each next sentence is the one worth most, counting what it adds to those chosen, `first` among them.

    Terms of the question that nothing chosen holds yet raise a sentence; standing next to a chosen one does too.
    """
    left = [c for c in ranked if not _is_bare_lead_in(c) and not _repeats(c, asked)] or list(ranked[:1])
    chosen = list(first)
    left = [c for c in left if c not in chosen]
    room = style.budget_words - sum(c.n_words for c in chosen)
    held = frozenset().union(*map(told_terms, chosen))
    missing = {term: weight for term, weight in asked.items() if term not in held}
    while left:
        gains = [_gain(candidate, chosen, missing, style, fresh) for candidate in left]
        gain = max(gains)
        candidate = left.pop(gains.index(gain))
        if chosen and gain < style.keep * ranked[0].worth:
            break
        told = [*(c for c in _antecedent(candidate, ranked) if c not in chosen), candidate]
        if sum(c.n_words for c in told) > room:
            if chosen:
                continue
            told = [candidate]
        chosen += told
        left = [c for c in left if c not in told]
        room -= sum(c.n_words for c in told)
        held = frozenset().union(*map(told_terms, told))
        missing = {term: weight for term, weight in missing.items() if term not in held}
    return chosen


def _antecedent(candidate: Candidate, among: Sequence[Candidate]) -> list[Candidate]:
    """The sentence right before one that opens with "It" or "These".

    Going further back while that one points back too costs more of the budget than it gains (eval/LOG.md).
    """
    if not POINTS_BACK.match(candidate.text):
        return []
    return [other for other in among if _comes_right_before(other, candidate)]


def _comes_right_before(one: Candidate, other: Candidate) -> bool:
    """In the same paragraph or item, if need be in the chunk before."""
    same_block = (
        one.hit.chunk.source_id == other.hit.chunk.source_id and one.sentence.block == other.sentence.block
    )
    return same_block and 0 <= other.sentence.span.start - one.sentence.span.end <= _GAP


def _gain(
    candidate: Candidate,
    chosen: Sequence[Candidate],
    missing: Mapping[str, float],
    style: Style,
    fresh: float,
) -> float:
    gain = candidate.worth
    added = (
        sum(weight for term, weight in missing.items() if term in held_terms(candidate)) if chosen else 0.0
    )
    if chosen and _section(candidate) not in {_section(other) for other in chosen}:
        gain -= style.elsewhere if added else style.aside
    gain += fresh * added
    if any(_stand_together(candidate, other) for other in chosen):
        gain += style.adjacent
    return gain


def _stand_together(one: Candidate, other: Candidate) -> bool:
    return one.hit.row == other.hit.row and abs(one.position - other.position) == 1


def _section(candidate: Candidate) -> tuple[str, str]:
    return candidate.hit.chunk.source_id, candidate.hit.chunk.section_id


def _repeats(candidate: Candidate, asked: Mapping[str, float]) -> bool:
    """Whether a sentence says nothing that the question does not say itself, as a heading or a bare label."""
    return frozenset(terms(candidate.text)) <= asked.keys()


def _is_bare_lead_in(candidate: Candidate) -> bool:
    return candidate.text.endswith(":")
