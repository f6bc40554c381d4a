"""From runs of text with places to a page's lines in reading order. Pure; knows neither PDF nor paragraphs.

Runs that stand on one base line make one line; small raised `[12]` become reference marks (`MARK`). The order of
the file is kept, save where columns were written line by line across the page: those are parted at the gutter.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

MARK = re.compile("\ue000(\\d+)\ue001")  # a reference mark inside a line's text; both are private characters
_RAISED = re.compile(r"\s*((?:\[\d{1,3}\]\s*)+)")
_FEWEST_ROWS = 4  # of two columns side by side; fewer are a table or chance
_FEWEST_LETTERS = 18  # a row of a column on average; fewer are cells of a table


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A run of text or a line. Units of the page, in the text's own frame: `x` grows with reading, `y` upwards."""

    x: float
    y: float  # of the base line
    end: float  # right edge; exact or an estimate, as the reader can tell
    size: float  # of the font
    bold: bool
    text: str

    def with_text(self, text: str) -> "Span":
        return replace(self, text=text)

    def as_row(self) -> list[float | bool | str]:
        """The form that travels from the child process."""
        x, y, end, size = (round(n, 1) for n in (self.x, self.y, self.end, self.size))
        return [x, y, end, size, self.bold, self.text]

    @classmethod
    def from_row(cls, row: Sequence[object]) -> "Span":
        """The value of `as_row`; what comes from a child is checked."""
        numbers, (bold, text) = row[:4], row[4:]
        x, y, end, size = (float(n) if isinstance(n, int | float) else 0.0 for n in numbers)
        return cls(x=x, y=y, end=end, size=size, bold=bool(bold), text=str(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run stands in its own frame: a rotated text is read as if the page were turned."""

    x: float
    y: float
    size: float
    direction: tuple[float, float]


def place_run(matrix: tuple[float, float, float, float], at: tuple[float, float], size: float) -> Place:
    """From a text matrix (a, b, c, d), the origin on the page and the font's nominal size."""
    a, b, c, d = matrix
    along = math.hypot(a, b) or 1.0
    a, b = a / along, b / along
    x, y, size = at[0] * a + at[1] * b, at[1] * a - at[0] * b, abs(size) * math.hypot(c, d)
    if not all(map(math.isfinite, (x, y, size))):
        x, y, size = 0.0, 0.0, 1.0
    return Place(x=x, y=y, size=round(size, 2), direction=(a, b))


def order_lines(spans: Iterable[Span]) -> list[Span]:
    """The lines of a page, column by column."""
    return [_join(line) for line in _part_columns(_group(spans))]


def _group(spans: Iterable[Span]) -> list[list[Span]]:
    """Spans of one base line together. A line end in the text counts only where the place agrees."""
    lines: list[list[Span]] = []
    line: list[Span] = []
    ended = False
    for span in spans:
        for n, part in enumerate(span.text.split("\n")):
            ended = ended or n > 0
            if not part.strip():
                if line and part and not ended:
                    line[-1] = line[-1].with_text(line[-1].text + part)
                continue
            new = span.with_text(part)
            if line and not _goes_on(line, new, ended=ended):
                lines.append(line)
                line = []
            if line and ended and not part[0].isspace():
                new = new.with_text(" " + part)
            line.append(new)
            ended = False
    return [*lines, line] if line else lines


def _goes_on(line: list[Span], new: Span, *, ended: bool) -> bool:
    size = max(span.size for span in (*line, new))
    base = _base(line)
    near = abs(new.y - base.y) <= (0.45 if ended else 0.6) * size
    return near and (not ended or new.x > line[-1].x + 0.1 * size)


def _base(line: list[Span]) -> Span:
    """The span that the line stands on: the longest of the largest."""
    largest = max(span.size for span in line)
    return max((s for s in line if s.size >= 0.85 * largest), key=lambda span: len(span.text))


def _join(line: list[Span]) -> Span:
    base = _base(line)
    text = "".join(_marked(span, base) for span in line)
    weights: Counter[tuple[float, bool]] = Counter()
    for span in line:
        weights[round(span.size, 1), span.bold] += len(span.text.strip())
    size, bold = max(weights, key=lambda key: (weights[key], key))
    return Span(
        x=min(span.x for span in line),
        y=base.y,
        end=max(span.end for span in line),
        size=size,
        bold=bold,
        text=" ".join(text.split()),
    )


def _marked(span: Span, base: Span) -> str:
    raised = span.y - base.y > 0.15 * base.size and span.size < 0.9 * base.size
    if not raised or not (match := _RAISED.fullmatch(span.text)):
        return span.text
    return "".join(f"\ue000{number}\ue001" for number in re.findall(r"\d+", match[1]))


def _part_columns(lines: list[list[Span]], *, depth: int = 0) -> list[list[Span]]:
    """Left column before right wherever lines run across both; a line as wide as the page stays between."""
    gutter = _gutter(lines) if depth < 3 else None
    if gutter is None:
        return lines
    ordered: list[list[Span]] = []
    left: list[list[Span]] = []
    right: list[list[Span]] = []
    start = min(line[0].x for line in lines)
    for line in lines:
        before = [span for span in line if span.x < gutter - 1]
        after = [span for span in line if span.x >= gutter - 1]
        if before and before[-1].end > gutter + 0.15 * (gutter - start):
            ordered += [*left, *_part_columns(right, depth=depth + 1), line]
            left, right = [], []
            continue
        left += [before] if before else []
        right += [after] if after else []
    return [*ordered, *left, *_part_columns(right, depth=depth + 1)]


def _gutter(lines: list[list[Span]]) -> float | None:
    """Where the right one of two interleaved columns of prose begins."""
    if not lines:
        return None
    start = min(line[0].x for line in lines)
    end = max(span.end for line in lines for span in line)
    starts = Counter(
        round(after.x)
        for line in lines
        for before, after in pairwise(line)
        if start + 0.2 * (end - start) < after.x < start + 0.8 * (end - start) and before.x < after.x
    )
    for x, _ in sorted(starts.items(), key=lambda item: (-item[1], item[0]))[:3]:
        rows = [line for line in lines if any(abs(span.x - x) <= 1.5 for span in line[1:])]
        if len(rows) < _FEWEST_ROWS or 2 * len(rows) < len(lines):
            continue
        left = sum(len(span.text.strip()) for row in rows for span in row if span.x < x - 1.5)
        right = sum(len(span.text.strip()) for row in rows for span in row if span.x >= x - 1.5)
        if min(left, right) >= _FEWEST_LETTERS * len(rows):
            return float(x - 1)
    return None
