"""The pieces of a document in the making: what every loader for marked-up text writes into.

Knows no file format. Keeps the outline (section numbers from heading levels), the nesting of lists and what leads
into them, and takes out what a reader cannot see: control, zero-width, bidirectional and tag characters. Text that
comes in may have any white space; text that goes out is NFC and folded to single spaces, except in code.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from ingest.assemble import Piece, assemble
from ingest.loaders.outcome import Outcome, Unloadable
from rag.schema import BlockKind, Document, Source

MAX_CHARACTERS = 5_000_000  # of one document
MAX_PIECES = 400_000  # of one document; each costs some hundred bytes beside its text
# Characters; every chunk carries the headings above it and every row its column names, so what is longer is neither.
_LONGEST_TITLE = 400
_LONGEST_COLUMN = 400
_DEEPEST_LIST = 20  # levels below are shown as this one
_BREAKS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_UNSEEN = re.compile(
    "[\x00-\x08\x0e-\x1f\x7f-\x9f\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
    "|(?<=[\u200c\u200d\ufe00-\ufe0f])[\u200c\u200d\ufe00-\ufe0f]+"  # one joins letters, a run carries a message
)


def fold(text: str) -> str:
    """One line as a reader sees it."""
    return " ".join(unicodedata.normalize("NFC", _UNSEEN.sub("", _BREAKS.sub("\n", text))).split())


@dataclass(slots=True, kw_only=True)
class _List:
    """An open list: what introduces it and its latest item, as indices of pieces."""

    lead: int | None
    item: int | None = None


class Pieces:
    """Collects pieces in reading order; `document` lays them out."""

    def __init__(self, *, path: str, most_characters: int = MAX_CHARACTERS) -> None:
        self._path = path
        self._most_characters = most_characters
        self._pieces: list[Piece] = []
        self._lists: list[_List] = []
        self._outline: list[tuple[int, int]] = []  # (level, number among its siblings), outermost first
        self._numbers: dict[tuple[int, ...], int] = {}
        self._n_characters = 0
        self._n_unseen = 0

    @property
    def first_heading(self) -> str:
        """The heading that opens the document, or the only one of the highest level; else nothing."""
        headings = [piece for piece in self._pieces if piece.level]
        if not headings:
            return ""
        highest = min(piece.level for piece in headings)
        top = [piece for piece in headings if piece.level == highest]
        opens = self._pieces[0].level == highest
        return top[0].text if opens or (len(top) == 1 and top[0].level == 1) else ""

    def heading(self, text: str, *, level: int) -> None:
        title = self._folded(text)
        if not title:
            return
        if len(title) > _LONGEST_TITLE:
            self._lists.clear()
            self._add(Piece(text=title))
            return
        while self._outline and self._outline[-1][0] >= level:
            self._outline.pop()
        above = tuple(number for _, number in self._outline)
        self._numbers[above] = number = self._numbers.get(above, 0) + 1
        self._outline.append((level, number))
        self._lists.clear()
        self._add(Piece(text=title, level=level, section_id=".".join(map(str, (*above, number)))))

    def paragraph(self, text: str, *, label: str = "") -> None:
        """A paragraph; inside a list it belongs to the item above it."""
        folded = self._folded(text)
        if folded:
            self._add(Piece(text=folded, label=fold(label), depth=len(self._lists), lead=self._item()))

    def code(self, text: str) -> None:
        """A listing, line ends and indents kept."""
        lines = [line.rstrip() for line in self._scrub(text).expandtabs(4).split("\n")]
        listing = "\n".join(lines).strip("\n")
        if listing.strip():
            lead = self._introduction() if self._item() is None else self._item()
            self._add(Piece(text=listing, depth=len(self._lists), lead=lead))

    def open_list(self) -> None:
        lead = self._item()
        self._lists.append(_List(lead=self._introduction() if lead is None else lead))

    def close_list(self) -> None:
        if self._lists:  # a heading inside a list has closed it
            self._lists.pop()

    def item(self, text: str, *, marker: str = "-", label: str = "") -> None:
        folded = self._folded(text)
        if not folded:
            return
        if not self._lists:
            self.open_list()
        around = self._lists[-1]
        around.item = len(self._pieces)
        depth = min(len(self._lists) - 1, _DEEPEST_LIST)
        self._add(
            Piece(
                text=folded,
                kind=BlockKind.ITEM,
                depth=depth,
                marker=marker,
                label=fold(label),
                lead=around.lead,
            )
        )

    def table(self, rows: Sequence[Sequence[str]], *, has_header: bool) -> None:
        """Rows of cells. Without a header, or with one column, nothing names the cells: they become paragraphs."""
        table = [folded for row in rows if any(folded := [self._folded(cell) for cell in row])]
        width = max(map(len, table), default=0)
        is_named = has_header and len(table) > 1 and max(map(len, table[0])) <= _LONGEST_COLUMN
        if not is_named or width < 2:
            for row in table:
                self.paragraph(" — ".join(cell for cell in row if cell))
            return
        lead = self._introduction() if self._item() is None else self._item()
        columns = tuple(table[0] + [""] * (width - len(table[0])))
        self._add(Piece(text="\t".join(columns), kind=BlockKind.HEADER, cells=columns, lead=lead))
        for named in table[1:]:
            cells = tuple(named + [""] * (width - len(named)))
            self._add(
                Piece(
                    text="\t".join(cells),
                    kind=BlockKind.ROW,
                    label=cells[0],
                    columns=columns,
                    cells=cells,
                    lead=lead,
                )
            )

    def document(self, source: Source, *, title: str = "", notes: tuple[str, ...] = ()) -> Document:
        """The finished document; its title is the given one, else `first_heading`, else the file's name.

        Raises:
            Unloadable: there is no text.
        """
        if not self._pieces:
            raise Unloadable("no text was found in it", outcome=Outcome.EMPTY, path=self._path)
        title = fold(title)[:_LONGEST_TITLE] or self.first_heading
        if self._n_unseen:
            notes = (*notes, f"{self._n_unseen} invisible characters were left out")
        return assemble(source, tuple(self._pieces), title=title, notes=notes)

    def _add(self, piece: Piece) -> None:
        self._n_characters += len(piece.text)
        for n, most, what in (
            (self._n_characters, self._most_characters, "characters of text"),
            (len(self._pieces), MAX_PIECES, "paragraphs"),
        ):
            if n > most:
                reason = f"it has more than {most:,} {what}"
                raise Unloadable(reason, outcome=Outcome.LIMIT, path=self._path)
        self._pieces.append(piece)

    def _item(self) -> int | None:
        """The item that is being read, of the innermost list that has one."""
        return next((around.item for around in reversed(self._lists) if around.item is not None), None)

    def _introduction(self) -> int | None:
        """A paragraph right above that announces what follows."""
        last = self._pieces[-1] if self._pieces else None
        announces = last is not None and not last.level and last.text.endswith(":")
        return len(self._pieces) - 1 if announces else None

    def _folded(self, text: str) -> str:
        return " ".join(self._scrub(text).split())

    def _scrub(self, text: str) -> str:
        text = _BREAKS.sub("\n", text)
        seen, n_unseen = _UNSEEN.subn("", text)
        if n_unseen:
            self._n_unseen += n_unseen - text.count("\u00ad") - text.count("\ufeff")  # those two hide nothing
        return unicodedata.normalize("NFC", seen)
