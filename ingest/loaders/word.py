"""Word files: the archive is checked before anything is unpacked, then python-docx opens it.

Reads the body in its order with headings, lists and tables; deleted and hidden text, headers, footers, comments and
text boxes are left out. Knows no old `.doc` files and no passwords.
"""

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document as WordFile
from docx.oxml.ns import qn
from lxml import etree

from ingest.assemble import make_source
from ingest.loaders.archive import check_archive
from ingest.loaders.detect import DOCX
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.pieces import Pieces
from rag.schema import Document

_NOT_READ = {
    qn(f"w:{name}")
    for name in (
        "del",
        "moveFrom",
        "txbxContent",
        "instrText",
        "delText",
        "pPr",
        "rPr",
        "footnoteReference",
        "pict",
    )
}
_DEEPEST = 8  # level of a list, the outermost being 0; Word knows no deeper one
_BREAKS = {qn("w:tab"), qn("w:br"), qn("w:cr")}
_TEXT = {qn("w:t"), "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"}


def load_docx(data: bytes, *, path: str) -> Document:
    """Read a Word file.

    Raises:
        Unloadable: unsafe to unpack, encrypted, damaged, too large, or without text.
    """
    check_archive(data, path)
    try:
        word = docx.Document(io.BytesIO(data))
    except (
        KeyError,
        ValueError,
        AttributeError,
        TypeError,
        zipfile.BadZipFile,
        OSError,
        etree.LxmlError,
    ) as error:
        raise Unloadable(f"it is no Word file: {error}", outcome=Outcome.UNREADABLE, path=path) from error
    except NotImplementedError as error:  # a compression that Python lacks
        raise Unloadable(f"it cannot be unpacked: {error}", outcome=Outcome.UNSUPPORTED, path=path) from error
    pieces = Pieces(path=path)
    reader = _Reader(word, pieces)
    try:
        reader.read(word.element.body)
    except RecursionError as error:
        raise Unloadable("it is nested too deep", outcome=Outcome.LIMIT, path=path) from error
    title = reader.title or (word.core_properties.title or "").strip()
    return pieces.document(make_source(path, data, media_type=DOCX), title=title)


class _Reader:
    """Walks the body's own XML: python-docx's paragraphs leave out insertions and content controls."""

    def __init__(self, word: WordFile, pieces: Pieces) -> None:
        self.title = ""
        self._pieces = pieces
        self._depth = 0  # open lists
        self._style_names = {s.style_id: (s.name or "") for s in word.styles}

    def read(self, container: Any) -> None:  # Any: python-docx's elements carry no types
        for element in container:
            if element.tag == qn("w:p"):
                self._read_paragraph(element)
            elif element.tag == qn("w:tbl"):
                self._close_lists(0)
                self._pieces.table(_rows(element), has_header=True)
            elif element.tag not in _NOT_READ and element.tag != qn("w:sectPr"):
                self.read(element)
        if container.tag == qn("w:body"):
            self._close_lists(0)

    def _read_paragraph(self, paragraph: Any) -> None:
        text = _words(paragraph)
        if not text.strip():
            return
        style = self._style(paragraph)
        level = _outline_level(paragraph, style)
        depth = 0 if level else _list_depth(paragraph, style)
        if style == "title" and not self.title:
            self.title = " ".join(text.split())
        self._close_lists(depth)
        if level:
            self._pieces.heading(text, level=level)
        elif depth:
            while self._depth < depth:
                self._pieces.open_list()
                self._depth += 1
            self._pieces.item(text, label=_label(paragraph))
        else:
            self._pieces.paragraph(text, label=_label(paragraph))

    def _close_lists(self, depth: int) -> None:
        while self._depth > depth:
            self._pieces.close_list()
            self._depth -= 1

    def _style(self, paragraph: Any) -> str:
        style_id = _value(paragraph, "w:pPr/w:pStyle")
        return self._style_names.get(style_id, style_id).lower()


def _rows(table: Any) -> list[list[str]]:
    rows = []
    for row in table.iter(qn("w:tr")):
        cells: list[str] = []
        for cell in row.findall(qn("w:tc")) + row.findall(f"{qn('w:sdt')}/{qn('w:sdtContent')}/{qn('w:tc')}"):
            cells.append(" ".join(_words(paragraph) for paragraph in cell.iter(qn("w:p"))))
            span = _value(cell, "w:tcPr/w:gridSpan")
            cells += [""] * (min(int(span), 50) - 1 if span.isdigit() else 0)
        rows.append(cells)
    return rows


def _words(element: Any) -> str:
    return "".join(_runs(element))


def _runs(element: Any) -> Iterator[str]:
    for child in element:
        if child.tag in _TEXT:
            yield child.text or ""
        elif child.tag in _BREAKS:
            yield " "
        elif child.tag == qn("w:noBreakHyphen"):
            yield "-"
        elif child.tag == "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback":
            continue  # says again what the choice before it has said
        elif child.tag not in _NOT_READ and not (child.tag == qn("w:r") and _is_on(child, "w:rPr/w:vanish")):
            yield from _runs(child)


def _value(element: Any, where: str) -> str:
    found = element.find("/".join(qn(step) for step in where.split("/")))
    return "" if found is None else found.get(qn("w:val")) or ""


def _is_on(element: Any, where: str) -> bool:
    found = element.find("/".join(qn(step) for step in where.split("/")))
    return found is not None and (found.get(qn("w:val")) or "1") not in ("0", "false", "off")


def _outline_level(paragraph: Any, style: str) -> int:
    """1 to 9; 0 for text. A title is a heading above the others only where it opens the document."""
    if style == "title":
        return 1
    name, _, number = style.partition(" ")
    if name in ("heading", "überschrift", "titre") and number.isdigit():
        return min(int(number), 9)
    outlined = _value(paragraph, "w:pPr/w:outlineLvl")
    return int(outlined) + 1 if outlined.isdigit() and int(outlined) < 9 else 0


def _list_depth(paragraph: Any, style: str) -> int:
    """1 for the outermost list; 0 for no item."""
    level = _value(paragraph, "w:pPr/w:numPr/w:ilvl")
    number = _value(paragraph, "w:pPr/w:numPr/w:numId")
    if number and number != "0":
        return min(int(level) if level.isdigit() else 0, _DEEPEST) + 1
    if style.startswith(("list bullet", "list number")) and number != "0":
        last = style.rsplit(" ", 1)[-1]
        return min(int(last), _DEEPEST + 1) if last.isdigit() else 1
    return 0


def _label(paragraph: Any) -> str:
    """The bold words that a paragraph opens with, if a colon ends them."""
    bold, after = "", ""
    for run in paragraph.iter(qn("w:r")):
        if after or not _is_on(run, "w:rPr/w:b"):
            after = _words(run)
            break
        bold += _words(run)
    bold = bold.strip()
    return bold.rstrip(": ") if bold.endswith(":") or (bold and after.lstrip().startswith(":")) else ""
