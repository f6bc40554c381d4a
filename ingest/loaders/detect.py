"""Which media type a source has: what its name says, checked against what its first bytes say.

Reads nothing but those bytes. A name and a content that contradict each other are refused, as is every type that
Waymark has no loader for; nothing is guessed from the content of a file, only of a web address without a suffix.
"""

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from ingest.loaders.encoding import binary_kind
from ingest.loaders.outcome import Outcome, Unloadable

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
HTML = "text/html"
MARKDOWN = "text/markdown"
MDX = "text/mdx"
NOTEBOOK = "application/x-ipynb+json"
PDF = "application/pdf"
PLAIN = "text/plain"
RST = "text/x-rst"

_BY_SUFFIX = {
    ".docx": DOCX,
    ".htm": HTML,
    ".html": HTML,
    ".xhtml": HTML,
    ".ipynb": NOTEBOOK,
    ".markdown": MARKDOWN,
    ".md": MARKDOWN,
    ".mdx": MDX,
    ".pdf": PDF,
    ".rst": RST,
    ".text": PLAIN,
    ".txt": PLAIN,
}
_PDF_WITHIN = 1024  # readers accept so many bytes before the header
_PAGE = re.compile(
    rb"\s*(?:<!--.{0,500}?-->\s*)?<(?:!doctype\s+html|html|head|body)[\s>]", re.IGNORECASE | re.DOTALL
)


def media_type(path: str, data: bytes) -> str:
    """The media type of a source.

    Raises:
        Unloadable: no loader reads its type, it is empty, or its content is not what its name says.
    """
    named = named_type(path)
    if not named:
        raise Unloadable(not_read(path), outcome=Outcome.UNSUPPORTED, path=path)
    if not data.strip():
        raise Unloadable("it is empty", outcome=Outcome.EMPTY, path=path)
    if reason := _contradiction(named, data):
        raise Unloadable(reason, outcome=Outcome.UNREADABLE, path=path)
    return named


def named_type(path: str) -> str:
    """The media type that a name promises; "" if no loader reads files of such names."""
    suffix = _suffix(path)
    return _BY_SUFFIX.get(suffix, HTML if not suffix and "://" in path else "")


def not_read(path: str) -> str:
    """Why a file of a name that promises no type is passed over."""
    suffix = _suffix(path)
    return f"files {f'that end in {suffix}' if suffix else 'without a suffix'} are not read"


def _suffix(path: str) -> str:
    name = unquote(urlsplit(path).path) if "://" in path else path
    return PurePosixPath(name.replace("\\", "/")).suffix.lower()


def _contradiction(named: str, data: bytes) -> str:
    found = binary_kind(data) or ("a web page" if _PAGE.match(data[:2048]) else "")
    if named == PDF:
        return f"it is named a PDF but is {found}" if found and b"%PDF-" not in data[:_PDF_WITHIN] else ""
    if named == DOCX:
        expected = ("a ZIP archive", "an old Office file")  # an encrypted Word file is the latter
        return "" if found in expected else f"it is named a Word file but is {found or 'something else'}"
    if found in ("", "a web page"):
        return ""
    return f"it is named a text but is {found}"
