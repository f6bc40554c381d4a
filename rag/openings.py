"""An answer about how the document is built: headings, each with a sentence that stands under it; or works cited.

Pure over hits that were found by their place (`rag.places`).
"""

from collections.abc import Iterable, Sequence

from rag.compose import Candidate, shown_as
from rag.contents import Contents, Tells
from rag.schema import Heading, Hit


def tell_openings(contents: Contents, hits: Sequence[Hit], *, budget_words: int) -> tuple[Candidate, ...]:
    """The headings as a list; of a single one how it begins, within the budget; or the works cited under it."""
    if contents.tells is Tells.WORKS:
        return tuple(_told(hit) for hit in hits)
    if contents.tells is Tells.MENTIONS:
        return _under(zip(contents.headings, hits, strict=True))
    first = {
        heading: next((hit for hit in hits if heading.span.holds(hit.chunk.span)), None)
        for heading in contents.headings
    }
    opened = [
        (heading, hit)
        for heading, hit in first.items()
        # A heading without text of its own is told by those below it, where they are told.
        if hit is not None and not any(first[one] is hit for one in _below(heading, contents.headings))
    ]
    if len(opened) == 1 and not contents.titled:
        return _beginning(opened[0][1], budget_words)
    return _under(opened)


def _under(told: Iterable[tuple[Heading, Hit]]) -> tuple[Candidate, ...]:
    """Each heading with the sentence that is to be told under it."""
    placed = [(heading, _told(hit)) for heading, hit in told]
    return tuple(shown_as(one, f"{heading.title}: {one.text}", listed=True) for heading, one in placed)


def _told(hit: Hit) -> Candidate:
    scores = hit.sentence_scores
    return Candidate(hit=hit, position=scores.index(max(scores)), worth=0.0)


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
