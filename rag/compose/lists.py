"""The items of the list that the best sentences belong to."""

from collections.abc import Callable, Iterable, Sequence

from rag.compose.candidate import Candidate, Style
from rag.query import Query
from rag.schema import Block, BlockKind, Document
from rag.terms import terms


def list_of(
    ranked: Sequence[Candidate], query: Query, document: Callable[[str], Document], style: Style
) -> tuple[Candidate, ...]:
    """The items of the list that the best sentences belong to; nothing if they belong to none.

    A question that names one item by its label is about that item, not about its siblings.
    """
    best = ranked[0]
    blocks = document(best.hit.chunk.source_id).blocks
    label = frozenset(terms(blocks[best.sentence.block].label))
    is_lead = bool(_items_under(blocks, best.sentence.block))
    if len(label) > 1 and label <= frozenset(terms(query.focus)) and not is_lead:
        return ()
    voted = _voted_lead(ranked[: style.list_look], document, style)
    if voted is None:
        return ()
    source_id, lead = voted
    items = _list_items(document(source_id), lead)
    found: dict[int, list[Candidate]] = {}
    for candidate in sorted(ranked, key=lambda c: c.place):
        if candidate.hit.chunk.source_id == source_id and candidate.sentence.block in items:
            found.setdefault(candidate.sentence.block, []).append(candidate)
    return _that_fit(found.values(), style) if len(found) >= 2 else ()


def _voted_lead(
    best: Sequence[Candidate], document: Callable[[str], Document], style: Style
) -> tuple[str, int] | None:
    """The source and block that introduce the list which most of the best sentences are part of, by worth."""
    votes: dict[tuple[str, int], float] = {}
    for candidate in best:
        lead = _list_lead(candidate, document(candidate.hit.chunk.source_id).blocks)
        if lead is not None:
            key = (candidate.hit.chunk.source_id, lead)
            votes[key] = votes.get(key, 0.0) + candidate.worth
    if not votes:
        return None
    key, vote = max(votes.items(), key=lambda item: (item[1], item[0]))
    return key if vote >= style.list_keep * sum(candidate.worth for candidate in best) else None


def _that_fit(items: Iterable[Sequence[Candidate]], style: Style) -> tuple[Candidate, ...]:
    """What is shown of each item, as long as there is room."""
    chosen: list[Candidate] = []
    room = style.list_words
    for sentences in items:
        for candidate in _opening(sentences, style):
            if candidate.n_words <= room:
                chosen.append(candidate)
                room -= candidate.n_words
    return tuple(chosen)


def _opening(sentences: Sequence[Candidate], style: Style) -> Sequence[Candidate]:
    """What is shown of an item: its first sentence, and the second where the first says too little."""
    return sentences[: 1 if sentences[0].n_words >= style.telling_words else 2]


def _list_lead(candidate: Candidate, blocks: Sequence[Block]) -> int | None:
    """The block that introduces the list which a sentence is part of: the block itself, or the one over it."""
    own = candidate.sentence.block
    if _items_under(blocks, own):
        return own
    return blocks[own].lead if blocks[own].kind is BlockKind.ITEM else None


def _list_items(document: Document, lead: int) -> frozenset[int]:
    """The items of a list, and below those that only introduce others, these others."""
    items = _items_under(document.blocks, lead)
    opening = [n for n in items if document.blocks[n].span.cut(document.text).endswith(":")]
    return items.union(*(_items_under(document.blocks, n) for n in opening))


def _items_under(blocks: Sequence[Block], lead: int) -> frozenset[int]:
    return frozenset(
        n for n, block in enumerate(blocks) if block.lead == lead and block.kind is BlockKind.ITEM
    )
