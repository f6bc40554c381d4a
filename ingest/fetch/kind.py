"""Which loader a fetched page is for: its first bytes, then what the server said, then what its name says.

Servers send Markdown and notebooks as plain text, and anything as a stream of bytes; a page without a suffix is most
often HTML. Reads the first bytes of a frozen body, nothing more.
"""

from pathlib import Path

from ingest.fetch.page import is_html
from ingest.loaders import detect

_SAYS_LITTLE = frozenset(
    {"", "text/plain", "application/octet-stream", "application/json", "binary/octet-stream"}
)
_AS_SAID = frozenset({detect.DOCX, detect.MARKDOWN, detect.MDX, detect.NOTEBOOK, detect.RST})
_LOOK = 2048  # bytes


def page_type(body: Path, *, url: str, content_type: str) -> str | None:
    """The media type by which to read a body; None where only its name can tell."""
    with body.open("rb") as file:
        head = file.read(_LOOK)
    kind = content_type.split(";", maxsplit=1)[0].strip().lower()
    if b"%PDF-" in head[:1024]:
        return detect.PDF
    if kind in _AS_SAID:
        return kind
    if is_html(head, content_type):
        return detect.HTML
    if kind in _SAYS_LITTLE:
        named = detect.named_type(url)
        return named if named not in ("", detect.HTML, detect.PDF) else detect.PLAIN
    return detect.PLAIN if kind.startswith("text/") else None
