"""A report as people read it: a sheet of sections with facts, grids and plots, as Markdown or as one HTML file.

The page holds everything it shows: style and plots are inside, there is no script, and nothing is loaded from
anywhere. Texts are escaped; plots are SVG made by `eval.plots`. This module knows no metric.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

# Nothing may be loaded; the style is in the page.
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: .8rem 0; }
th, td { border-bottom: 1px solid var(--line); padding: .25rem .7rem; text-align: left; vertical-align: top; }
thead th { background: var(--soft); } td.n { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.plots { display: flex; flex-wrap: wrap; align-items: flex-start; gap: 1rem; margin: 1rem 0; }
figure { flex: 1 1 26rem; max-width: 40rem; margin: 0; background: #fff; color: #222; padding: .5rem; }
figure svg { max-width: 100%; height: auto; } figcaption { font-size: .85rem; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table of texts; every row is as long as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    caption: str
    svg: str  # of our own making, not escaped


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    lines: tuple[str, ...] = ()
    grids: tuple[Grid, ...] = ()
    plots: tuple[Plot, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    title: str
    sections: tuple[Section, ...]


def markdown(sheet: Sheet) -> str:
    """The sheet without its plots."""
    parts = [f"# {sheet.title}"]
    for section in sheet.sections:
        parts.append(f"## {section.title}")
        if section.lines:
            parts.append("\n".join(f"- {line}" for line in section.lines))
        parts += [_markdown_grid(grid) for grid in section.grids]
    return "\n\n".join(parts) + "\n"


def html(sheet: Sheet) -> str:
    """The sheet as one file that needs no other."""
    title = escape(sheet.title)
    body = "\n".join(part for section in sheet.sections for part in _section(section))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}\n"
        "</body>\n</html>\n"
    )


def _section(section: Section) -> Iterator[str]:
    yield f"<section>\n<h2>{escape(section.title)}</h2>"
    if section.lines:
        yield "<ul>" + "".join(f"<li>{escape(line)}</li>" for line in section.lines) + "</ul>"
    yield from map(_html_grid, section.grids)
    figures = (f"<figure>{p.svg}<figcaption>{escape(p.caption)}</figcaption></figure>" for p in section.plots)
    if section.plots:
        yield f'<div class="plots">\n{"".join(figures)}\n</div>'
    yield "</section>"


def _html_grid(grid: Grid) -> str:
    head = "".join(f"<th>{escape(cell)}</th>" for cell in grid.head)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>\n" for row in grid.rows)
    return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"


def _cell(text: str) -> str:
    kind = ' class="n"' if text[:1].isdigit() or text[:1] in "–+-" else ""
    return f"<td{kind}>{escape(text)}</td>"


def _markdown_grid(grid: Grid) -> str:
    return "\n".join(_line(cells) for cells in (grid.head, ("---",) * len(grid.head), *grid.rows))


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(' '.join(cell.split()).replace('|', '¦') for cell in cells)} |"
