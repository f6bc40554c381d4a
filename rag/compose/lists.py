"""The items of the list that the best sentences belong to."""

from collections.abc import Callable, Iterable, Sequence

from rag.compose.candidate import Candidate, Style
from rag.query import Query
from rag.schema import Block, BlockKind, OpenDocument
from rag.terms import terms

_NEAR = 50  # blocks; in the roadmap and 65 of the works it cites that have lists, the first item is 1 to 7 further


def list_of(
    ranked: Sequence[Candidate], query: Query, document: Callable[[str], OpenDocument], style: Style
) -> tuple[Candidate, ...]:
    """The items of the list that the best sentences belong to; nothing if they belong to none.

    A question that names one item by its label is about that item, not about its siblings.
    """
    best = ranked[0]
    blocks = document(best.hit.chunk.source_id).blocks
    label = frozenset(terms(blocks[best.sentence.block].label))
    is_lead = _introduces(blocks, best.sentence.block)
    if len(label) > 1 and label <= frozenset(terms(query.focus)) and not is_lead:
        return ()
    voted = _voted_lead(ranked[: style.list_look], document, style)
    if voted is None:
        return ()
    source_id, lead = voted
    opened = document(source_id)
    found: dict[int, list[Candidate]] = {}
    for candidate in sorted(ranked, key=lambda c: c.place):
        if candidate.hit.chunk.source_id == source_id and _is_listed(opened, candidate.sentence.block, lead):
            found.setdefault(candidate.sentence.block, []).append(candidate)
    return _that_fit(found.values(), style) if len(found) >= 2 else ()


def _voted_lead(
    best: Sequence[Candidate], document: Callable[[str], OpenDocument], style: Style
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
    if _introduces(blocks, own):
        return own
    return blocks[own].lead if blocks[own].kind is BlockKind.ITEM else None


def _introduces(blocks: Sequence[Block], n: int) -> bool:
    """Whether a block introduces items. The first stands right behind it, or a few paragraphs of its own later."""
    return any(_is_item_of(n, blocks[at]) for at in range(n + 1, min(n + 1 + _NEAR, len(blocks))))


def _is_listed(document: OpenDocument, n: int, lead: int) -> bool:
    """Whether a block is an item of a list, or of one below an item that only introduces others."""
    block = document.blocks[n]
    if block.kind is not BlockKind.ITEM or block.lead is None:
        return False
    above = document.blocks[block.lead]
    only_opens = _is_item_of(lead, above) and above.span.cut(document.text).endswith(":")
    return block.lead == lead or only_opens


def _is_item_of(lead: int, block: Block) -> bool:
    return block.lead == lead and block.kind is BlockKind.ITEM
