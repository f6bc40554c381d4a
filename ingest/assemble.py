"""From the pieces a loader recognised to a `Document`: one text and exact offsets into it.

Knows no file format. A loader hands over pieces in reading order, each already free of markup; this module lays
them out as plain text, places blocks, headings and reference marks, and checks nothing but their order.
"""

import hashlib
from dataclasses import dataclass
from pathlib import PurePosixPath

from rag.schema import Block, BlockKind, Document, Heading, Mark, Page, Source, Span, Work

_INDENT = "  "


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A heading (`level` > 0) or a block of text. `marks` are (offset in `text`, reference number)."""

    text: str
    kind: BlockKind = BlockKind.PARAGRAPH
    level: int = 0
    section_id: str = ""
    marks: tuple[tuple[int, int], ...] = ()
    depth: int = 0
    marker: str = ""
    label: str = ""
    lead: int | None = None  # index of the piece that introduces this one
    page: int | None = None  # 1-based, where the source has pages
    columns: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()  # of a row; `text` is then their join by tabs
    cell_of: tuple[int, ...] = ()  # the column of each of `cells`, if that is not 0, 1, 2, …


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedWork:
    """A work of the list of works cited and the piece that prints it."""

    number: int
    title: str
    url: str
    text_fragment: str | None
    accessed: str | None
    piece: int


def make_source(path: str, data: bytes, *, media_type: str) -> Source:
    """The identity of a source: its path or URL, and the hash of its bytes."""
    return Source(
        source_id=hashlib.sha256(path.encode()).hexdigest()[:16],
        path=path,
        media_type=media_type,
        content_sha256=hashlib.sha256(data).hexdigest(),
        size_bytes=len(data),
    )


def assemble(
    source: Source,
    pieces: tuple[Piece, ...],
    *,
    title: str = "",
    works: tuple[CitedWork, ...] = (),
    notes: tuple[str, ...] = (),
) -> Document:
    """Lay the pieces out as one text.

    Headings and paragraphs stand apart by a blank line, items and rows by a line end. Block spans leave out
    indent and list marker, so that a block's characters are its own words.
    """
    text, spans = _lay_out(pieces)
    block_of = {i: n for n, i in enumerate(i for i, p in enumerate(pieces) if not p.level)}
    blocks = tuple(_block(p, spans[i], block_of) for i, p in enumerate(pieces) if not p.level)
    marks = tuple(
        Mark(number=number, offset=spans[i].start + offset)
        for i, piece in enumerate(pieces)
        for offset, number in piece.marks
    )
    return Document(
        source=source,
        title=title or PurePosixPath(source.path).stem,
        text=text,
        headings=_headings(pieces, spans, len(text)),
        blocks=blocks,
        marks=marks,
        works=tuple(_work(w, spans[w.piece]) for w in works),
        pages=_pages(pieces, spans, len(text)),
        notes=notes,
    )


def _pages(pieces: tuple[Piece, ...], spans: list[Span], end_of_text: int) -> tuple[Page, ...]:
    """Pages in order, without gaps: each runs from its first piece to the first piece of the next."""
    firsts: dict[int, int] = {}
    for piece, span in zip(pieces, spans, strict=True):
        if piece.page is not None:
            firsts.setdefault(piece.page, span.start)
    starts = sorted(firsts.items(), key=lambda item: item[1])
    ends = [*(start for _, start in starts[1:]), end_of_text][: len(starts)]
    return tuple(
        Page(number=number, span=Span(start=start, end=end))
        for (number, start), end in zip(starts, ends, strict=True)
    )


def _lay_out(pieces: tuple[Piece, ...]) -> tuple[str, list[Span]]:
    parts: list[str] = []
    spans: list[Span] = []
    position = 0
    before: Piece | None = None
    for piece in pieces:
        opening = _separator(before, piece)
        if piece.kind in (BlockKind.ITEM, BlockKind.ENTRY):
            opening += _INDENT * piece.depth + (f"{piece.marker} " if piece.marker else "")
        parts += [opening, piece.text]
        start = position + len(opening)
        position = start + len(piece.text)
        spans.append(Span(start=start, end=position))
        before = piece
    return "".join(parts), spans


def _separator(before: Piece | None, piece: Piece) -> str:
    if before is None:
        return ""
    if before.level or piece.level:
        return "\n\n"
    tabular = {BlockKind.HEADER, BlockKind.ROW}
    in_table = before.kind in tabular and piece.kind is BlockKind.ROW
    in_list = before.kind == piece.kind and piece.kind in (BlockKind.ITEM, BlockKind.ENTRY)
    return "\n" if in_table or in_list else "\n\n"


def _block(piece: Piece, span: Span, block_of: dict[int, int]) -> Block:
    return Block(
        kind=piece.kind,
        span=span,
        depth=piece.depth,
        marker=piece.marker,
        label=piece.label,
        lead=None if piece.lead is None else block_of[piece.lead],
        columns=piece.columns,
        cells=_cells(piece, span.start),
    )


def _cells(piece: Piece, start: int) -> tuple[tuple[Span, ...], ...]:
    places = piece.cell_of or tuple(range(len(piece.cells)))
    grouped: list[list[Span]] = [[] for _ in range(max(places, default=-1) + 1)]
    for place, cell in zip(places, piece.cells, strict=True):
        grouped[place].append(Span(start=start, end=start + len(cell)))
        start += len(cell) + 1
    return tuple(tuple(spans) for spans in grouped)


def _headings(pieces: tuple[Piece, ...], spans: list[Span], end_of_text: int) -> tuple[Heading, ...]:
    """Each ends where the next one of its level or above begins; found from the last to the first, in one pass."""
    headings: list[Heading] = []
    below: list[
        tuple[int, int]
    ] = []  # (level, start) of the headings behind that may end one; the nearest last
    for piece, span in zip(reversed(pieces), reversed(spans), strict=True):
        if not piece.level:
            continue
        while below and below[-1][0] > piece.level:
            below.pop()
        end = below[-1][1] if below else end_of_text
        below.append((piece.level, span.start))
        headings.append(
            Heading(
                section_id=piece.section_id,
                level=piece.level,
                title=piece.text,
                span=Span(start=span.start, end=end),
            )
        )
    return tuple(reversed(headings))


def _work(work: CitedWork, span: Span) -> Work:
    return Work(
        number=work.number,
        title=work.title,
        url=work.url,
        text_fragment=work.text_fragment,
        accessed=work.accessed,
        span=span,
    )
