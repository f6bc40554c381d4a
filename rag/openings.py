"""An answer about how the document is built: headings, each with the sentence that opens what stands under it.

Pure over hits that were found by their place (`rag.retrieve.opening_hits`).
"""

from collections.abc import Sequence

from rag.compose import Candidate, shown_as
from rag.schema import Heading, Hit


def tell_openings(
    headings: Sequence[Heading], hits: Sequence[Hit], *, budget_words: int
) -> tuple[Candidate, ...]:
    """The headings as a list; of a single one how it begins, within the budget."""
    first = {
        heading: next((hit for hit in hits if heading.span.holds(hit.chunk.span)), None)
        for heading in headings
    }
    opened = [
        (heading, hit)
        for heading, hit in first.items()
        # A heading without text of its own is told by those below it, where they are told.
        if hit is not None and not any(first[one] is hit for one in _below(heading, headings))
    ]
    if len(opened) == 1:
        return _beginning(opened[0][1], budget_words)
    told = [(heading, Candidate(hit=hit, position=0, worth=0.0)) for heading, hit in opened]
    return tuple(shown_as(one, f"{heading.title}: {one.text}", listed=True) for heading, one in told)


def _below(heading: Heading, headings: Sequence[Heading]) -> list[Heading]:
    return [one for one in headings if one is not heading and heading.span.holds(one.span)]


def _beginning(hit: Hit, budget_words: int) -> tuple[Candidate, ...]:
    told: list[Candidate] = []
    for position in range(len(hit.chunk.sentences)):
        candidate = Candidate(hit=hit, position=position, worth=0.0)
        budget_words -= candidate.n_words
        if told and budget_words < 0:
            break
        told.append(candidate)
    return tuple(told)
