"""reStructuredText: structure kept; nothing included; what docutils does not know keeps its words."""

from pathlib import Path

import pytest

from ingest.loaders.rst import load_rst
from rag.schema import BlockKind, Document


def _load(source: str) -> Document:
    return load_rst(source.encode(), path="a.rst")


def test_headings_lists_and_listings() -> None:
    document = _load(
        "A\n=\n\nB\n-\n\nTwo kinds:\n\n* **one**: x\n\n  1. inner\n* two\n\nRun::\n\n  x = 1\n    y\n"
    )
    assert [(h.section_id, h.title) for h in document.headings] == [("1", "A"), ("1.1", "B")]
    items = [block for block in document.blocks if block.kind is BlockKind.ITEM]
    assert [(i.depth, i.marker, i.label, i.lead) for i in items] == [
        (0, "-", "one", 0), (1, "1.", "", 1), (0, "-", "", 0),
    ]  # fmt: skip
    assert document.text.endswith("x = 1\n  y")
    assert document.title == "A"


def test_a_table_is_a_header_and_rows() -> None:
    document = _load("===  ===\nA    B\n===  ===\n1    2\n===  ===\n")
    assert [block.kind for block in document.blocks] == [BlockKind.HEADER, BlockKind.ROW]
    assert document.blocks[1].columns == ("A", "B")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Use :func:`~a.b.fit` or :class:`C` as in :ref:`the guide <g>`.", "Use fit or C as in the guide."),
        ("See :ref:`cross_validation`.", "See cross validation."),
        ("A :math:`\\frac{x}{2}` b", "A x/2 b"),
        (".. math::\n\n   a \\leq b", "a ≤ b"),
        (".. currentmodule:: sklearn\n\nText", "Text"),
        (".. seealso:: More\n\n   Inner *text*.\n\nText", "More\n\nInner text.\n\nText"),
        (".. only:: html\n\n   .. unknown::\n      :option: 1\n\n      Deep.\n\nText", "Deep.\n\nText"),
        (".. note:: Mind.", "Mind."),
        (".. figure:: a.png\n   :alt: words\n\n   Caption.", "Caption."),
        (".. comment\n\nText", "Text"),
        ("A `link <https://x.example>`_ and |missing| b", "A link and |missing| b"),
        ("term\n  What it means.", "- term\n\nWhat it means."),
    ],
)
def test_what_a_reader_sees_is_what_is_left(source: str, text: str) -> None:
    assert _load(source).text == text


@pytest.mark.parametrize(
    "directive",
    [
        "include:: {}", "raw:: html\n   :file: {}", "literalinclude:: {}", "csv-table::\n   :file: {}",
        "raw:: html\n\n   <b>SECRET</b>", "code:: text\n   :include: {}",
    ],
)  # fmt: skip
def test_nothing_is_included_whatever_the_text_asks_for(
    directive: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "secret.txt"
    other.write_text("SECRET", encoding="utf-8")
    assert "SECRET" not in _load(f"Text\n\n.. {directive.format(other)}\n\nEnd\n").text
    assert capfd.readouterr() == ("", "")


def test_a_text_that_docutils_gives_up_on_is_read_as_plain() -> None:
    document = _load("Short.\n\n" + "long " * 30_000)
    assert document.text.startswith("Short.\n\nlong long")
    assert "plain text" in document.notes[0]
