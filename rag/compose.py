"""The extractive answerer: picks the sentences, list items or table rows that answer, and joins them readably.

Pure over hits and documents: it writes nothing of its own but list markers, column names, citation labels and how many
works there are, so that every shown sentence is the document's. Never passed off as the work of a language model.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from rag.query import Query, Wanted
from rag.schema import Block, BlockKind, Document, Hit, Sentence
from rag.terms import distinct, terms


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


POINTS_BACK = re.compile(
    r"(?:It|Its|They|Their|Them|This|That|These|Those|Such|He|She|His|Her|Here|There|However|Instead)\b"
)
_GAP = 2  # characters of white space between neighbouring sentences
Weigh = Callable[[str], float]  # a term's weight, such as its inverse document frequency


def weigh_sentences(
    query: Query, hits: Sequence[Hit], *, weigh: Weigh, style: Style
) -> tuple[Candidate, ...]:
    """Every sentence of the hits, the worthiest first."""
    asked = _asked(query, weigh)
    told = frozenset(terms(query.told))
    found = []
    for hit in hits:
        for position, cosine in enumerate(hit.sentence_scores):
            candidate = Candidate(hit=hit, position=position, worth=0.0)
            coverage = sum(weight for term, weight in asked.items() if term in _held(candidate))
            worth = style.chunk * hit.scores.fused + style.sentence * cosine + style.coverage * coverage
            worth -= style.repeats * _share_told(candidate, told)
            found.append(replace(candidate, worth=worth))
    return tuple(sorted(found, key=lambda c: (-c.worth, c.place)))


def _asked(query: Query, weigh: Weigh) -> dict[str, float]:
    """The question's terms with their share of its weight; the shares sum to 1."""
    asked = distinct(terms(f"{query.focus} {query.background}" if query.background else query.focus))
    total = sum(weigh(term) for term in asked) or 1.0
    return {term: weigh(term) / total for term in asked}


def compose(
    query: Query,
    hits: Sequence[Hit],
    *,
    document: Callable[[str], Document],
    weigh: Weigh,
    style: Style | None = None,
) -> tuple[Candidate, ...]:
    """The sentences of the answer in reading order; empty if there is nothing to choose from."""
    style = style or Style()
    ranked = weigh_sentences(query, hits, weigh=weigh, style=style)
    if not ranked:
        return ()
    if query.wanted is Wanted.WORKS:
        works = _counted(ranked, document) if query.counted else ()
        works = works or _works(ranked, query, hits, style)
        if works:
            return works
    if query.wanted is Wanted.LIST:
        listed = _list_of(ranked, query, document, style)
        if listed:
            return listed
    told = [c for c in ranked if c.sentence.kind is not BlockKind.ENTRY] or ranked[:1]
    asked = _asked(query, weigh)
    if query.wanted is Wanted.COMPARISON:
        sides = _sides(told, frozenset(terms(query.standalone)), document)
        return _in_order(_best_within(told, asked, style, fresh=style.fresh_compared, first=sides))
    return _in_order(_best_within(told, asked, style, fresh=style.fresh))


def _sides(
    ranked: Sequence[Candidate], named: frozenset[str], document: Callable[[str], Document]
) -> tuple[Candidate, ...]:
    """The best sentence of each item that bears the name of a side, where both sides of a comparison have one."""
    best: dict[frozenset[str], Candidate] = {}
    for candidate in ranked:
        block = document(candidate.hit.chunk.source_id).blocks[candidate.sentence.block]
        label = frozenset(terms(block.label))
        if label and label <= named:
            best.setdefault(label, candidate)
    return tuple(best.values())[:2] if len(best) > 1 else ()


def _best_within(
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
    held = frozenset().union(*map(_told_by, chosen))
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
        held = frozenset().union(*map(_told_by, told))
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
    added = sum(weight for term, weight in missing.items() if term in _held(candidate)) if chosen else 0.0
    if chosen and _section(candidate) not in {_section(other) for other in chosen}:
        gain -= style.elsewhere if added else style.aside
    gain += fresh * added
    if any(_stand_together(candidate, other) for other in chosen):
        gain += style.adjacent
    return gain


def _stand_together(one: Candidate, other: Candidate) -> bool:
    return one.hit.row == other.hit.row and abs(one.position - other.position) == 1


@lru_cache(maxsize=4096)
def _held_in(text: str) -> frozenset[str]:
    return frozenset(terms(text))


def _held(candidate: Candidate) -> frozenset[str]:
    return _held_in(f"{candidate.sentence.context} {candidate.text}")


def _told_by(candidate: Candidate) -> frozenset[str]:
    """What is told with a sentence: its own terms and those of the heading that it stands under."""
    return _held(candidate) | _held_in("".join(candidate.hit.chunk.heading_path[-1:]))


def _section(candidate: Candidate) -> tuple[str, str]:
    return candidate.hit.chunk.source_id, candidate.hit.chunk.section_id


def _share_told(candidate: Candidate, told: frozenset[str]) -> float:
    held = _held(candidate)
    return len(held & told) / len(held) if told and held else 0.0


def _counted(ranked: Sequence[Candidate], document: Callable[[str], Document]) -> tuple[Candidate, ...]:
    """How many works the document cites, told before the entry that stands for them."""
    for candidate in ranked:
        if candidate.sentence.kind is not BlockKind.ENTRY:
            continue
        if works := document(candidate.hit.chunk.source_id).works:
            shown = f"{len(works)} works are cited, among them: {candidate.text}"
            return (shown_as(candidate, shown),)
    return ()


def shown_as(candidate: Candidate, shown: str, *, listed: bool = False) -> Candidate:
    """The candidate with another form in which its sentence is shown; `listed`: as an item of a list."""
    chunk, at = candidate.hit.chunk, candidate.position
    kind = BlockKind.ITEM if listed else candidate.sentence.kind
    sentence = replace(candidate.sentence, shown=shown, kind=kind)
    sentences = (*chunk.sentences[:at], sentence, *chunk.sentences[at + 1 :])
    return replace(candidate, hit=replace(candidate.hit, chunk=replace(chunk, sentences=sentences)))


def _works(
    ranked: Sequence[Candidate], query: Query, hits: Sequence[Hit], style: Style
) -> tuple[Candidate, ...]:
    """A question about sources: the best passage and the entries that it cites, or the entries asked for."""
    entries = [c for hit in hits for c in ranked if c.hit is hit and c.sentence.kind is BlockKind.ENTRY]
    body = [c for c in ranked if c.sentence.kind is not BlockKind.ENTRY]
    if not entries:
        return ()
    if query.numbers:
        return tuple(e for e in entries if set(e.sentence.references) & set(query.numbers))
    if hits[0].chunk.sentences[0].kind is BlockKind.ENTRY or not body:
        close = [e for e in entries if e.hit.scores.fused >= 0.9 * entries[0].hit.scores.fused]
        return tuple(close[:2])
    wanted = set(body[0].sentence.references)
    cited = [e for e in entries if set(e.sentence.references) & wanted]
    room = style.budget_words - sum(entry.n_words for entry in cited)
    behind = [c for c in body if wanted & set(c.sentence.references) and c.hit.row == body[0].hit.row]
    passage = _best_within(behind or body[:1], {}, replace(style, budget_words=max(room, 1)))
    return (*sorted(passage, key=lambda c: c.place), *cited)


def _repeats(candidate: Candidate, asked: Mapping[str, float]) -> bool:
    """Whether a sentence says nothing that the question does not say itself, as a heading or a bare label."""
    return frozenset(terms(candidate.text)) <= asked.keys()


def _is_bare_lead_in(candidate: Candidate) -> bool:
    return candidate.text.endswith(":")


def _in_order(chosen: Sequence[Candidate]) -> tuple[Candidate, ...]:
    """Documents by their best sentence, sentences as they stand in them."""
    first: dict[str, int] = {}
    for n, candidate in enumerate(sorted(chosen, key=lambda c: (-c.worth, c.place))):
        first.setdefault(candidate.hit.chunk.source_id, n)
    return tuple(sorted(chosen, key=lambda c: (first[c.hit.chunk.source_id], c.sentence.span.start)))


def _list_of(
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
