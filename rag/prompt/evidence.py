"""The sentences of a passage, each with its place in the document: what a statement is checked against and quoted from.

Pure over windows and documents.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from rag.passages import Window
from rag.schema import Block, BlockKind, OpenDocument, Span
from rag.sentences import split_sentences
from rag.tables import row_text

_WHOLE = (BlockKind.HEADER, BlockKind.ROW, BlockKind.ENTRY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A sentence of a passage. `text` is how it reads: a table row has its column names; the quote is the span's."""

    span: Span
    text: str
    references: tuple[int, ...]


def told_by(window: Window, document: OpenDocument) -> tuple[Told, ...]:
    """The whole sentences, rows and entries of a window, in reading order."""
    return tuple(
        Told(
            span=span,
            text=_row(document, block) or " ".join(span.cut(document.text).split()),
            references=tuple(
                dict.fromkeys(mark.number for mark in document.marks if span.start < mark.offset <= span.end)
            ),
        )
        for block in _blocks(document, window.span)
        for span in _sentences(document, block, window.span)
    )


def readable(window: Window, document: OpenDocument) -> str:
    """The text of a window with the rows of its tables written out, so that no column name is missing."""
    parts: list[str] = []
    at = window.span.start
    for block in _blocks(document, window.span):
        if window.span.holds(block.span) and (row := _row(document, block)):
            parts += [document.text[at : block.span.start], row]
            at = block.span.end
    return "".join([*parts, document.text[at : window.span.end]])


def _row(document: OpenDocument, block: Block) -> str:
    return row_text(document.text, block) if block.kind is BlockKind.ROW else ""


def _blocks(document: OpenDocument, within: Span) -> Iterator[Block]:
    blocks = document.blocks
    for n in range(bisect_left(blocks, within.start, key=lambda block: block.span.end), len(blocks)):
        if blocks[n].span.start >= within.end:
            return
        yield blocks[n]


def _sentences(document: OpenDocument, block: Block, within: Span) -> Iterator[Span]:
    parts: tuple[Span, ...] = (Span(start=0, end=len(block.span)),)
    if block.kind not in _WHOLE:
        parts = split_sentences(block.span.cut(document.text))
    for part in parts:
        span = Span(start=block.span.start + part.start, end=block.span.start + part.end)
        if within.holds(span):
            yield span
