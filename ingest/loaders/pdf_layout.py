"""From a PDF's lines to pieces: pure geometry and punctuation; knows no PDF, no process and no file.

Running heads and page numbers go, lines become paragraphs and list items again, across columns and pages too;
words parted at line ends and ligatures are mended; headings are told by size, weight and number. Tables and
displayed formulas come out as plain lines: their inner order is not restored. What was left out is in `notes`.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from ingest.assemble import Piece
from ingest.loaders.pdf_headings import (
    BULLETS,
    Around,
    Fonts,
    is_heading,
    measure,
    same_heading,
    section_name,
    style,
    usual_width,
)
from ingest.loaders.pdf_lines import MARK, Span
from ingest.loaders.pdf_running import PageLines, drop_running
from rag.schema import BlockKind

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st", "\xa0": " "}
)
_ITEM = re.compile(rf"([{BULLETS}]|[-–*](?=\s)|\(?\d{{1,3}}[.)](?=\s)|\(?[a-z]\)(?=\s))\s*(.*)")
_FINISHED = re.compile("[.!?:…][\"'”’)\\]]*(?:\ue000\\d+\ue001)*$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BROKEN = re.compile(r"([^\W\d_]+(?:-[^\W\d_]+)*)[-\u2010\xad]$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    pieces: tuple[Piece, ...]
    title: str  # the largest heading of the first page, or nothing
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Lines that belong together, all on one page save where a sentence ran over its end."""

    kind: BlockKind
    lines: tuple[Span, ...]
    page: int  # where it begins
    last_page: int
    is_heading: bool = False
    marker: str = ""


def lay_out(pages: tuple[PageLines, ...]) -> Layout:
    """Pieces in reading order."""
    mended = tuple(replace(page, lines=tuple(map(_mend, page.lines))) for page in pages)
    kept, notes = drop_running(mended)
    lines = [line for page in kept for line in page.lines]
    if not lines:
        return Layout(pieces=(), title="", notes=notes)
    fonts = measure(kept)
    blocks: list[_Block] = []
    for page in kept:
        width = usual_width(page, fonts)
        for n, line in enumerate(page.lines):
            above = page.lines[n - 1] if n else None
            below = page.lines[n + 1] if n + 1 < len(page.lines) else None
            _add(blocks, line, page.number, fonts, (above, below, width))
    pieces = tuple(_pieces(blocks, _vocabulary(lines)))
    first = [p for p in pieces if p.level and p.page == kept[0].number and p.page is not None]
    title = min(first, key=lambda piece: piece.level).text if first else ""
    return Layout(pieces=pieces, title=title, notes=notes)


def _mend(line: Span) -> Span:
    return line.with_text(unicodedata.normalize("NFC", line.text.translate(_LIGATURES)))


def _add(blocks: list[_Block], line: Span, page: int, fonts: Fonts, around: Around) -> None:
    """Put one line where it belongs: a heading, an open block, or a block of its own."""
    if is_heading(line, fonts, around):
        before = blocks[-1] if blocks else None
        if before and before.is_heading and before.page == page and same_heading(before.lines[-1], line):
            blocks[-1] = replace(before, lines=(*before.lines, line))
        else:
            new = _Block(kind=BlockKind.PARAGRAPH, lines=(line,), page=page, last_page=page, is_heading=True)
            blocks.append(new)
        return
    item = _ITEM.match(line.text)
    at = None if item else _open_block(blocks, line, page, fonts, around[2])
    if at is not None:
        blocks[at] = replace(blocks[at], lines=(*blocks[at].lines, line), last_page=page)
    elif item:
        text = line.with_text(item[2])
        blocks.append(_Block(kind=BlockKind.ITEM, lines=(text,), page=page, last_page=page, marker=item[1]))
    else:
        blocks.append(_Block(kind=BlockKind.PARAGRAPH, lines=(line,), page=page, last_page=page))


def _open_block(blocks: list[_Block], line: Span, page: int, fonts: Fonts, width: float) -> int | None:
    """The block that the line goes on with: the last, or past footnotes the one that the page's end cut."""
    if not blocks or blocks[-1].is_heading:
        return None
    for at in range(len(blocks) - 1, max(len(blocks) - 5, -1), -1):
        block = blocks[at]
        passed_over = at < len(blocks) - 1 and block.last_page == page and not line.text[0].islower()
        if block.is_heading or passed_over:
            return None
        if _goes_on(block, line, page, fonts, width):
            return at
        if block.lines[-1].size > 0.95 * line.size:  # only a footnote may stand between
            return None
    return None


def _goes_on(block: _Block, line: Span, page: int, fonts: Fonts, width: float) -> bool:
    last = block.lines[-1]
    size = max(last.size, line.size, 1.0)
    alike = abs(last.size - line.size) <= 0.12 * size
    finished = bool(_FINISHED.search(last.text))
    drop = last.y - line.y
    full = last.end - last.x >= 0.7 * width
    if page != block.last_page or drop < -0.5 * size:
        return alike and not finished and (line.text[0].islower() or full or last.text.endswith(("-", ",")))
    if drop < 0.3 * size or not last.text:  # the same row, or a bullet whose words are on the next line
        return True
    if drop > 1.4 * fonts.leading * size:
        return False
    hangs = block.kind is BlockKind.ITEM and line.x > block.lines[0].x + 0.2 * size
    if hangs or not (alike and finished):
        return hangs or not (finished or _stands_alone(last, line, width))
    return line.x - last.x <= 0.9 * size and full


def _stands_alone(last: Span, line: Span, width: float) -> bool:
    """A short line before a line with a capital or a number: entries of a list whose marks were drawn."""
    short = last.end - last.x < 0.6 * width and last.text[-1] not in "-,;:("
    opens = line.text[0].isupper() or line.text[0].isdigit()
    return short and opens and abs(last.size - line.size) < 0.1 and len(last.text) > 2


def _vocabulary(lines: list[Span]) -> frozenset[str]:
    """Words that stand somewhere unbroken."""
    words: set[str] = set()
    after_break = False
    for line in lines:
        broken = _BROKEN.search(line.text)
        found = _WORD.findall(line.text[: broken.start()] if broken else line.text)
        words.update(word.lower() for word in found[1 if after_break else 0 :])
        after_break = broken is not None
    return frozenset(words)


def _joined(lines: tuple[Span, ...], words: frozenset[str]) -> str:
    text = ""
    for line in lines:
        broken = _BROKEN.search(text)
        if broken and line.text[:1].islower():
            tail = _WORD.match(line.text)
            keep = tail and _keeps_hyphen(broken[1].lower(), tail[0].lower(), words, text[-1])
            text = (text[:-1] + "-" if keep else text[:-1]) + line.text
        else:
            text += (" " if text and line.text else "") + line.text
    return unicodedata.normalize("NFC", text)


def _keeps_hyphen(head: str, tail: str, words: frozenset[str], hyphen: str) -> bool:
    """Whether the hyphen at a line's end is the word's own. The document's other words decide, if they can."""
    if hyphen == "\xad":
        return False
    if f"{head}-{tail}" in words:
        return True
    if head + tail in words:
        return False
    return "-" in head or (min(len(head), len(tail)) > 2 and {head, tail} <= words)


def _pieces(blocks: list[_Block], words: frozenset[str]) -> Iterator[Piece]:
    levels = _levels(blocks)
    ids: Counter[str] = Counter()
    items: list[tuple[float, int, int | None]] = []  # left edge, index and lead of the open ones
    before: Piece | None = None
    count = 0
    for block in blocks:
        text, marks = _take_marks(_joined(block.lines, words))
        if not text:
            continue
        piece = Piece(text=text, kind=block.kind, marks=marks, page=block.page, marker=block.marker)
        if block.is_heading:
            name = section_name(text)
            ids[name] += 1
            unique = name if ids[name] == 1 else f"{name}-{ids[name]}"
            piece = replace(piece, level=levels[style(block.lines)], section_id=unique)
        if block.kind is BlockKind.ITEM:
            piece = _nested(piece, block.lines[0].x, items, before, count)
        else:
            items.clear()
        yield piece
        before, count = piece, count + 1


def _nested(
    piece: Piece, x: float, items: list[tuple[float, int, int | None]], before: Piece | None, at: int
) -> Piece:
    """An item with its depth and with the item or paragraph that introduces it."""
    while items and items[-1][0] > x + 3:
        lost = items.pop()
        if not items and lost[0] <= x + 30:  # a little further left than its brothers
            items.append((x, lost[1], lost[2]))
            break
    lead: int | None = None
    if items and abs(items[-1][0] - x) <= 3:
        lead = items.pop()[2]
    elif items:
        lead = items[-1][1]
    elif before is not None and not before.level and before.text.endswith(":"):
        lead = at - 1
    items.append((x, at, lead))
    return replace(piece, depth=len(items) - 1, lead=lead)


def _take_marks(text: str) -> tuple[str, tuple[tuple[int, int], ...]]:
    plain, marks, end = "", [], 0
    for mark in MARK.finditer(text):
        plain += text[end : mark.start()]
        marks.append((len(plain), int(mark[1])))
        end = mark.end()
    whole = plain + text[end:]
    shift = len(whole) - len(whole.lstrip())
    whole = whole.strip()
    return whole, tuple((min(max(at - shift, 0), len(whole)), number) for at, number in marks)


def _levels(blocks: list[_Block]) -> dict[tuple[float, bool, int], int]:
    styles = sorted({style(block.lines) for block in blocks if block.is_heading})
    return {style: min(n, 6) for n, style in enumerate(styles, 1)}
