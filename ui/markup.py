"""Text of documents and models as HTML that can do nothing but be read.

Everything is escaped first and built from a few tags; nh3 then passes only those. A citation mark and whatever else
can be clicked is a `<button data-open="…">`; what a click means is the page's business. Pure.
"""

import html
import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache

import nh3
from markdown_it import MarkdownIt

from rag.schema import Span

_TAGS = frozenset(
    "b blockquote br button code div em h1 h2 h3 h4 h5 hr li mark ol p pre small span strong "
    "table tbody td th thead tr ul".split()
)
_ATTRIBUTES = {
    "*": {"class", "title"},
    "div": {"role", "aria-label"},
    "button": {"data-open", "data-copy", "aria-label", "aria-pressed", "type"},
    "a": {"href", "target"},
    "ol": {"start"},
}
_MARKER = re.compile(r"\[(\d{1,3})\]")
_OPEN, _CLOSE, _WEAK, _WEAK_END = "\ue000", "\ue001", "\ue002", "\ue003"  # stand in the text for tags
_STANDS_IN = re.compile("[\ue000-\ue003]")
_CITE = re.compile(f"[ ]?{_OPEN}(\\d+){_CLOSE}")
_MARKED = re.compile(
    f"[^\\s<>;{_OPEN}-{_WEAK_END}]{{0,30}}(?:[ ]?{_OPEN}\\d+{_CLOSE})+"
)  # the end of a word, and its marks
_PREFIX = re.compile(r"\s*(?:[-*•+]|\d{1,3}[.)]|#{1,6}|>)?\s*")  # of a list item, a heading or a quotation
_CELL = re.compile(r"[^|\s](?:[^|\n]*[^|\s])?")
_AFTER_ROW = re.compile(rf"^([ ]*\|.*?)\|[ \t]*((?:{_OPEN}\d+{_CLOSE})+)[ \t]*$", re.MULTILINE)
_HEADING = re.compile(r"<(/?)h[12]>")
# Controls, what turns the direction of text, and tag characters: invisible, and no part of what is read.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_DEEPEST = 20  # nested blocks of Markdown; nh3 is quadratic in depth


def clean(markup: str) -> str:
    """Only the tags and attributes that this module makes; links only to http and https."""
    return nh3.clean(
        markup,
        tags=_TAGS | {"a"},
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https"},
        link_rel="noopener noreferrer",
        strip_comments=True,
    )


def escape(text: str) -> str:
    """Text as it reads, inert; also inside an attribute."""
    return html.escape(_UNSEEN.sub("", _LONE_SURROGATES.sub("\ufffd", text)), quote=True)


def link(url: str, shown: str) -> str:
    """A link that opens in a tab of its own; only the text, if the address is not http or https.

    >>> link("javascript:alert(1)", "a")
    'a'
    """
    if not url.lower().startswith(("https://", "http://")):
        return escape(shown)
    return f'<a href="{escape(url)}" target="_blank" rel="noopener noreferrer">{escape(shown)}</a>'


def answer_html(
    text: str, *, labels: Mapping[int, str], unsupported: Sequence[Span] = (), formatted: bool = False
) -> str:
    """An answer's text with its citation marks as buttons.

    Args:
        labels: those that are citations, with what each shows when pointed at; any other number in brackets is text.
        unsupported: spans of `text` that nothing cited supports; they look different.
        formatted: the text is Markdown of a model; otherwise only its list items mean anything.
    """
    body = _MARKED.sub(
        r'<span class="held">\g<0></span>', _body(text, labels, unsupported, formatted=formatted)
    )
    body = _CITE.sub(lambda match: _cite(int(match[1]), labels[int(match[1])]), body)
    body = body.replace(_WEAK, '<span class="unsupported" title="No passage found supports this.">')
    return clean(_UNSEEN.sub("", body.replace(_WEAK_END, "</span>")))


def unfinished_html(text: str, *, formatted: bool) -> str:
    """A text that is still being written: its marks are shown and cannot be clicked yet."""
    body = _body(text, range(1000), (), formatted=formatted)
    return clean(_UNSEEN.sub("", _CITE.sub(r'<span class="cite">\1</span>', body)))


def _body(text: str, labels: Collection[int], unsupported: Sequence[Span], *, formatted: bool) -> str:
    marked = _stand_ins(text, labels, unsupported)
    if not formatted:
        return _plain_blocks(marked)
    marked = _AFTER_ROW.sub(r"\1\2 |", marked)  # marks behind a row would be cut off, or undo the table
    return _HEADING.sub(r"<\1h3>", _markdown().render(marked))


def _cite(label: int, preview: str) -> str:
    return (
        f'<button type="button" class="cite" data-open="{label}" aria-label="Source {label}" '
        f'title="{escape(preview)}">{label}</button>'
    )


def _stand_ins(text: str, labels: Collection[int], unsupported: Sequence[Span]) -> str:
    """Private-use characters in the place of tags, so that neither escaping nor Markdown touches them."""
    text = _STANDS_IN.sub("\ufffd", _LONE_SURROGATES.sub("\ufffd", text))
    inserted: list[tuple[int, int, str]] = []  # where, order at the same place, what
    for span in unsupported:
        for start, end in _lines_of(text, span):
            inserted += [(start, 1, _WEAK), (end, 0, _WEAK_END)]
    parts, at = [], 0
    for where, _, what in sorted(inserted):
        parts += [text[at:where], what]
        at = where
    whole = "".join([*parts, text[at:]])
    return _MARKER.sub(lambda m: f"{_OPEN}{m[1]}{_CLOSE}" if int(m[1]) in labels else m[0], whole)


def _lines_of(text: str, span: Span) -> list[tuple[int, int]]:
    """The parts of a span in each line, without the list mark that opens it; of a table's row, in each cell."""
    found, start = [], span.start
    for line in text[span.start : span.end].splitlines(keepends=True):
        prefix = _PREFIX.match(line) if start == 0 or text[start - 1] == "\n" else None
        first, last = start + (prefix.end() if prefix else 0), start + len(line.rstrip())
        if text.startswith("|", first):
            cells = _CELL.finditer(text, first, last)
            found += [cell.span() for cell in cells if any(c.isalnum() for c in cell[0])]
        elif first < last:
            found.append((first, last))
        start += len(line)
    return found


def _plain_blocks(text: str) -> str:
    """Paragraphs and list items; every other character stands for itself."""
    blocks: list[str] = []
    for line in text.split("\n"):
        item = re.match(r"\s*[-•] (.*)", line)
        if item and blocks and blocks[-1].endswith("</ul>"):
            blocks[-1] = f"{blocks[-1].removesuffix('</ul>')}<li>{escape(item[1])}</li></ul>"
        elif item:
            blocks.append(f"<ul><li>{escape(item[1])}</li></ul>")
        elif line.strip():
            blocks.append(f"<p>{escape(line)}</p>")
    return "".join(blocks)


@cache
def _markdown() -> MarkdownIt:
    """Markdown without HTML, images and links: what a model writes names no address."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": _DEEPEST}).enable("table")
    return parser.disable(["html_block", "html_inline", "image", "link", "autolink", "reference"])
