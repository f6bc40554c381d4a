"""Plain text: paragraphs between blank lines, and lists that are marked the usual way.

Knows no headings and no tables. The lines of a paragraph are joined.
"""

import re
from collections.abc import Iterator

from ingest.assemble import make_source
from ingest.loaders.encoding import MAX_BYTES, decode_text
from ingest.loaders.pieces import Pieces
from rag.schema import Document

MEDIA_TYPE = "text/plain"
_BLANK = re.compile(r"\n[ \t]*\n[ \t\n]*")  # no group that repeats: that takes 120 bytes for each line
_ITEM = re.compile(r"([ \t]*)([-*+•‣]|\d{1,3}[.)]) +(\S.*)")


def load_plain(data: bytes, *, path: str) -> Document:
    """Read plain text.

    Raises:
        Unloadable: empty, too large or not text.
    """
    decoded = decode_text(data, path=path)
    pieces = Pieces(path=path, most_characters=MAX_BYTES)
    read_plain(decoded.text, pieces)
    notes = decoded.notes
    del decoded  # of a large file not one copy of the text more than must be
    return pieces.document(make_source(path, data, media_type=MEDIA_TYPE), notes=notes)


def read_plain(text: str, pieces: Pieces) -> None:
    """Write the paragraphs and lists of a text."""
    indents: list[int] = []  # of the open lists, outermost first
    for block in _parted(text):
        lines = block.expandtabs(4).split("\n")
        if not _ITEM.fullmatch(lines[0]) and not lines[0].startswith(" "):
            _close(indents, 0, pieces)
        _read_block(lines, indents, pieces)
    _close(indents, 0, pieces)


def _parted(text: str) -> Iterator[str]:
    """What stands between blank lines."""
    start = 0
    for gap in _BLANK.finditer(text):
        yield text[start : gap.start()]
        start = gap.end()
    yield text[start:]


def _read_block(lines: list[str], indents: list[int], pieces: Pieces) -> None:
    held: list[str] = []
    marker = ""

    def write() -> None:
        if held and marker:
            pieces.item(" ".join(held), marker=marker)
        elif held:
            pieces.paragraph(" ".join(held))
        held.clear()

    for line in lines:
        item = _ITEM.fullmatch(line.rstrip())
        if item is None:
            held.append(line)
            continue
        write()
        _nest(indents, len(item[1]), pieces)
        marker = "-" if item[2] in "-*+•‣" else item[2]
        held.append(item[3])
    write()


def _nest(indents: list[int], indent: int, pieces: Pieces) -> None:
    while indents and indents[-1] > indent:
        indents.pop()
        pieces.close_list()
    if not indents or indents[-1] < indent:
        indents.append(indent)
        pieces.open_list()


def _close(indents: list[int], keep: int, pieces: Pieces) -> None:
    while len(indents) > keep:
        indents.pop()
        pieces.close_list()
