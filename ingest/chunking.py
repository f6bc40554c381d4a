"""Documents cut into sentences that know their context, and into chunks of whole sentences.

Pure: the embedder's token counter comes in as a function. A chunk never crosses a section and never exceeds the
window that the embedder reads; the shown and quoted text is a slice of the document, while title, heading path and
lead-in are added only to the text that is embedded (`embedding_prefix`).
"""

import hashlib
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby

from rag.schema import Block, BlockKind, Chunk, Document, Heading, Mark, Sentence, Span
from rag.sentences import split_sentences

CHUNKER_VERSION = 1
_WHOLE = (BlockKind.ROW, BlockKind.ENTRY)  # never split, never joined
_NUMBER = re.compile(r"^(Part [IVXLC]+: |Section \d+: |\d+(\.\d+)*\. )")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkLimits:
    """Sizes in the embedder's own word pieces, context included in `max_tokens` only."""

    target_tokens: int = 96  # of text; a chunk is closed once the next sentence would pass it
    max_tokens: int = 250  # of embedded text: all-MiniLM-L6-v2 reads 256 with its two special tokens


def read_sentences(document: Document) -> tuple[Sentence, ...]:
    """Every sentence, item sentence, table row and entry of the works cited, in reading order."""
    found: list[Sentence] = []
    for index, block in enumerate(document.blocks):
        if block.kind is BlockKind.HEADER:
            continue
        spans = _sentence_spans(document.text, block)
        marks = _marks_within(document.marks, block.span)
        for span in spans:
            found.append(
                Sentence(
                    span=span,
                    kind=block.kind,
                    block=index,
                    context=_context(document, block, first=span is spans[0]),
                    shown=_shown_row(document.text, block) if block.kind is BlockKind.ROW else "",
                    references=_references(document, block, span, marks),
                )
            )
    return tuple(found)


def _sentence_spans(text: str, block: Block) -> tuple[Span, ...]:
    if block.kind in (BlockKind.ROW, BlockKind.ENTRY):
        return (block.span,)
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


def _context(document: Document, block: Block, *, first: bool) -> str:
    parts = [] if first or not block.label else [block.label]
    lead = block.lead
    while lead is not None:
        above = document.blocks[lead]
        parts.append(
            above.label
            or split_sentences(above.span.cut(document.text))[-1].cut(above.span.cut(document.text))
        )
        lead = above.lead
    if block.columns:
        parts.append(" / ".join(block.columns[1:]))
    return " › ".join(reversed(parts))


def _shown_row(text: str, block: Block) -> str:
    cells = [cell.cut(text) for cell in block.cells]
    named = zip(block.columns[1:], cells[1:], strict=False)
    return f"{cells[0]} — " + " ".join(f"{name}: {cell.rstrip('.')}." for name, cell in named)


def chunk_document(
    document: Document, *, limits: ChunkLimits, count_tokens: Callable[[str], int]
) -> tuple[Chunk, ...]:
    """Cut a document into chunks; every sentence is in exactly one of them, in order.

    Args:
        count_tokens: word pieces of a text in the embedder's own tokenizer, special tokens included.

    Raises:
        DocumentError: a single sentence is longer than the embedder's window even without its context.
    """
    chunks: list[Chunk] = []
    sections = groupby(read_sentences(document), key=lambda s: heading_path(document, s.span.start))
    for headings, sentences in sections:
        for run in _runs(document, headings, list(sentences), limits, count_tokens):
            chunks.append(_chunk(document, headings, run, len(chunks), count_tokens))
    return tuple(chunks)


def heading_path(document: Document, offset: int) -> tuple[Heading, ...]:
    """The headings over an offset, outermost first."""
    return tuple(h for h in document.headings if h.span.start <= offset < h.span.end)


def embedding_prefix(path: tuple[str, ...], context: str) -> str:
    """What is embedded before a chunk's own words: its two innermost headings and its lead-in, one a line."""
    lines = [_NUMBER.sub("", title) for title in path[-2:]] + [context]
    return "".join(f"{line}\n" for line in lines if line)


def _runs(
    document: Document,
    headings: tuple[Heading, ...],
    sentences: list[Sentence],
    limits: ChunkLimits,
    count_tokens: Callable[[str], int],
) -> Iterator[tuple[Sentence, ...]]:
    """Whole sentences of one block up to the target; short lead-ins go with what they introduce."""
    run: list[Sentence] = []
    for sentence in sentences:
        if run and not _fits(document, headings, run, sentence, limits, count_tokens):
            yield tuple(run)
            run = []
        run.append(sentence)
    if run:
        yield tuple(run)


def _fits(
    document: Document,
    headings: tuple[Heading, ...],
    run: list[Sentence],
    sentence: Sentence,
    limits: ChunkLimits,
    count_tokens: Callable[[str], int],
) -> bool:
    if sentence.kind in _WHOLE or run[0].kind in _WHOLE:
        return False
    text = document.text[run[0].span.start : sentence.span.end]
    path = tuple(heading.title for heading in headings)
    if count_tokens(embedding_prefix(path, run[0].context) + text) > limits.max_tokens:
        return False
    if run[-1].block != sentence.block:
        is_lead_in = document.text[run[-1].span.start : run[-1].span.end].endswith(":")
        return is_lead_in and run[0].block == run[-1].block and count_tokens(text) <= limits.target_tokens
    return count_tokens(text) <= limits.target_tokens


def _chunk(
    document: Document,
    headings: tuple[Heading, ...],
    run: tuple[Sentence, ...],
    ordinal: int,
    count_tokens: Callable[[str], int],
) -> Chunk:
    span = Span(start=run[0].span.start, end=run[-1].span.end)
    text = span.cut(document.text)
    path = tuple(heading.title for heading in headings)
    key = f"{document.source.source_id}\0{span.start}\0{span.end}\0{text}"
    pages = [
        page.number for page in document.pages if page.span.start < span.end and span.start < page.span.end
    ]
    return Chunk(
        chunk_id=hashlib.sha256(key.encode()).hexdigest()[:20],
        source_id=document.source.source_id,
        ordinal=ordinal,
        text=text,
        span=span,
        section_id=headings[-1].section_id if headings else "",
        heading_path=path,
        first_page=pages[0] if pages else None,
        last_page=pages[-1] if pages else None,
        n_tokens=count_tokens(embedding_prefix(path, run[0].context) + text),
        sentences=run,
    )
