"""What an answer amounts to: a page that can be read, or which of the usual things instead of one. Pure.

The rules are about short pages: a wall, a challenge or a shell without text is never long, and a long page that
mentions cookies or offers a login is still the page. They err on the side of "ok"; what was taken for ok is frozen
and can be looked at.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from ingest.fetch.page import Page, is_html, read_page

SHORT = 1500  # characters of visible text; walls and challenges have fewer
LEAST = 200  # characters; a page with fewer says nothing


class Outcome(StrEnum):
    OK = "ok"
    CHANGED = "changed"  # ok, and not what it was before
    SUPPLIED = "supplied"  # not fetched: a person gave a file for it
    GONE = "gone"
    BLOCKED = "blocked"  # by the site or its robots.txt
    WALL = "wall"  # login or cookie wall
    EMPTY = "empty"
    NOT_TEXT = "not_text"
    REFUSED = "refused"  # by us: not an address that is fetched from
    FAILED = "failed"  # no answer, or an error on the site's side


READABLE = frozenset({Outcome.OK, Outcome.CHANGED, Outcome.SUPPLIED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    outcome: Outcome
    reason: str = ""  # for people; "" if there is nothing to say


_STATUSES = {
    206: (Outcome.FAILED, "sends only a part"),
    401: (Outcome.WALL, "asks for a login"),
    402: (Outcome.WALL, "asks for payment"),
    404: (Outcome.GONE, "answers 404"),
    407: (Outcome.WALL, "asks for a login"),
    410: (Outcome.GONE, "answers 410"),
}
_MAGIC = (
    b"\x7fELF", b"MZ\x90", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"PK\x03\x04", b"\x1f\x8b", b"BZh", b"RIFF",
    b"7z\xbc\xaf", b"\xfd7zXZ", b"\xca\xfe\xba\xbe", b"OggS", b"ID3", b"wOFF", b"wOF2", b"SQLite format 3",
)  # fmt: skip
_NEVER_TEXT = (
    "image/",
    "audio/",
    "video/",
    "font/",
    "application/zip",
    "application/x-gzip",
    "application/wasm",
)
_WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff")  # UTF-16 and UTF-32 hold NULs
_CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
_CHALLENGE = re.compile(
    r"just a moment|attention required|access denied|verify (that )?you are (a )?human|are you a robot|captcha"
    r"|unusual traffic|pardon our interruption|checking your browser|request (was )?blocked",
    re.IGNORECASE,
)
_NOT_FOUND = re.compile(r"\b404\b|page not found|\bnot found\b|no longer (exists|available)", re.IGNORECASE)
_LOGIN = re.compile(
    r"(sign|log) ?in (to|with|or)\b|please (sign|log) ?in|(sign up|subscribe|register|create an account) to"
    r" (continue|read|view)|members? only|subscribers? only",
    re.IGNORECASE,
)
_LOGIN_PATH = re.compile(
    r"(^|[/.])(log-?in|sign-?in|auth|authwall|sso|accounts?/login)([/.?]|$)", re.IGNORECASE
)
_COOKIE = re.compile(
    r"cookies?\b.{0,400}\b(accept|agree|consent|allow|enable)|\b(accept|agree|consent|allow|enable)\b.{0,400}\bcookies?\b",
    re.IGNORECASE | re.DOTALL,
)


def classify(*, status: int, content_type: str, body: bytes, requested: str, final: str) -> Verdict:
    """The verdict on an answer with a body. Whether a page changed is for those who know what it was."""
    html = is_html(body, content_type)
    page = read_page(body, content_type) if html else None
    if status in _STATUSES or not 200 <= status < 300:
        return _by_status(status, page)
    if not body.strip():
        return Verdict(outcome=Outcome.EMPTY, reason="nothing came")
    if b"%PDF-" in body[:1024]:
        return Verdict(outcome=Outcome.OK)
    if (reason := _why_not_text(body, content_type)) is not None:
        return Verdict(outcome=Outcome.NOT_TEXT, reason=reason)
    if page is None:
        return Verdict(outcome=Outcome.OK)
    return _by_page(page, moved_to_login=_is_login(final) and not _is_login(requested))


def _by_status(status: int, page: Page | None) -> Verdict:
    if status in _STATUSES:
        outcome, reason = _STATUSES[status]
        return Verdict(outcome=outcome, reason=reason)
    challenged = page is not None and len(page.text) < SHORT and bool(_CHALLENGE.search(page.title))
    if challenged or 400 <= status < 500 or status == 999:
        return Verdict(outcome=Outcome.BLOCKED, reason=f"answers {status}")
    return Verdict(outcome=Outcome.FAILED, reason=f"answers {status}")


def _why_not_text(body: bytes, content_type: str) -> str | None:
    """By the bytes first: what a server says about them is often wrong."""
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if body.startswith(_MAGIC) or kind.startswith(_NEVER_TEXT):
        shown = "".join(char for char in kind[:60] if char.isprintable())
        return f"not text, declared as {shown or 'nothing'}"
    sample = body[:8192]
    if not sample.startswith(_WIDE_MARKS) and len(_CONTROLS.findall(sample)) > len(sample) // 50:
        return "not text: control characters"
    return "not text: NUL" if b"\0" in sample and not sample.startswith(_WIDE_MARKS) else None


def _by_page(page: Page, *, moved_to_login: bool) -> Verdict:
    if moved_to_login:
        return Verdict(outcome=Outcome.WALL, reason="leads to a login")
    if len(page.text) < SHORT and (instead := _instead_of_page(page)) is not None:
        return instead
    if len(page.text) < LEAST:
        return Verdict(outcome=Outcome.EMPTY, reason=f"{len(page.text)} characters of text")
    return Verdict(outcome=Outcome.OK)


def _instead_of_page(page: Page) -> Verdict | None:
    """What a short page says that it is."""
    seen = f"{page.title}\n{page.text}"
    if _CHALLENGE.search(seen):
        return Verdict(outcome=Outcome.BLOCKED, reason="a challenge instead of the page")
    if _NOT_FOUND.search(page.title):
        return Verdict(outcome=Outcome.GONE, reason="says that it was not found")
    if page.has_password or _LOGIN.search(seen):
        return Verdict(outcome=Outcome.WALL, reason="login wall")
    if _COOKIE.search(seen):
        return Verdict(outcome=Outcome.WALL, reason="cookie wall")
    return None


def _is_login(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return bool(_LOGIN_PATH.search(parts.path)) or (parts.hostname or "").startswith(
        ("login.", "accounts.", "auth.")
    )
