"""The documents of the evaluation data: all load, with title and headings, and without what is only markup."""

import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from ingest.loaders import load_document
from ingest.loaders.outcome import Outcome, Unloadable
from rag.schema import Block, BlockKind, Document

_SUFFIXES = {".md": 49, ".mdx": 13, ".rst": 10, ".ipynb": 4, ".html": 6}
# "{{" alone is text in one file (a prompt's placeholder); what must not be left is a site generator's.
_LEFT_OVERS = re.compile(
    r"\{\{[<%]|\{%|:(?:numref|label|eqlabel|eqref|cite|citet|begin_tab|end_tab|ref|func|class|math):"
    r"|<(?:div|figure|img|iframe|a href|Youtube|Tip|CourseFloatingBanner|Screenshot)\b|&nbsp;"
    r"|^import \{?\w[\w, ]*\}? from|^:::|\[!(?:NOTE|IMPORTANT|INCLUDE)|^!!! |^\?\?\? |^=== \"|\\(?:mathbf|frac)\b"
    r"|^\.\. \w+::|```",
    re.MULTILINE,
)
_HEADING = re.compile(r"^#{1,3} +\w|^(?:={4,}|-{4,})$|<h[12]", re.MULTILINE)


def _files(shared: Path) -> list[Path]:
    found = [path for path in (shared / "sources/docs").rglob("*") if path.suffix in _SUFFIXES]
    assert Counter(path.suffix for path in found) == _SUFFIXES
    return sorted(found)


@cache
def _load(path: Path) -> Document:
    return load_document(path.read_bytes(), path=path.name)


def _is_listing(text: str) -> bool:
    return "\n" in text


def test_every_file_loads_with_a_title_and_its_headings(shared: Path) -> None:
    for path in _files(shared):
        document = _load(path)
        assert document.title.strip(), path.name
        assert len(document.text) > 500, path.name
        has_headings = _HEADING.search(path.read_text(encoding="utf-8")) is not None
        assert bool(document.headings) or not has_headings, path.name
        assert not any("replaced" in note or "guess" in note for note in document.notes), path.name


def test_no_markup_is_left_over_outside_of_listings(shared: Path) -> None:
    left: list[str] = []
    for path in _files(shared):
        document = _load(path)
        texts = [block.span.cut(document.text) for block in document.blocks]
        texts += [heading.title for heading in document.headings]
        left += [
            f"{path.name}: {text[:80]}"
            for text in texts
            if not _is_listing(text) and _LEFT_OVERS.search(text)
        ]
    assert not left


def test_every_span_lies_in_its_text_and_in_order(shared: Path) -> None:
    for path in _files(shared):
        document = _load(path)
        end = 0
        for index, block in enumerate(document.blocks):
            assert end <= block.span.start < block.span.end <= len(document.text)
            assert block.span.cut(document.text).strip()
            assert block.lead is None or block.lead < index
            _check_cells(document, block)
            end = block.span.end
        for heading in document.headings:
            assert heading.span.cut(document.text).startswith(heading.title)
        assert len({heading.section_id for heading in document.headings}) == len(document.headings)


def _check_cells(document: Document, block: Block) -> None:
    if block.kind is BlockKind.ROW:
        cells = [span.cut(document.text) for (span,) in block.cells]
        assert "\t".join(cells) == block.span.cut(document.text)
        assert len(cells) == len(block.columns)


def test_loading_twice_gives_the_same(shared: Path) -> None:
    for path in _files(shared)[::10]:
        assert load_document(path.read_bytes(), path=path.name) == _load(path)


def test_svelte_is_not_supported(shared: Path) -> None:
    found = sorted((shared / "sources/docs").rglob("*.svelte"))
    assert len(found) == 10
    for path in found:
        with pytest.raises(Unloadable) as refused:
            load_document(path.read_bytes(), path=path.name)
        assert refused.value.outcome is Outcome.UNSUPPORTED
