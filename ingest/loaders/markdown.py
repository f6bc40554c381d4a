"""Markdown and MDX: rendered to HTML and read as such, after what is neither Markdown nor text has been cleaned.

One way for all that HTML can say, so that what is hidden in embedded HTML stays hidden here, too. Knows CommonMark
with tables and what `dialects` cleans; footnotes and definition lists stay as they are written.
"""

import re
from functools import cache

from markdown_it import MarkdownIt

from ingest.assemble import make_source
from ingest.loaders.detect import MARKDOWN, MDX
from ingest.loaders.dialects import clean_listing, clean_mdx, clean_prose, open_boxes
from ingest.loaders.encoding import decode_text
from ingest.loaders.hypertext import read_hypertext
from ingest.loaders.pieces import Pieces
from ingest.loaders.visible import read_page
from rag.schema import Document

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)^(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL | re.MULTILINE)
_DEEPEST = 100  # a list and its item are two levels
_TITLE = re.compile(r"^title:[ \t]*(\S.*?)[ \t]*$", re.MULTILINE)
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,3}[.)]) +)?(`{3,}|~{3,})(.*)")


def load_markdown(data: bytes, *, path: str) -> Document:
    """Read Markdown.

    Raises:
        Unloadable: empty, too large, not text, or without any.
    """
    return _load(data, path, media_type=MARKDOWN)


def load_mdx(data: bytes, *, path: str) -> Document:
    """Read Markdown with components: imports and tags go, what they enclose stays.

    Raises:
        Unloadable: empty, too large, not text, or without any.
    """
    return _load(data, path, media_type=MDX)


def read_markdown(text: str, pieces: Pieces, *, is_mdx: bool = False) -> tuple[str, ...]:
    """Write what a Markdown text holds. Returns what was lost on the way."""
    renderer = _renderer()
    tokens = renderer.parse(_clean(text, is_mdx=is_mdx))
    markup = renderer.renderer.render(tokens, renderer.options, {})
    page = read_page(markup or "<p></p>")
    read_hypertext(page.root, pieces)
    is_cut = any(token.level >= _DEEPEST - 1 for token in tokens)
    return page.notes + ((f"text nested more than {_DEEPEST} levels deep was left out",) if is_cut else ())


def part_front_matter(text: str) -> tuple[str, str]:
    """The title in the block of settings that a text may open with, and the text after that block."""
    matter = _FRONT_MATTER.match(text)
    if matter is None:
        return "", text
    titled = _TITLE.search(matter[1])
    return titled[1].strip("\"'") if titled else "", text[matter.end() :]


def _load(data: bytes, path: str, *, media_type: str) -> Document:
    decoded = decode_text(data, path=path)
    title, body = part_front_matter(decoded.text)
    pieces = Pieces(path=path)
    losses = read_markdown(body, pieces, is_mdx=media_type == MDX)
    return pieces.document(
        make_source(path, data, media_type=media_type),
        title=title,
        notes=(*decoded.notes, *losses),
    )


@cache
def _renderer() -> MarkdownIt:
    return (
        MarkdownIt("commonmark", {"html": True, "maxNesting": _DEEPEST})
        .enable(["table", "strikethrough"])
        .disable(["image"])
    )


def _clean(text: str, *, is_mdx: bool) -> str:
    """Clean listings and prose each in its own way."""
    parts: list[str] = []
    for is_listing, lines in _parted(open_boxes(text)):
        if is_listing:
            parts += clean_listing(lines)
        else:
            prose = "\n".join(lines)
            parts.append(clean_prose(clean_mdx(prose) if is_mdx else prose))
    return "\n".join(parts)


def _parted(text: str) -> list[tuple[bool, list[str]]]:
    """The lines of a text, those of fenced listings apart from the others."""
    runs: list[tuple[bool, list[str]]] = [(False, [])]
    closing = ""
    for line in text.split("\n"):
        fence = _FENCE.match(line)
        if closing:
            runs[-1][1].append(line)
            if fence and fence[1].startswith(closing) and not fence[2].strip():
                closing = ""
                runs.append((False, []))
        elif fence and "`" not in fence[2]:
            closing = fence[1]
            runs.append((True, [line]))
        else:
            runs[-1][1].append(line)
    return [run for run in runs if run[1]]
