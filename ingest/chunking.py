"""Documents cut into sentences that know their context, and into chunks of whole sentences.

Pure: the embedder's token counter comes in as a function. A chunk never crosses a section and never exceeds the
window that the embedder reads; the shown and quoted text is a slice of the document, while headings and lead-in are
added only to the text that is embedded, as far as they fit (`embedded_text`). A sentence that does not fit even
without them is cut at white space.
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, groupby

from rag.errors import DocumentError
from rag.schema import Block, BlockKind, Chunk, Document, Heading, Mark, Sentence, Span
from rag.sentences import split_sentences
from rag.tables import row_text

CHUNKER_VERSION = 1
_WHOLE = (BlockKind.ROW, BlockKind.ENTRY)  # one sentence each, never joined with another
_WORD = re.compile(r"\S+")
_LONGEST_CONTEXT = 2000  # characters: far more than any window holds, and every sentence carries its own
_MOST_LEADS = 20  # lists inside one another
_LONGEST_CHUNK = 8000  # characters; nothing longer is even counted
_NUMBER = re.compile(r"^(Part [IVXLC]+: |Section \d+: |\d+(\.\d+)*\. )")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkLimits:
    """Sizes in the embedder's own word pieces, context included in `max_tokens` only."""

    target_tokens: int = 96  # of text; a chunk is closed once the next sentence would pass it
    max_tokens: int = 250  # of embedded text: all-MiniLM-L6-v2 reads 256 with its two special tokens


def read_sentences(document: Document) -> Iterator[Sentence]:
    """Every sentence, item sentence, table row and entry of the works cited, in reading order."""
    last_sentence = lru_cache(maxsize=16)(_last_sentence)  # many items share what leads into them
    for index, block in enumerate(document.blocks):
        if block.kind is BlockKind.HEADER:
            continue
        spans = _sentence_spans(document.text, block)
        marks = _marks_within(document.marks, block.span)
        for span in spans:
            yield Sentence(
                span=span,
                kind=block.kind,
                block=index,
                context=_context(document, block, first=span is spans[0], last_sentence=last_sentence),
                shown=_shown(document.text, block),
                references=_references(document, block, span, marks),
            )


def _sentence_spans(text: str, block: Block) -> tuple[Span, ...]:
    if block.kind in _WHOLE:
        return (block.span,) if block.span.cut(text).strip() else ()
    start = block.span.start
    return tuple(
        Span(start=start + s.start, end=start + s.end) for s in split_sentences(block.span.cut(text))
    )


def _marks_within(marks: tuple[Mark, ...], span: Span) -> tuple[Mark, ...]:
    first = bisect_left(marks, span.start + 1, key=lambda mark: mark.offset)
    last = bisect_left(marks, span.end + 1, key=lambda mark: mark.offset)
    return marks[first:last]


def _references(document: Document, block: Block, span: Span, marks: tuple[Mark, ...]) -> tuple[int, ...]:
    """The sentence's own marks, else the next one in its block: a mark speaks for what leads up to it."""
    if block.kind is BlockKind.ENTRY:
        return tuple(work.number for work in document.works if work.span == block.span)
    own = tuple(mark.number for mark in marks if span.start < mark.offset <= span.end)
    return own or tuple(mark.number for mark in marks if mark.offset > span.end)[:1]


def _context(document: Document, block: Block, *, first: bool, last_sentence: Callable[[str], str]) -> str:
    parts = [] if first or not block.label else [block.label]
    lead = block.lead
    while lead is not None and len(parts) < _MOST_LEADS:
        above = document.blocks[lead]
        parts.append(above.label or last_sentence(above.span.cut(document.text)))
        lead = above.lead
    if block.columns:
        parts.append(" / ".join(block.columns[1:]))
    context = " › ".join(part for part in reversed(parts) if part)
    return context if len(context) <= _LONGEST_CONTEXT else ""


def _shown(text: str, block: Block) -> str:
    shown = row_text(text, block) if block.kind is BlockKind.ROW else ""
    return shown if len(shown) <= _LONGEST_CHUNK else ""


def _last_sentence(text: str) -> str:
    return next((span.cut(text) for span in reversed(split_sentences(text))), "")


def chunk_document(
    document: Document, *, limits: ChunkLimits, count_tokens: Callable[[str], int]
) -> tuple[Chunk, ...]:
    """Cut a document into chunks; every sentence is in exactly one of them, in order.

    Args:
        count_tokens: word pieces of a text in the embedder's own tokenizer, special tokens included.

    Raises:
        DocumentError: the window is too small for a single character.
    """
    return tuple(cut_document(document, limits=limits, count_tokens=count_tokens))


def cut_document(
    document: Document, *, limits: ChunkLimits, count_tokens: Callable[[str], int]
) -> Iterator[Chunk]:
    """As `chunk_document`, one chunk at a time."""
    ordinal = 0
    for headings, sentences in groupby(read_sentences(document), key=_Outline(document.headings).path):
        section = _Section(document=document, headings=headings, limits=limits, count_tokens=count_tokens)
        for run in section.runs(sentences):
            yield section.chunk(run, ordinal)
            ordinal += 1


class _Outline:
    """The headings over sentences that come in reading order."""

    def __init__(self, headings: Sequence[Heading]) -> None:
        self._coming = list(reversed(headings))
        self._open: tuple[Heading, ...] = ()

    def path(self, sentence: Sentence) -> tuple[Heading, ...]:
        start = sentence.span.start
        while self._coming and self._coming[-1].span.start <= start:
            self._open = (*self._over(self._coming[-1].span.start), self._coming.pop())
        self._open = self._over(start)
        return self._open

    def _over(self, offset: int) -> tuple[Heading, ...]:
        if all(offset < heading.span.end for heading in self._open):
            return self._open
        return tuple(heading for heading in self._open if offset < heading.span.end)


def heading_path(document: Document, offset: int) -> tuple[Heading, ...]:
    """The headings over an offset, outermost first."""
    return tuple(h for h in document.headings if h.span.start <= offset < h.span.end)


def embedding_prefix(path: tuple[str, ...], context: str) -> str:
    """What is embedded before a chunk's own words: its two innermost headings and its lead-in, one a line."""
    lines = [_NUMBER.sub("", title) for title in path[-2:]] + [context]
    return "".join(f"{line}\n" for line in lines if line)


def embedded_text(
    text: str, *, path: tuple[str, ...], context: str, max_tokens: int, count_tokens: Callable[[str], int]
) -> str:
    """A chunk's words with as much before them as the window holds: lead-in first to go, then the headings."""
    for prefix in (embedding_prefix(path, context), embedding_prefix(path, "")):
        if count_tokens(prefix + text) <= max_tokens:
            return prefix + text
    return text


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
    """What all chunks of one section have in common."""

    document: Document
    headings: tuple[Heading, ...]
    limits: ChunkLimits
    count_tokens: Callable[[str], int]

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(heading.title for heading in self.headings)

    def runs(self, sentences: Iterable[Sentence]) -> Iterator[tuple[Sentence, ...]]:
        """Whole sentences of one block up to the target; short lead-ins go with what they introduce."""
        run: list[Sentence] = []
        for sentence in chain.from_iterable(map(self._parts, sentences)):
            if run and not self._fits(run, sentence):
                yield tuple(run)
                run = []
            run.append(sentence)
        if run:
            yield tuple(run)

    def chunk(self, run: tuple[Sentence, ...], ordinal: int) -> Chunk:
        span = Span(start=run[0].span.start, end=run[-1].span.end)
        text = span.cut(self.document.text)
        source_id = self.document.source.source_id
        key = f"{source_id}\0{span.start}\0{span.end}\0{text}"
        pages = [
            page.number
            for page in self.document.pages
            if page.span.start < span.end and span.start < page.span.end
        ]
        return Chunk(
            chunk_id=hashlib.sha256(key.encode()).hexdigest()[:20],
            source_id=source_id,
            ordinal=ordinal,
            text=text,
            span=span,
            section_id=self.headings[-1].section_id if self.headings else "",
            heading_path=self.path,
            first_page=pages[0] if pages else None,
            last_page=pages[-1] if pages else None,
            n_tokens=self.count_tokens(self._embedded(text, run[0].context)),
            sentences=run,
        )

    def _embedded(self, text: str, context: str) -> str:
        return embedded_text(
            text,
            path=self.path,
            context=context,
            max_tokens=self.limits.max_tokens,
            count_tokens=self.count_tokens,
        )

    def _fits(self, run: list[Sentence], sentence: Sentence) -> bool:
        """Whether a run may go on with a sentence."""
        if sentence.kind in _WHOLE or run[0].kind in _WHOLE:
            return False
        if sentence.span.end - run[0].span.start > _LONGEST_CHUNK:
            return False
        text = self.document.text[run[0].span.start : sentence.span.end]
        if self.count_tokens(embedding_prefix(self.path, run[0].context) + text) > self.limits.max_tokens:
            return False
        if run[-1].block != sentence.block:
            is_lead_in = run[-1].span.cut(self.document.text).endswith(":")
            if not is_lead_in or run[0].block != run[-1].block:
                return False
        return self.count_tokens(text) <= self.limits.target_tokens

    def _parts(self, sentence: Sentence) -> tuple[Sentence, ...]:
        """The sentence, or what it must be cut into to be read whole. Each part keeps context and references."""
        text = sentence.span.cut(self.document.text)
        is_short = len(text) <= _LONGEST_CHUNK
        if is_short and self.count_tokens(self._embedded(text, sentence.context)) <= self.limits.max_tokens:
            return (sentence,)
        prefix = embedding_prefix(self.path, "")
        if 2 * self.count_tokens(prefix) > self.limits.max_tokens:
            prefix = ""  # headings that would leave less than half of the window for the words
        return tuple(
            replace(sentence, span=_shifted(part, sentence.span.start), shown="")
            for part in _cut_at_spaces(text, lambda part: self._holds(prefix + part))
        )

    def _holds(self, text: str) -> bool:
        return self.count_tokens(text) <= self.limits.max_tokens


def _cut_at_spaces(text: str, fits: Callable[[str], bool]) -> Iterator[Span]:
    """Few spans that fit and together hold every character that is not white space.

    Cuts at white space; inside a word only where the word alone does not fit.
    """
    position = 0
    while (word := _WORD.search(text, position)) is not None:
        start = word.start()
        most = start + _LONGEST_CHUNK
        ends = [match.end() for match in _WORD.finditer(text, start, most)]
        if ends[-1] == most and text[most : most + 1].strip():  # inside a word
            ends.pop()
        best = _longest(text, start, ends, fits)
        best = best or _longest(text, start, range(start + 1, min(word.end(), most) + 1), fits)
        if not best:
            raise DocumentError(
                "the embedder's window is too small for a single character", hint="Raise the chunk size."
            )
        yield Span(start=start, end=best)
        position = best


def _longest(text: str, start: int, ends: Sequence[int], fits: Callable[[str], bool]) -> int:
    """The last of the ascending `ends` up to which the text fits; 0 if it fits up to none."""
    found = bisect_left(ends, True, key=lambda end: not fits(text[start:end]))
    while found and not fits(text[start : ends[found - 1]]):  # a tokenizer that is not quite monotonic
        found -= 1
    return ends[found - 1] if found else 0


def _shifted(span: Span, by: int) -> Span:
    return Span(start=span.start + by, end=span.end + by)
