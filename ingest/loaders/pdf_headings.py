"""Which lines of a PDF are headings: by size, weight, number and the room around them. Pure.

Measures first what is usual in the document: size of most letters, distance of lines. Knows no piece and no page.
"""

import re
from collections import Counter
from dataclasses import dataclass

from ingest.loaders.pdf_lines import MARK, Span
from ingest.loaders.pdf_running import PageLines

_NUMBER = re.compile(
    r"(?:chapter|section|part|appendix)?\s*((?:\d+|[A-Z](?=\.\d))(?:\.\d+)*)[.:]?\s+\S", re.IGNORECASE
)
BULLETS = "•◦▪‣●○■□❒❑➢➤✓·∙⁃"
_ITEM = re.compile(r"[^\w\s\"'“‘(\[{$¿¡]\s|\(?\w{1,3}[.)]\s")  # how an item of a list opens
Around = tuple[Span | None, Span | None, float]  # the lines above and below, the usual width


@dataclass(frozen=True, slots=True, kw_only=True)
class Fonts:
    """What is usual in this document."""

    body: float  # size of most letters
    leading: float  # distance of two lines of a paragraph, in sizes
    headings: frozenset[float]  # sizes that only few letters have
    bold_is_rare: bool


def measure(pages: tuple[PageLines, ...]) -> Fonts:
    """The usual sizes and distances, by the number of letters that have them."""
    letters: Counter[float] = Counter()
    leadings: Counter[float] = Counter()
    bold = 0
    for page in pages:
        for n, line in enumerate(page.lines):
            letters[_round(line.size)] += len(line.text)
            bold += len(line.text) * line.bold
            gap = page.lines[n - 1].y - line.y if n else 0.0
            if line.size > 0 and 0.8 < gap / line.size < 2.5:
                leadings[round(gap / line.size, 1)] += 1
    total = letters.total()
    body = max(letters, key=lambda size: (letters[size], size))
    larger = {size: n for size, n in letters.items() if size >= 1.12 * body}
    return Fonts(
        body=body,
        leading=max(leadings, key=lambda ratio: (leadings[ratio], -ratio)) if leadings else 1.2,
        headings=frozenset(size for size, n in larger.items() if n < 0.25 * total),
        bold_is_rare=bold < 0.25 * total,
    )


def _round(size: float) -> float:
    return round(2 * size) / 2


def usual_width(page: PageLines, fonts: Fonts) -> float:
    """Of a full line of this page's running text."""
    widths = sorted(line.end - line.x for line in page.lines if _round(line.size) == fonts.body)
    return widths[int(0.8 * (len(widths) - 1))] if widths else 0.0


def is_heading(line: Span, fonts: Fonts, around: Around) -> bool:
    """Whether a line is set as headings are: larger, or bold or numbered and with room around it."""
    text, (above, below, width) = MARK.sub("", line.text), around
    letters = sum(map(str.isalpha, text))
    if not 3 <= letters >= 0.5 * len(text.replace(" ", "")) or len(text) > 140 or text[0] in BULLETS:
        return False
    if _round(line.size) in fonts.headings:
        return not (text.endswith((",", ";")) or (text.endswith(".") and len(text) > 80))
    number = _NUMBER.match(text)
    if line.size < 0.95 * fonts.body or text[0].islower() or text[-1] in ".,;:" or len(text) > 100:
        return False
    gap = 1.25 * fonts.leading * line.size
    apart = above is None or not 0 <= above.y - line.y < gap
    if line.bold and fonts.bold_is_rare:
        return apart and (number is not None or not _ITEM.match(text))
    alone = apart and (below is None or not 0 <= line.y - below.y < gap)
    return bool(number and "." in number[1] and alone and line.end - line.x < 0.8 * width)


def same_heading(above: Span, line: Span) -> bool:
    """Whether a heading goes on in the line below it."""
    alike = _round(above.size) == _round(line.size) and above.bold == line.bold
    return alike and -0.3 < (above.y - line.y) / max(line.size, 1) < 1.7 and not _NUMBER.match(line.text)


def style(lines: tuple[Span, ...]) -> tuple[float, bool, int]:
    """What headings of one level share: size, weight, parts of the number; outer levels sort first."""
    number = _NUMBER.match(lines[0].text)
    depth = number[1].count(".") + 1 if number else 1
    size = _round(max(line.size for line in lines))
    return -size, not lines[0].bold, depth


def section_name(title: str) -> str:
    """What a section is called by: its number, else the words of its title."""
    number = _NUMBER.match(title)
    if number:
        return number[1]
    return "-".join(re.findall(r"\w+", title.lower()))[:40].strip("-") or "section"
