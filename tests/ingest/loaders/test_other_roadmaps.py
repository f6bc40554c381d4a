"""The roadmap loader on roadmaps that are not the real one: small ones, and its lines in any order."""

from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.loaders.roadmap import load_roadmap
from rag.bundled import roadmap_path
from rag.schema import Document

_LINES = roadmap_path().read_text(encoding="utf-8").split("\n")


def _small(*lines: str) -> Document:
    return load_roadmap("\n".join(lines).encode(), path="small.txt")


def test_an_introduction_above_the_first_heading_is_kept() -> None:
    small = _small("Title", "", "An introduction.", "", "Section 1: One", "", "Words.")
    assert small.title == "Title"
    assert [block.span.cut(small.text) for block in small.blocks] == ["An introduction.", "Words."]


def test_marks_in_table_cells_are_kept() -> None:
    small = _small("Section 1: One", "", "A\tB", "one\ttwo.⁷ Three.", "")
    (mark,) = small.marks
    assert (mark.number, small.text[: mark.offset].split("\t")[-1]) == (7, "two.")


def test_a_cut_row_with_cells_too_few_is_still_joined() -> None:
    small = _small("Section 1: One", "", "A\tB\tC", "one\ttwo\tthree", "", "\tmore", "")
    cells = [" ".join(span.cut(small.text) for span in cell) for cell in small.blocks[-1].cells]
    assert cells == ["one", "two more", "three"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([line[:80] for line in _LINES]), max_size=40))
def test_lines_in_any_order_make_a_document_whose_parts_fit(lines: list[str]) -> None:
    document = load_roadmap("\n".join(["Section 1: One", *lines]).encode(), path="any.txt")
    ends = [block.span.end for block in document.blocks]
    assert ends == sorted(ends)
    assert all(block.lead is None or block.lead < n for n, block in enumerate(document.blocks))
    assert all(mark.offset <= len(document.text) for mark in document.marks)
