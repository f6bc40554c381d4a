"""The roadmap: plain text that was taken from a PDF, read back into the document it was.

Undoes what the extraction did: bare-line headings, sentences and lists cut by page breaks, list levels flattened
to one space or lost, a paragraph swallowed by an item, tables as tab-separated lines with a row cut inside its
cells, superscript reference marks glued to full stops, Markdown left-overs, a broken list of works cited. Each
repair is a rule about layout; none knows the roadmap's words. What could not be restored is said in `notes`.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from itertools import accumulate

from ingest.assemble import CitedWork, Piece, assemble, make_source
from ingest.loaders.inline import Inline, strip_inline
from ingest.works_cited import parse_works_cited
from rag.errors import DocumentError
from rag.schema import BlockKind, Document
from rag.sentences import split_sentences

_PART = re.compile(r"Part ([IVXLC]+): (.+)")
_SECTION = re.compile(r"Section (\d+): (.+)")
_SUBSECTION = re.compile(r"(\d+\.\d+)\. (.+)")
_ITEM = re.compile(r"( *)(-|\d+\.) (.*)")
_FINISHED = re.compile(r"[.!?:][\"'”’)]*$")
_WORKS_CITED = "Works cited"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutlineEntry:
    """A heading line. Lines are 1-based and inclusive; a section ends before the next of its level or above."""

    section_id: str
    level: int  # 1 part or list of works cited, 2 section, 3 subsection
    title: str  # without its number
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A body line before inline markup is taken off. `gap`: a blank line stood above it."""

    number: int
    kind: BlockKind
    text: str
    indent: int = 0
    marker: str = ""
    gap: bool = False


def load_roadmap(data: bytes, *, path: str) -> Document:
    """Read the roadmap's bytes. `path` names the source.

    Raises:
        DocumentError: not UTF-8, or without the headings of a roadmap.
    """
    try:
        lines = unicodedata.normalize("NFC", data.decode("utf-8-sig")).replace("\r\n", "\n").split("\n")
    except UnicodeDecodeError as error:
        raise DocumentError(f"{path} is not UTF-8 text: {error.reason} at byte {error.start}") from error
    outline = read_outline(lines)
    if not any(entry.level == 2 for entry in outline):
        raise DocumentError(f"{path} has no line of the form “Section 1: …”, so it is not a roadmap")
    top = lines[: outline[0].start_line - 1]  # the title, and an introduction if there is one
    titled = next((n for n, line in enumerate(top) if line.strip()), len(top))
    pieces: list[Piece] = []
    works: list[CitedWork] = []
    _add_body(pieces, top[titled + 1 :], first_line=titled + 2)
    for n, entry in enumerate(outline):
        end = outline[n + 1].start_line - 1 if n + 1 < len(outline) else len(lines)
        body = lines[entry.start_line : end]
        pieces.append(
            Piece(text=lines[entry.start_line - 1].strip(), level=entry.level, section_id=entry.section_id)
        )
        if entry.title == _WORKS_CITED:
            _add_works(pieces, works, body)
        else:
            _add_body(pieces, body, first_line=entry.start_line + 1)
    return assemble(
        make_source(path, data, media_type="text/x-roadmap"),
        tuple(pieces),
        title="".join(top[titled : titled + 1]).strip(),
        works=tuple(works),
        notes=tuple(_losses(lines)),
    )


def read_outline(lines: list[str]) -> tuple[OutlineEntry, ...]:
    """The headings in order, each with the lines that it governs."""
    found: list[tuple[int, int, str, str]] = []
    for number, line in enumerate(lines, 1):
        text = line.strip()
        if match := _PART.fullmatch(text):
            found.append((number, 1, f"part_{match[1]}", match[2]))
        elif match := _SECTION.fullmatch(text):
            found.append((number, 2, match[1], match[2]))
        elif text == _WORKS_CITED:
            found.append((number, 1, "works_cited", text))
            break
        elif (match := _SUBSECTION.fullmatch(text)) and len(text) < 120:
            found.append((number, 3, match[1], match[2]))
    entries = []
    for n, (number, level, section_id, title) in enumerate(found):
        end = next((f[0] - 1 for f in found[n + 1 :] if f[1] <= level), len(lines))
        entries.append(
            OutlineEntry(section_id=section_id, level=level, title=title, start_line=number, end_line=end)
        )
    return tuple(entries)


def _add_works(pieces: list[Piece], works: list[CitedWork], body: list[str]) -> None:
    for entry in parse_works_cited(tuple(body)):
        works.append(
            CitedWork(
                number=entry.number,
                title=entry.title,
                url=entry.url,
                text_fragment=entry.text_fragment,
                accessed=entry.accessed,
                piece=len(pieces),
            )
        )
        pieces.append(Piece(text=entry.text, kind=BlockKind.ENTRY, marker=f"{entry.number}."))


def _add_body(pieces: list[Piece], body: list[str], *, first_line: int) -> None:
    lines = _split_glued(_join_cut(_read_lines(body, first_line)))
    offset = len(pieces)
    rows = [line for line in lines if line.kind is BlockKind.ROW]
    columns = tuple(strip_inline(cell).text for cell in rows[0].text.split("\t")) if rows else ()
    for line, (depth, lead) in zip(lines, _nesting(lines), strict=True):
        if line.kind is BlockKind.ROW:
            if line is rows[0]:
                pieces.append(Piece(text="\t".join(columns), kind=BlockKind.HEADER, cells=columns))
            else:
                pieces.append(_row(line, columns))
        else:
            inline = strip_inline(line.text)
            pieces.append(
                Piece(
                    text=inline.text,
                    kind=line.kind,
                    marks=inline.marks,
                    label=inline.label,
                    depth=depth,
                    marker=line.marker,
                    lead=None if lead is None else offset + lead,
                )
            )


def _row(line: Line, columns: tuple[str, ...]) -> Piece:
    """A row; below a page break its cells go on, in the file's order, so that a quote of it stays verbatim."""
    inlines: list[Inline] = []
    cell_of: list[int] = []
    for part in line.text.split("\n"):
        for place, cell in enumerate(part.split("\t")):
            if cell.strip() or part == line.text:
                inlines.append(strip_inline(cell))
                cell_of.append(place)
    cells = tuple(inline.text for inline in inlines)
    starts = accumulate((len(cell) + 1 for cell in cells), initial=0)
    return Piece(
        text="\t".join(cells),
        kind=BlockKind.ROW,
        marks=tuple(
            (start + offset, number)
            for start, inline in zip(starts, inlines, strict=False)  # one start more than cells
            for offset, number in inline.marks
        ),
        label=cells[0],
        columns=columns,
        cells=cells,
        cell_of=tuple(cell_of),
    )


def _read_lines(body: list[str], first_line: int) -> list[Line]:
    lines: list[Line] = []
    gap = True
    for number, raw in enumerate(body, first_line):
        if not raw.strip():
            gap = True
            continue
        if "\t" in raw:
            lines.append(Line(number=number, kind=BlockKind.ROW, text=raw, gap=gap))
        elif item := _ITEM.fullmatch(raw.rstrip()):
            lines.append(
                Line(
                    number=number,
                    kind=BlockKind.ITEM,
                    text=item[3],
                    indent=len(item[1]),
                    marker=item[2],
                    gap=gap,
                )
            )
        else:
            lines.append(Line(number=number, kind=BlockKind.PARAGRAPH, text=raw.strip(), gap=gap))
        gap = False
    return lines


def _join_cut(lines: list[Line]) -> list[Line]:
    """Undo page breaks: inside a sentence, between two sentences of a paragraph, inside a row's cells."""
    joined: list[Line] = []
    for line in lines:
        before = joined[-1] if joined else None
        if before is not None and line.kind is BlockKind.ROW and before.kind is BlockKind.ROW:
            if line.text.startswith("\t"):  # an empty first cell: the row above goes on
                joined[-1] = replace(before, text=f"{before.text}\n{line.text}")
                continue
        elif before is not None and _continues(before, line):
            joined[-1] = replace(before, text=f"{before.text} {line.text}")
            continue
        joined.append(line)
    return joined


def _continues(before: Line, line: Line) -> bool:
    if line.kind is not BlockKind.PARAGRAPH or before.kind is BlockKind.ROW:
        return False
    return not _is_finished(before.text) or _is_stray_sentence(before, line)


def _is_finished(raw: str) -> bool:
    return bool(_FINISHED.search(strip_inline(raw).text))


def _is_stray_sentence(before: Line, line: Line) -> bool:
    """A page break between two sentences leaves the second one alone in a paragraph of its own."""
    if before.kind is not BlockKind.PARAGRAPH or line.text.endswith(":"):
        return False
    return len(split_sentences(strip_inline(line.text).text)) == 1 and len(line.text) < 100


def _split_glued(lines: list[Line]) -> list[Line]:
    """Part a last sub-item from the paragraph it swallowed: its siblings have one sentence, it has many."""
    parted: list[Line] = []
    for n, line in enumerate(lines):
        siblings = [
            other for other in lines[max(0, n - 2) : n] if _is_sub_item(other) and _sentences(other) == 1
        ]
        last = n + 1 == len(lines) or not _is_sub_item(lines[n + 1])
        if _is_sub_item(line) and last and len(siblings) == 2 and _sentences(line) >= 4:
            first = split_sentences(line.text)[0]
            parted.append(replace(line, text=line.text[: first.end]))
            parted.append(
                replace(line, kind=BlockKind.PARAGRAPH, text=line.text[first.end :].strip(), marker="")
            )
        else:
            parted.append(line)
    return parted


def _is_sub_item(line: Line) -> bool:
    return line.kind is BlockKind.ITEM and line.indent > 0


def _sentences(line: Line) -> int:
    return len(split_sentences(strip_inline(line.text).text))


def _nesting(lines: list[Line]) -> list[tuple[int, int | None]]:
    """Depth and lead (index of the introducing line) of each line; rules in the order of the body below."""
    placed: list[tuple[int, int | None]] = []
    open_items: dict[int, int] = {}  # depth -> index of the last item there
    introduced_by: int | None = None
    for n, line in enumerate(lines):
        if line.kind is BlockKind.ITEM:
            depth = _depth(lines, n, placed)
            open_items = {d: i for d, i in open_items.items() if d < depth} | {depth: n}
            placed.append((depth, open_items.get(depth - 1, introduced_by if depth == 0 else None)))
        elif line.kind is BlockKind.PARAGRAPH and _belongs_to_item(lines, n, open_items):
            placed.append((1, open_items.get(0)))
        else:
            introduced_by = n if line.text.rstrip().endswith(":") else None
            open_items = {}
            placed.append((0, None))
    return placed


def _depth(lines: list[Line], n: int, placed: list[tuple[int, int | None]]) -> int:
    line, above = lines[n], lines[n - 1] if n else None
    if above is None or above.kind is not BlockKind.ITEM:
        return 1 if line.indent and any(other.kind is BlockKind.ITEM for other in lines[:n]) else 0
    depth_above = placed[n - 1][0]
    if line.indent:  # one space is all that is left of any nesting: the kind of marker tells the third level
        if above.indent == 0:
            return 1
        if _ordered(above) and not _ordered(line) and above.text.rstrip().endswith(":"):
            return depth_above + 1
        if depth_above == 2 and not _ordered(line):
            return 2
        return 1
    opens_list = line.text.rstrip().endswith((":", ":**")) or (n + 1 < len(lines) and lines[n + 1].indent > 0)
    empty_lead = above.text.rstrip().endswith(":**") and above.indent == 0 and depth_above == 0
    lost_level = depth_above >= 1 and (line.gap or above.indent == 0)
    return 1 if not opens_list and (empty_lead or lost_level) else 0


def _belongs_to_item(lines: list[Line], n: int, open_items: dict[int, int]) -> bool:
    """A paragraph after sub-items that the list goes on after, or that was parted from one of them."""
    if 1 not in open_items:
        return False
    goes_on = n + 1 < len(lines) and lines[n + 1].kind is BlockKind.ITEM and not lines[n + 1].gap
    return goes_on or lines[n].indent > 0


def _ordered(line: Line) -> bool:
    return line.marker != "-"


def _losses(lines: list[str]) -> list[str]:
    return [
        f"line {number}: an empty code span; a word was lost when the text was extracted"
        for number, line in enumerate(lines, 1)
        if "``" in line
    ]
