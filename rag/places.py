"""Finding what answers a question about a document's build: by place and by words, never by likeness.

All scores of these hits are 0, but that of the sentence that is to be told.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice

from rag.contents import Contents, Tells, contents_asked
from rag.index.reader import Index
from rag.passages import Scope
from rag.retrieve import rows_in
from rag.schema import BlockKind, Chunk, Heading, Hit, Scores, Sentence
from rag.terms import STOP_WORDS, stem, words

_MOST_PLACES = 5
_ENDING = 3  # letters by which two forms of a word may differ

Looked = tuple[Contents, tuple[Hit, ...]]


def look_up(index: Index, question: str) -> Looked | None:
    """What answers a question about how a document is built, with the hits to tell it from.

    None where it asks something else. Contents without headings say what the document does not have.
    """
    for source_id, (_, title) in index.titles.items():
        contents = contents_asked(question, index.outline(source_id).headings, title=title)
        if contents is None:
            continue
        if contents.tells is Tells.OPENINGS:
            return contents, _openings(index, source_id, contents.headings)
        if contents.tells is Tells.WORKS:
            return _works(index, source_id, contents)
        if (found := _mentions(index, source_id, contents)) is not None:
            return found
    return None


def _openings(index: Index, source_id: str, headings: Sequence[Heading]) -> tuple[Hit, ...]:
    """The first chunk under each heading. A heading without text has none."""
    rows = [rows_in(index, Scope(source_id=source_id, section_id=heading.section_id)) for heading in headings]
    return _hits(index, source_id, {int(inside[0]): 0 for inside in rows if len(inside)})


def _works(index: Index, source_id: str, contents: Contents) -> Looked:
    """The entries of the works that are cited under a heading, in their own order."""
    (own,) = contents.headings
    rows = rows_in(index, Scope(source_id=source_id)).tolist()
    chunks = dict(zip(rows, index.chunks(rows), strict=True))
    inside = [chunk for chunk in chunks.values() if own.span.holds(chunk.span)]
    cited = {number for chunk in inside for sentence in chunk.sentences for number in sentence.references}
    entries = {
        row: 0 for row, chunk in chunks.items() if _is_entry(chunk) and _cites(chunk.sentences[0], cited)
    }
    if not entries:
        begun = replace(
            contents, tells=Tells.OPENINGS, titled=True, opening="No work is cited in this section:"
        )
        return begun, _openings(index, source_id, (own,))
    n = len(entries)
    opening = f"“{own.title}” cites {n} work{'' if n == 1 else 's'}:"
    return replace(contents, opening=opening), _hits(index, source_id, entries)


def _mentions(index: Index, source_id: str, contents: Contents) -> Looked | None:
    """The sections that hold a topic or cite a work, those named after it first, each with its first such sentence."""
    headings = index.outline(source_id).headings
    rows = rows_in(index, Scope(source_id=source_id)).tolist()
    topic = _spoken(contents.topic)
    first: dict[str, tuple[int, int]] = {}
    often: dict[str, int] = {}
    for row, chunk in zip(rows, index.chunks(rows), strict=True):
        if _is_entry(chunk):
            continue
        for position, sentence in enumerate(chunk.sentences):
            if _cites(sentence, {contents.work}) if contents.work else _holds(_text(chunk, sentence), topic):
                first.setdefault(chunk.section_id, (row, position))
                often[chunk.section_id] = often.get(chunk.section_id, 0) + 1
    named = [one for one in headings if topic and one.section_id in first and _holds(one.title, topic)]
    others = [one for one in headings if one.section_id in first and one not in named]
    others.sort(key=lambda one: -often[one.section_id])
    chosen = tuple(islice((*named, *others), _MOST_PLACES))
    if not chosen:
        unheard = not all(_knows(index, word) for word in topic)
        absent = contents.absent if contents.work or unheard else ""
        return (replace(contents, absent=absent), ()) if absent else None
    told = dict(first[heading.section_id] for heading in chosen)
    opening = _opening(contents, len(first), len(chosen))
    return replace(contents, headings=chosen, opening=opening), _hits(index, source_id, told)


def _opening(contents: Contents, n: int, n_told: int) -> str:
    what = f"Work {contents.work} is cited" if contents.work else f"“{contents.topic}” is spoken of"
    which = ", among them" if n_told < n else ""
    return f"{what} in {n} section{'' if n == 1 else 's'}{which}:"


def _hits(index: Index, source_id: str, told: Mapping[int, int]) -> tuple[Hit, ...]:
    """Hits of these rows, in their order; of each the position of the sentence to tell."""
    path, title = index.titles[source_id]
    return tuple(
        Hit(
            rank=rank,
            row=index.first_row + row,
            chunk=chunk,
            title=title,
            path=path,
            scores=Scores(dense=0.0, lexical=0.0, fused=0.0),
            sentence_scores=tuple(float(n == told[row]) for n in range(len(chunk.sentences))),
        )
        for rank, (row, chunk) in enumerate(zip(told, index.chunks(list(told)), strict=True), 1)
    )


def _is_entry(chunk: Chunk) -> bool:
    return chunk.sentences[0].kind is BlockKind.ENTRY


def _cites(sentence: Sentence, numbers: set[int | None] | set[int]) -> bool:
    return not numbers.isdisjoint(sentence.references)


def _text(chunk: Chunk, sentence: Sentence) -> str:
    start = chunk.span.start
    return chunk.text[sentence.span.start - start : sentence.span.end - start]


# --- a topic in a sentence --------------------------------------------------------------------------------------------


def _spoken(text: str) -> list[str]:
    """Its words that carry a topic, compounds in their parts."""
    parts = (part for word in words(text) for part in re.split(r"[-.]", word.removesuffix("'s")) if part)
    return [part for part in parts if part not in STOP_WORDS]


def _holds(text: str, topic: Sequence[str]) -> bool:
    """Whether all words of a topic stand next to each other in a text, in whatever order and form."""
    spoken, n = _spoken(text), len(topic)
    return any(_are_alike(spoken[at : at + n], topic) for at in range(len(spoken) - n + 1))


def _are_alike(some: Sequence[str], others: Sequence[str]) -> bool:
    return all(any(_is_form(one, other) for other in others) for one in some) and all(
        any(_is_form(one, other) for one in some) for other in others
    )


def _is_form(one: str, other: str) -> bool:
    """Whether two words are forms of one: the same stem, and hardly more than another ending."""
    if stem(one) != stem(other):
        return False
    shared = next(
        (n for n, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    return shared >= max(len(one), len(other)) - _ENDING


def _knows(index: Index, word: str) -> bool:
    return any(_is_form(word, known) for known in index.lexical.word_counts)
