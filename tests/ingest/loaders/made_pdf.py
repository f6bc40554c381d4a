"""PDFs written by hand, so that a test shows what its file holds. Plain syntax, no library, nothing from outside."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 612, 792
_CATALOG, _PAGES, _FONT, _BOLD = 1, 2, 3, 4  # object numbers; pages and their contents follow
PROSE = (
    "The first line of a paragraph is about as wide as the page is,",
    "and so is the second one, which is why both are joined into one",
    "paragraph again by whoever reads them.",
)
JOINED = " ".join(PROSE)
LIGATURES = {"ﬁ": 1, "ﬂ": 2, "ﬀ": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of text at a place; points from the lower left corner."""

    text: str
    x: float = 72
    y: float
    size: float = 10
    bold: bool = False


def paragraph(*texts: str, y: float, x: float = 72, size: float = 10) -> list[Line]:
    """Lines below each other at the usual distance."""
    return [Line(text=text, x=x, y=y - 1.2 * size * n, size=size) for n, text in enumerate(texts)]


def content(lines: Sequence[Line]) -> bytes:
    """A page's content stream, in the order of the lines."""
    shown = []
    for line in lines:
        letters = bytes(LIGATURES[c] if c in LIGATURES else ord(c) for c in line.text)
        letters = letters.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)")
        font = b"F2" if line.bold else b"F1"
        shown.append(b"BT /%s %g Tf 1 0 0 1 %g %g Tm (%s) Tj ET" % (font, line.size, line.x, line.y, letters))
    return b"\n".join(shown)


def make_pdf(*pages: Sequence[Line]) -> bytes:
    """One page for each list of lines."""
    return from_contents([content(page) for page in pages])


def from_contents(
    contents: Sequence[bytes], *, catalog: bytes = b"", extra: Sequence[bytes] = (), filters: str = ""
) -> bytes:
    """Pages with these content streams. `extra` objects are numbered on; see `first_extra`."""
    names = b"/Type /Font /Subtype /Type1 /BaseFont /Helvetica%s /FirstChar 1 /LastChar 255 /Widths [%s]"
    widths = b" ".join(b"500" for _ in range(255))
    coding = b"/Encoding << /Type /Encoding /BaseEncoding /WinAnsiEncoding /Differences [1 /fi /fl /ff] >>"
    kids = b" ".join(b"%d 0 R" % (5 + 2 * n) for n in range(len(contents)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R %s >>" % catalog,
        b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(contents), kids),
        b"<< " + names % (b"", widths) + coding + b" >>",
        b"<< " + names % (b"-Bold", widths) + coding + b" >>",
    ]
    for n, stream in enumerate(contents):
        objects += [page_object(6 + 2 * n), stream_object(stream, filters=filters)]
    return from_objects([*objects, *extra])


def first_extra(n_pages: int) -> int:
    """The object number that the first of `extra` gets."""
    return 5 + 2 * n_pages


def page_object(contents: int, *, parent: int = _PAGES) -> bytes:
    fonts = b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >>"
    box = b"/MediaBox [0 0 %d %d]" % (WIDTH, HEIGHT)
    return b"<< /Type /Page /Parent %d 0 R %s %s /Contents %d 0 R >>" % (parent, box, fonts, contents)


def stream_object(stream: bytes, *, filters: str = "", entries: bytes = b"") -> bytes:
    """`filters` is empty or names of filters that the stream has already been through."""
    names = b"/Filter [%s]" % filters.encode() if filters else b""
    return b"<< /Length %d %s %s >>\nstream\n%s\nendstream" % (len(stream), names, entries, stream)


def from_objects(objects: Sequence[bytes], *, trailer: bytes = b"") -> bytes:
    """A whole file: header, objects from number 1 on, cross-reference table, trailer."""
    body, places = b"%PDF-1.7\n", []
    for number, entry in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, entry)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    entries = trailer or b"/Size %d /Root 1 0 R" % (len(objects) + 1)
    return body + head + table + b"trailer\n<< %s >>\nstartxref\n%d\n%%%%EOF\n" % (entries, len(body))


def deflated(piece: bytes, times: int, *, rounds: int = 1) -> bytes:
    """`piece` over and over, compressed as it is made; `rounds` times over."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(piece) for _ in range(times)) + packer.flush()
    for _ in range(rounds - 1):
        packed = zlib.compress(packed, 9)
    return packed
