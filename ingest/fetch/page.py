"""The visible text of an HTML page, roughly: enough to tell a page from a wall and a change from a new nonce.

Linear in the page's size whatever it holds, without building a tree; it is no reader of documents. Pure.
"""

import codecs
import hashlib
import re
from dataclasses import dataclass
from html import unescape

MOST_BYTES = 2**20  # of a page that are looked at

_TAG = re.compile(rb"</?([a-z][a-z0-9]*)")
_UNSEEN = frozenset({b"script", b"style", b"template", b"noscript", b"textarea", b"svg", b"title", b"iframe"})
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    title: str
    text: str  # blanks between words are one blank
    has_password: bool  # a field for one


def read_page(body: bytes, content_type: str) -> Page:
    """Title and visible text of an HTML page."""
    data = body[:MOST_BYTES].decode(charset_of(body, content_type), errors="replace").encode()
    lower = data.lower()  # ASCII letters only, so that positions agree
    seen: list[bytes] = []
    title = b""
    at = 0
    while (start := data.find(b"<", at)) >= 0:
        seen.append(data[at:start])
        if data.startswith(b"<!--", start):
            end, width = data.find(b"-->", start), 3
        elif (tag := _TAG.match(lower, start)) is None and not data.startswith((b"<!", b"<?"), start):
            seen.append(b"<")
            end, width = start, 1
        elif tag is not None and tag[1] in _UNSEEN and not data.startswith(b"</", start):
            end, width = lower.find(b"</" + tag[1], start), 0
            if tag[1] == b"title" and not title:
                title = data[data.find(b">", start) + 1 : max(end, 0)]
        else:
            end, width = data.find(b">", start), 1
            seen.append(b" ")
        if end < 0:
            at = len(data)
            break
        at = end + width
    seen.append(data[at:])
    return Page(
        title=_words(title),
        text=_words(b"".join(seen)),
        has_password=re.search(rb"<input\b[^>]{0,500}\btype\s*=\s*[\"']?password", lower) is not None,
    )


def fingerprint(body: bytes, content_type: str) -> str:
    """64 hex digits that change when what a reader sees does: of a page's text, or of the bytes of anything else."""
    if not is_html(body, content_type):
        return hashlib.sha256(body).hexdigest()
    page = read_page(body, content_type)
    return hashlib.sha256(f"{page.title}\n{page.text}".encode() + body[MOST_BYTES:]).hexdigest()


def is_html(body: bytes, content_type: str) -> bool:
    """By its declared type, or by how it begins where no text is declared: a login is sent in a PDF's place, too."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if kind in ("text/html", "application/xhtml+xml"):
        return True
    head = body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return not kind.startswith("text/") and head.startswith((b"<!doctype html", b"<html"))


def charset_of(body: bytes, content_type: str) -> str:
    """The name of a codec that Python has: by mark, header or declaration, else UTF-8."""
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for mark, name in marks:
        if body.startswith(mark):
            return name
    declared = _CHARSET.search(content_type) or _CHARSET.search(body[:2048].decode("latin-1"))
    try:
        return codecs.lookup(declared[1]).name if declared and _is_text_codec(declared[1]) else "utf-8"
    except LookupError:
        return "utf-8"


def _is_text_codec(name: str) -> bool:
    """Not one of Python's codecs from bytes to bytes, nor one that runs escapes."""
    return codecs.lookup(name).name not in (
        "base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "idna", "punycode", "undefined",
        "unicode-escape", "raw-unicode-escape", "unicode_escape", "raw_unicode_escape",
    )  # fmt: skip


def _words(data: bytes) -> str:
    return " ".join(unescape(data.decode("utf-8", errors="replace")).split())
