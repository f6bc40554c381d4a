"""The list of works cited, parsed from a document's own text.

Knows the shape of one entry, "title, accessed on October 10, 2025, URL", and every way in which a PDF's text layer
breaks it: an entry over several lines, a URL on its own line or bullet, in angle brackets, as a Markdown link or in
two halves. Pure; no file and no network.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_ENTRY = re.compile(r"\s{0,3}(\d{1,3})\.\s+(\S.*)")
_ACCESSED = re.compile(r",?\s*accessed on\s+([A-Z][a-z]+ \d{1,2}, \d{4}),?\s*")
_SPLIT_TAIL = re.compile(r">?\s*\[(-[^\]\s]+)\]\(#\)")  # the second half of a URL as a link to nowhere
_MARKDOWN_URL = re.compile(r"\[(https?://(?:\\.|[^\]\s])+)\]\(https?://\S*\)+")
_URL = re.compile(r"https?://[^\s<>]+")
_ESCAPED = re.compile(r"\\([()\[\]_*])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry. `text` is the entry on one line, its URL bare: what is shown, searched and quoted."""

    number: int
    title: str
    url: str  # without its text fragment
    text_fragment: str | None  # "#:~:text=…", for a browser only
    accessed: str | None  # ISO date
    text: str


def parse_works_cited(lines: tuple[str, ...]) -> tuple[Entry, ...]:
    """Entries in order of appearance; `lines` are those below the heading "Works cited".

    A line that opens with the next number begins an entry; every other line continues the one before it.
    """
    entries: list[Entry] = []
    parts: list[str] = []
    number = 0
    for line in lines:
        opening = _ENTRY.fullmatch(line)
        if opening and int(opening[1]) == number + 1:
            if parts:
                entries.append(_parse_entry(number, parts))
            number, parts = int(opening[1]), [opening[2]]
        elif line.strip() and parts:
            parts.append(line.strip().removeprefix("- "))
    if parts:
        entries.append(_parse_entry(number, parts))
    return tuple(entries)


def _parse_entry(number: int, parts: list[str]) -> Entry:
    raw = " ".join(" ".join(parts).split())
    raw = _SPLIT_TAIL.sub(r"\1", raw)
    raw = _MARKDOWN_URL.sub(lambda m: _ESCAPED.sub(r"\1", m[1]), raw)
    found = _URL.search(raw)
    address = found[0] if found else ""
    before = raw[: found.start()].rstrip(" <,") if found else raw
    dated = _ACCESSED.search(before + ", ")
    title = before[: dated.start()] if dated else before
    url, _, fragment = address.partition("#:~:text=")
    text = f"{before}, {address}" if address else before
    return Entry(
        number=number,
        title=title.strip(" ,"),
        url=url,
        text_fragment=f"#:~:text={fragment}" if fragment else None,
        accessed=_iso_date(dated[1]) if dated else None,
        text=text,
    )


def _iso_date(printed: str) -> str | None:
    try:
        return datetime.strptime(printed, "%B %d, %Y").replace(tzinfo=UTC).date().isoformat()
    except ValueError:
        return None
