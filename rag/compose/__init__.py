"""The extractive answerer: picks the sentences, list items or table rows that answer, and joins them readably.

Pure over hits and documents: it writes nothing of its own but list markers, column names, citation labels and how many
works there are, so that every shown sentence is the document's. Never passed off as the work of a language model.
"""

import re
from collections.abc import Callable, Sequence

from rag.compose.candidate import POINTS_BACK, Candidate, Style, in_order, shown_as
from rag.compose.choose import best_within
from rag.compose.lists import list_of
from rag.compose.weigh import Weigh, shares_of_terms, weigh_sentences
from rag.compose.works import count_works, works_behind
from rag.contents import without_number
from rag.query import Query, Wanted
from rag.schema import BlockKind, Hit, OpenDocument
from rag.terms import terms

__all__ = ["POINTS_BACK", "Candidate", "Style", "Weigh", "compose", "shown_as", "weigh_sentences"]


_BEST = 5  # sentences that show where a comparison is told


def compose(
    query: Query,
    hits: Sequence[Hit],
    *,
    document: Callable[[str], OpenDocument],
    weigh: Weigh,
    style: Style | None = None,
) -> tuple[Candidate, ...]:
    """The sentences of the answer in reading order; empty if there is nothing to choose from."""
    style = style or Style()
    ranked = weigh_sentences(query, hits, weigh=weigh, style=style)
    if not ranked:
        return ()
    if query.wanted is Wanted.WORKS:
        works = count_works(ranked, document) if query.counted else ()
        works = works or works_behind(ranked, query, hits, style)
        if works:
            return works
    if query.wanted is Wanted.LIST:
        listed = list_of(ranked, query, document, style)
        if listed:
            return listed
    told = [c for c in ranked if c.sentence.kind is not BlockKind.ENTRY] or ranked[:1]
    asked = shares_of_terms(query, weigh)
    if query.wanted is Wanted.COMPARISON:
        sides = _sides(told, frozenset(terms(query.standalone)), document)
        return in_order(best_within(told, asked, style, fresh=style.fresh_compared, first=sides))
    return in_order(best_within(told, asked, style, fresh=style.fresh))


def _sides(
    ranked: Sequence[Candidate], named: frozenset[str], document: Callable[[str], OpenDocument]
) -> tuple[Candidate, ...]:
    """The best sentence of each item, or else of each section, that bears the name of a side, where both have one.

    A table that has both in its rows needs no sections.
    """

    def label(candidate: Candidate) -> str:
        return document(candidate.hit.chunk.source_id).blocks[candidate.sentence.block].label

    sides = _named_after(ranked, named, label)
    if len(sides) < 2 and not any(candidate.sentence.kind is BlockKind.ROW for candidate in ranked[:_BEST]):
        sides = sides | _named_after(ranked, named, _section_title) | sides
    return tuple(sides.values())[:2] if len(sides) > 1 else ()


def _named_after(
    ranked: Sequence[Candidate], named: frozenset[str], title: Callable[[Candidate], str]
) -> dict[frozenset[str], Candidate]:
    """By the name of a side, its terms, the best sentence below a title that is such a name."""
    best: dict[frozenset[str], Candidate] = {}
    for candidate in ranked:
        names = (frozenset(terms(name)) for name in _names(title(candidate)))
        side = next((name for name in names if name and name <= named), None)
        if side is not None:
            best.setdefault(side, candidate)
    return best


def _section_title(candidate: Candidate) -> str:
    return without_number("".join(candidate.hit.chunk.heading_path[-1:]))


def _names(title: str) -> list[str]:
    """What a title calls its thing: "Retrieval-Augmented Generation (RAG): Grounding LLMs" has two names for it."""
    return re.split(r"[()]", title.partition(":")[0])
