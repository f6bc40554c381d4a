"""The extractive answerer: picks the sentences, list items or table rows that answer, and joins them readably.

Pure over hits and documents: it writes nothing of its own but list markers, column names and citation labels, so that
every shown sentence is the document's. Never passed off as the work of a language model.
"""

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
        works = _works(ranked, query, hits, style)
        if works:
            return works
    if query.wanted is Wanted.LIST:
        listed = _list_of(ranked, query, document, style)
        if listed:
            return listed
    fresh = style.fresh_compared if query.wanted is Wanted.COMPARISON else style.fresh
    return _in_order(_best_within(ranked, _asked(query, weigh), style, fresh=fresh))


def _best_within(
    ranked: Sequence[Candidate], asked: Mapping[str, float], style: Style, *, fresh: float = 0.0
) -> list[Candidate]:
    """Greedy: each next sentence is the one worth most, counting what it adds to those already chosen.

    Terms of the question that nothing chosen holds yet raise a sentence; standing next to a chosen one does too.
    """
    left = [candidate for candidate in ranked if not _is_bare_lead_in(candidate)] or list(ranked[:1])
    chosen: list[Candidate] = []
    room = style.budget_words
    missing = dict(asked)
    while left:
        gains = [_gain(candidate, chosen, missing, style, fresh) for candidate in left]
        gain = max(gains)
        candidate = left.pop(gains.index(gain))
        if chosen and gain < style.keep * ranked[0].worth:
            break
        if chosen and candidate.n_words > room:
            continue
        chosen.append(candidate)
        room -= candidate.n_words
        missing = {term: weight for term, weight in missing.items() if term not in _held(candidate)}
    return chosen


def _gain(
    candidate: Candidate,
    chosen: Sequence[Candidate],
    missing: Mapping[str, float],
    style: Style,
    fresh: float,
) -> float:
    gain = candidate.worth
    if chosen and _section(candidate) not in {_section(other) for other in chosen}:
        gain -= style.elsewhere
    if chosen and missing:
        gain += fresh * sum(weight for term, weight in missing.items() if term in _held(candidate))
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


def _section(candidate: Candidate) -> tuple[str, str]:
    return candidate.hit.chunk.source_id, candidate.hit.chunk.section_id


def _share_told(candidate: Candidate, told: frozenset[str]) -> float:
    held = _held(candidate)
    return len(held & told) / len(held) if told and held else 0.0


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
