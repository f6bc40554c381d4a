"""A document's text set for reading: where lists, tables, quotes and marks come to stand."""

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Span
from ui.reading import Mark, reading_html


def _marked(html: str) -> list[str]:
    return re.findall(r"<mark>(.*?)</mark>", html)


def _read(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def test_list_items_stand_further_in_and_keep_their_signs() -> None:
    html = reading_html("Two:\n- one\n  1. inner\n    - deep\nEnd.")
    assert re.findall(r'class="line ([^"]+)">([^<]*)', html) == [
        ("item in-0", "- one"),
        ("item in-1", "1. inner"),
        ("item in-2", "- deep"),
    ]


def test_lines_with_tabs_are_rows_below_the_names_of_their_columns() -> None:
    html = reading_html("Feature\tA\tB\nSpeed\tfast\tslow\n\nAfter.")
    assert (
        "<tr><th>Feature</th><th>A</th><th>B</th></tr><tr><td>Speed</td><td>fast</td><td>slow</td></tr>"
        in html
    )
    assert "<table" not in reading_html("A single\tline.\nNext.")


def test_a_quote_over_several_lines_and_cells_is_highlighted_in_each() -> None:
    text = "a\n- b c\nx\ty\nz\tw"
    html = reading_html(text, quotes=[Span(start=4, end=11)])
    assert _marked(html) == ["b c", "x", "y"]


def test_highlights_that_overlap_or_leave_the_text_are_mended() -> None:
    html = reading_html("abcdef", quotes=[Span(start=3, end=9), Span(start=1, end=4)])
    assert '<div class="line">a<mark>bcd</mark><mark>ef</mark></div>' in html


def test_marks_stand_at_their_places() -> None:
    html = reading_html(
        "One. Two.\nThree.", marks=[Mark(at=16, html="<b>3</b>"), Mark(at=4, html="<b>1</b>")]
    )
    assert "One.<b>1</b> Two." in html
    assert "Three.<b>3</b>" in html


@given(
    st.text(alphabet="ab.-1 \t\n<&", max_size=60),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=3),
)
def test_no_character_that_is_seen_is_lost_or_moved(text: str, pairs: list[tuple[int, int]]) -> None:
    quotes = [Span(start=min(pair), end=max(pair)) for pair in pairs]
    html = reading_html(text, quotes=quotes)
    assert "".join(_read(html).split()) == "".join(text.split())
    covered = {at for quote in quotes for at in range(quote.start, quote.end)}
    assert "".join("".join(_marked(html)).split()) == _read_escaped(
        "".join(c for at, c in enumerate(text) if at in covered)
    )


def _read_escaped(text: str) -> str:
    return "".join(text.replace("&", "&amp;").replace("<", "&lt;").split())


@pytest.mark.parametrize("text", ["", "\n\n", "<img src=x onerror=alert(1)>\t<script>\n\t\n- <b>"])
def test_nothing_of_a_text_becomes_a_tag(text: str) -> None:
    assert re.findall(r"<(img|script|b)\b", reading_html(text)) == []
