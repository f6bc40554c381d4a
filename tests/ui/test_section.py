"""The text around a quote: its innermost section, its place in it, a window where the section is long."""

import pytest

from rag.schema import Document, Heading, Source, Span
from ui.section import MOST_CHARS, section_around, section_text

TEXT = "Part\nIntro words.\n1. One\nFirst here. Second here.\n2. Two\nThird here.\n"


def _document(text: str, *headings: tuple[str, int, int, int]) -> Document:
    source = Source(source_id="s", path="p", media_type="text/plain", content_sha256="0", size_bytes=1)
    made = (
        Heading(section_id=title[:1], level=level, title=title, span=Span(start=start, end=end))
        for title, level, start, end in headings
    )
    return Document(source=source, title="Doc", text=text, headings=tuple(made), blocks=())


ROADMAP = _document(
    TEXT,
    ("Part", 1, 0, len(TEXT)),
    ("1. One", 2, TEXT.index("1."), TEXT.index("2.")),
    ("2. Two", 2, TEXT.index("2."), len(TEXT)),
)


def _span(text: str, quote: str) -> Span:
    start = text.index(quote)
    return Span(start=start, end=start + len(quote))


def test_the_innermost_section_is_shown_with_the_quote_in_it() -> None:
    found = section_around(ROADMAP, (_span(TEXT, "Second here."), _span(TEXT, "Third here.")))
    assert (found.title, found.cut) == ("1. One", False)
    assert [quote.cut(found.text) for quote in found.quotes] == ["Second here."]


def test_a_long_document_without_headings_is_cut_around_the_quote_at_line_ends() -> None:
    text = "\n".join(f"line {n} of it" for n in range(2000))
    found = section_around(_document(text), (_span(text, "line 1500 of it"),))
    assert found.cut
    assert len(found.text) < MOST_CHARS
    assert found.text.startswith("line ")
    assert [quote.cut(found.text) for quote in found.quotes] == ["line 1500 of it"]


@pytest.mark.parametrize("quotes", [(), (Span(start=0, end=len(TEXT) + 1),)])
def test_what_is_not_in_the_document_is_refused(quotes: tuple[Span, ...]) -> None:
    with pytest.raises(ValueError):
        section_around(ROADMAP, quotes)


def test_the_text_of_a_part_ends_where_its_first_section_begins() -> None:
    assert [section_text(ROADMAP, heading) for heading in ROADMAP.headings] == [
        "Intro words.",
        "First here. Second here.",
        "Third here.",
    ]
