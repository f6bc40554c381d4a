"""Web pages: the main content of HTML as pieces; navigation, banners and footers left out.

Where a page marks its main part itself, that part is read; else trafilatura finds it; where that finds next to
nothing, all that is visible is read. Knows no network, no style sheets, and not whether a page is a login wall.
"""

import logging
import re

from lxml import etree, html
from trafilatura import extract

from ingest.assemble import make_source
from ingest.loaders.detect import HTML
from ingest.loaders.hypertext import read_hypertext
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.pieces import Pieces
from ingest.loaders.visible import Page, decode_page, read_page
from rag.schema import Document

_AROUND = frozenset({"nav", "aside", "footer", "form"})
_AROUND_ROLES = frozenset({"navigation", "search", "complementary", "contentinfo", "banner"})
_MAIN_HOLDS = 0.5  # of the visible text, or it is not the main part
_FOUND_HOLDS = 0.3
_DATES = (
    "article:published_time", "datepublished", "dc.date", "dc.date.issued", "dcterms.created", "date", "pubdate",
    "publish-date", "article:modified_time", "datemodified",
)  # fmt: skip
# What trafilatura lets through on pages that nobody wrote by hand.
_FAILURES = (
    ArithmeticError, AssertionError, AttributeError, LookupError, RecursionError, TypeError, ValueError,
    etree.LxmlError,
)  # fmt: skip
_MOST_ELEMENTS = 20_000  # trafilatura needs seconds for more
_DAY = re.compile(r"(?:19|20)\d\d-[01]\d-[0-3]\d")
_SITE = re.compile(r"\s+[|–—·]\s+[^|–—·]{1,60}$")  # "A title | The site"

for _name in ("trafilatura", "htmldate", "justext", "courlan"):  # their remarks are not for the terminal
    logging.getLogger(_name).addHandler(logging.NullHandler())


def load_html(data: bytes, *, path: str) -> Document:
    """Read a page.

    Raises:
        Unloadable: empty, too large, not text, or without visible text.
    """
    decoded = decode_page(data, path=path)
    page = read_page(decoded.text)
    pieces = Pieces(path=path)
    heading = _heading(page.root)
    read_hypertext(_main_part(page), pieces)
    try:
        return pieces.document(
            make_source(path, data, media_type=HTML),
            title=pieces.first_heading or heading or _SITE.sub("", page.title),
            notes=(*decoded.notes, *page.notes, *_dated(page)),
        )
    except Unloadable as error:
        if error.outcome is Outcome.EMPTY and page.title:
            raise Unloadable("it shows no text", outcome=Outcome.EMPTY, path=path) from error
        raise


def _heading(root: html.HtmlElement) -> str:
    """The words of the only top heading."""
    tops = [" ".join(h.text_content().split()) for h in root.iter("h1")]
    return tops[0] if len(tops) == 1 else ""


def _dated(page: Page) -> tuple[str, ...]:
    """The day that the page says it was published, or changed if it says no more."""
    values = (page.meta.get(name, "") for name in _DATES)
    day = next((found[0] for value in values if (found := _DAY.match(value.strip()))), "")
    return (f"it is dated {day}",) if day else ()


def _main_part(page: Page) -> html.HtmlElement:
    root = page.root
    for element in [e for e in root.iter() if e.tag in _AROUND or e.get("role") in _AROUND_ROLES]:
        if element.getparent() is not None and not _holds_main(element):
            element.drop_tree()
    n_all = _length(root)
    marked = [e for e in root.iter() if e.tag == "main" or e.get("role") == "main"] or list(
        root.iter("article")
    )
    for element in marked[:1]:
        if _length(element) >= _MAIN_HOLDS * n_all:
            return element
    found = None if page.notes else _extracted(root)  # of a flattened page nothing can be told apart
    return found if found is not None and _length(found) >= max(1, _FOUND_HOLDS * n_all) else root


def _holds_main(element: html.HtmlElement) -> bool:
    """Some pages wrap all they have in one form."""
    return next(element.iter("main", "article", "h1"), None) is not None


def _length(element: html.HtmlElement) -> int:
    return sum(len(text.strip()) for text in element.itertext())


def _extracted(root: html.HtmlElement) -> html.HtmlElement | None:
    """What trafilatura takes for the main content."""
    n_elements = sum(1 for _ in root.iter())
    if n_elements > _MOST_ELEMENTS or next(root.iter("h1", "h2", "p", "li", "td", "article"), None) is None:
        return None
    try:
        found = extract(
            root, output_format="html", include_comments=False, include_formatting=True, favor_recall=True
        )
        return html.document_fromstring(found.encode(), parser=_parser()) if found else None
    except _FAILURES:  # then all of the page is read
        return None


def _parser() -> html.HTMLParser:
    return html.HTMLParser(encoding="utf-8")
