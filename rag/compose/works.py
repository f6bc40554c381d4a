"""Answers about the works that a document cites: how many there are, which ones a passage rests on."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from rag.compose.candidate import Candidate, Style, shown_as
from rag.compose.choose import best_within
from rag.query import Query
from rag.schema import BlockKind, Hit, OpenDocument


def count_works(
    ranked: Sequence[Candidate], document: Callable[[str], OpenDocument]
) -> tuple[Candidate, ...]:
    """How many works the document cites, told before the entry that stands for them."""
    for candidate in ranked:
        if candidate.sentence.kind is not BlockKind.ENTRY:
            continue
        if works := document(candidate.hit.chunk.source_id).works:
            shown = f"{len(works)} works are cited, among them: {candidate.text}"
            return (shown_as(candidate, shown),)
    return ()


def works_behind(
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
    passage = best_within(behind or body[:1], {}, replace(style, budget_words=max(room, 1)))
    return (*sorted(passage, key=lambda c: c.place), *cited)
