"""A tree of visible HTML read into pieces: headings, paragraphs, lists with their nesting, tables and listings.

Knows neither where the tree comes from nor what of it is worth reading: a web page or rendered Markdown. One pass
over the tree without recursion; text is held back until a block ends and then written as what it belongs to.
"""

from dataclasses import dataclass, field

from lxml import etree, html

from ingest.loaders.maths import replace_formulas
from ingest.loaders.pieces import Pieces, fold

_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_BLOCKS = frozenset(
    "address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer "
    "form header hgroup hr html legend li main menu nav ol p pre section summary table tbody td tfoot th thead tr ul "
    "h1 h2 h3 h4 h5 h6".split()
)
_LISTS = frozenset({"ul", "ol", "menu", "dir", "dl"})
_CODE = frozenset({"code", "kbd", "samp", "tt", "var"})
_GUARDS = str.maketrans("$\\", "\ue010\ue011")  # in code spans these open no formula
_UNGUARDS = str.maketrans("\ue010\ue011", "$\\")


@dataclass(slots=True, kw_only=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    has_header: bool = False
    depth: int = 1  # tables inside it are cells of it


def read_hypertext(root: html.HtmlElement, pieces: Pieces) -> None:
    """Write everything that the tree holds."""
    reader = _Reader(pieces)
    for event, element in etree.iterwalk(root, events=("start", "end")):
        if event == "start":
            reader.open(element)
        else:
            reader.close(element, is_root=element is root)
    reader.flush()


class _Reader:
    """Text that was read and not yet written, and what it is part of."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._held: list[str] = []
        self._counters: list[int | None] = []  # of the open lists: the next number, or None for bullets
        self._marker = ""  # of the item whose first words are still to come
        self._label = ""
        self._bold: list[int] = []  # where the open bold elements began
        self._heading = 0
        self._n_code = 0
        self._listing: list[str] | None = None
        self._table: _Table | None = None

    def open(self, element: html.HtmlElement) -> None:
        tag = str(element.tag)
        if self._listing is not None:
            self._take("\n" if tag == "br" else "")
        elif self._table is not None:
            self._open_in_table(self._table, tag)
        elif tag in _BLOCKS:
            self._open_block(element, tag)
        elif tag == "br":
            self._held.append(" ")
        elif tag in ("b", "strong"):
            self._bold.append(len(self._held))
        self._n_code += tag in _CODE
        self._take(element.text)

    def close(self, element: html.HtmlElement, *, is_root: bool) -> None:
        tag = str(element.tag)
        self._n_code -= tag in _CODE
        if self._listing is not None:
            if tag == "pre":
                self._pieces.code("".join(self._listing))
                self._listing = None
        elif self._table is not None:
            self._close_in_table(self._table, tag)
        elif tag in _BLOCKS:
            self._close_block(tag)
        elif tag in ("b", "strong") and self._bold:
            began = self._bold.pop()
            if not "".join(self._held[:began]).strip():
                self._label = "".join(self._held)
        if not is_root:
            self._take(element.tail)

    def flush(self) -> None:
        """Write what is held back as what it is part of."""
        text = replace_formulas("".join(self._held)).translate(_UNGUARDS)
        label, self._label = self._opening_term(text), ""
        self._held, self._bold = [], []
        if not text.strip():
            return
        if self._heading:
            self._pieces.heading(text, level=self._heading)
        elif self._marker:
            self._pieces.item(text, marker=self._marker, label=label)
            self._marker = ""
        else:
            self._pieces.paragraph(text, label=label)

    def _opening_term(self, text: str) -> str:
        """The bold words that the text opens with, if a colon ends them."""
        label = fold(replace_formulas(self._label).translate(_UNGUARDS))
        after = fold(text)[len(label) :]
        return label.rstrip(": ") if label.endswith(":") or (label and after.startswith(":")) else ""

    def _take(self, text: str | None) -> None:
        if not text:
            return
        if self._listing is not None:
            self._listing.append(text)
        else:
            self._held.append(text.translate(_GUARDS) if self._n_code else text)

    def _open_block(self, element: html.HtmlElement, tag: str) -> None:
        self.flush()
        if tag in _HEADINGS:
            self._heading = _HEADINGS[tag]
            self._counters.clear()
        elif tag in _LISTS:
            self._pieces.open_list()
            self._counters.append(_first_number(element) if tag == "ol" else None)
        elif tag in ("li", "dt"):
            self._marker = self._next_marker()
        elif tag == "pre":
            self._listing = []
            if self._marker:  # an item that begins with a listing
                self._marker = ""
        elif tag == "table" and not _is_layout(element):
            self._table = _Table()

    def _close_block(self, tag: str) -> None:
        if tag == "dt":
            self._label = "".join(self._held) + ":"
        self.flush()
        if tag in _HEADINGS:
            self._heading = 0
        elif tag in _LISTS and self._counters:
            self._counters.pop()
            self._pieces.close_list()
        if tag == "li":
            self._marker = ""

    def _next_marker(self) -> str:
        number = self._counters[-1] if self._counters else None
        if number is None:
            return "-"
        self._counters[-1] = number + 1
        return f"{number}."

    def _open_in_table(self, table: _Table, tag: str) -> None:
        if tag == "table":
            table.depth += 1
        elif table.depth == 1 and tag == "tr":
            self._held = []
            table.rows.append([])
        elif table.depth == 1 and tag in ("td", "th"):
            self._held = []
            table.has_header |= tag == "th" and len(table.rows) <= 1
        elif table.depth == 1 and tag == "caption":
            self._held = []
        elif tag in _BLOCKS or tag == "br":
            self._held.append(" ")

    def _close_in_table(self, table: _Table, tag: str) -> None:
        text = replace_formulas("".join(self._held)).translate(_UNGUARDS)
        if tag == "table":
            table.depth -= 1
            if not table.depth:
                self._table = None
                self.flush()
                self._pieces.table(table.rows, has_header=table.has_header)
        elif table.depth > 1:
            self._held.append(" ")
        elif tag in ("td", "th"):
            if not table.rows:
                table.rows.append([])
            table.rows[-1].append(text)
            self._held = []
        elif tag == "caption":
            self._pieces.paragraph(text)
            self._held = []
        elif tag in _BLOCKS:
            self._held.append(" ")


def _first_number(element: html.HtmlElement) -> int:
    start = (element.get("start") or "1").strip()
    return int(start) if start.isascii() and start.isdigit() and len(start) < 7 else 1


def _is_layout(table: html.HtmlElement) -> bool:
    """A table that only places things: with headings, listings or tables in it, or with one cell."""
    inner = (element.tag for element in table.iterdescendants())
    n_cells = 0
    for tag in inner:
        if tag in _HEADINGS or tag in ("table", "pre"):
            return True
        n_cells += tag in ("td", "th")
    return n_cells < 2
