"""Pieces laid out as one text: every offset lands on the words it was meant for."""

import hashlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.assemble import CitedWork, Piece, assemble, make_source
from rag.schema import BlockKind, Document, Span

SOURCE = make_source("notes/a.txt", b"bytes", media_type="text/plain")
P, I, H, R, E = BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.HEADER, BlockKind.ROW, BlockKind.ENTRY  # noqa: E741


def _laid_out(*pieces: Piece) -> Document:
    return assemble(SOURCE, pieces)


def test_a_source_is_known_by_its_path_and_fresh_by_its_bytes() -> None:
    assert SOURCE.source_id == hashlib.sha256(b"notes/a.txt").hexdigest()[:16]
    assert SOURCE.content_sha256 == hashlib.sha256(b"bytes").hexdigest()
    assert SOURCE.size_bytes == 5
    again = make_source("notes/a.txt", b"other", media_type="text/plain")
    assert again.source_id == SOURCE.source_id
    assert again.content_sha256 != SOURCE.content_sha256


def test_headings_and_paragraphs_stand_apart_items_and_rows_do_not() -> None:
    document = _laid_out(
        Piece(text="1. One", level=1),
        Piece(text="Words."),
        Piece(text="first", kind=I, marker="-"),
        Piece(text="second", kind=I, marker="1.", depth=1, lead=2),
        Piece(text="A\tB", kind=H),
        Piece(text="a\tb", kind=R),
        Piece(text="c\td", kind=R),
        Piece(text="More."),
        Piece(text="Title, https://a.org", kind=E, marker="1."),
        Piece(text="Other, https://b.org", kind=E, marker="2."),
    )
    assert document.text == (
        "1. One\n\nWords.\n\n- first\n  1. second\n\nA\tB\na\tb\nc\td\n\nMore.\n\n"
        "1. Title, https://a.org\n2. Other, https://b.org"
    )
    assert [block.span.cut(document.text) for block in document.blocks][1:3] == ["first", "second"]


def test_a_lead_becomes_the_index_of_a_block() -> None:
    document = _laid_out(
        Piece(text="1. One", level=1),
        Piece(text="Two:"),
        Piece(text="a", kind=I, lead=1),
        Piece(text="b", kind=I),
    )
    assert [block.lead for block in document.blocks] == [None, 0, None]


def test_cells_lie_inside_their_row() -> None:
    (block,) = _laid_out(
        Piece(text="a\t\tccc", kind=R, columns=("x", "y", "z"), cells=("a", "", "ccc"))
    ).blocks
    assert block.cells == ((Span(start=0, end=1),), (Span(start=2, end=2),), (Span(start=3, end=6),))
    assert block.columns == ("x", "y", "z")


def test_a_heading_governs_all_up_to_the_next_of_its_level_or_above() -> None:
    levels = [1, 2, 3, 2, 1]
    document = _laid_out(
        *(Piece(text=f"h{n}", level=level, section_id=str(n)) for n, level in enumerate(levels))
    )
    starts = [heading.span.start for heading in document.headings]
    ends = [heading.span.end for heading in document.headings]
    assert ends == [starts[4], starts[3], starts[3], starts[4], len(document.text)]
    assert [(h.section_id, h.level, h.title) for h in document.headings] == [
        (str(n), level, f"h{n}") for n, level in enumerate(levels)
    ]


def test_marks_stand_right_after_the_words_they_belong_to() -> None:
    document = _laid_out(
        Piece(text="One.", marks=((4, 7),)), Piece(text="Two. Three.", marks=((4, 8), (11, 9)))
    )
    assert [(mark.number, document.text[: mark.offset].split()[-1]) for mark in document.marks] == [
        (7, "One."),
        (8, "Two."),
        (9, "Three."),
    ]


def test_a_work_is_where_its_entry_is_printed() -> None:
    work = CitedWork(
        number=1, title="T", url="https://a.org", text_fragment="#:~:text=a", accessed=None, piece=1
    )
    document = assemble(
        SOURCE, (Piece(text="Works", level=1), Piece(text="T, https://a.org", kind=E)), works=(work,)
    )
    (found,) = document.works
    assert found.span.cut(document.text) == "T, https://a.org"
    assert (found.number, found.title, found.url, found.text_fragment, found.accessed) == (
        1,
        "T",
        "https://a.org",
        "#:~:text=a",
        None,
    )


def test_pages_run_without_a_gap_from_their_first_piece_to_the_next_page() -> None:
    document = _laid_out(
        Piece(text="a", page=1), Piece(text="b", page=1), Piece(text="c"), Piece(text="d", page=3)
    )
    assert [(page.number, page.span.cut(document.text)) for page in document.pages] == [
        (1, "a\n\nb\n\nc\n\n"),
        (3, "d"),
    ]
    assert _laid_out(Piece(text="a")).pages == ()


@pytest.mark.parametrize(("title", "expected"), [("Named", "Named"), ("", "a")])
def test_a_document_without_a_title_is_called_by_its_file(title: str, expected: str) -> None:
    assert assemble(SOURCE, (), title=title).title == expected


def test_nothing_makes_an_empty_document() -> None:
    document = assemble(SOURCE, (), notes=("lost",))
    assert (document.text, document.blocks, document.headings, document.notes) == ("", (), (), ("lost",))


_pieces = st.builds(
    Piece,
    text=st.text(alphabet="ab .é\U0001f600", min_size=1, max_size=8),
    kind=st.sampled_from([P, I, E, H, R]),
    level=st.integers(0, 3),
    depth=st.integers(0, 2),
    marker=st.sampled_from(["", "-", "12."]),
)


@given(st.lists(_pieces, max_size=12))
def test_every_span_cuts_out_its_own_piece(pieces: list[Piece]) -> None:
    document = _laid_out(*pieces)
    assert [block.span.cut(document.text) for block in document.blocks] == [
        p.text for p in pieces if not p.level
    ]
    assert [block.kind for block in document.blocks] == [p.kind for p in pieces if not p.level]
    starts = [document.text[h.span.start :][: len(h.title)] for h in document.headings]
    assert starts == [p.text for p in pieces if p.level]
    for heading in document.headings:
        inside = [
            other for other in document.headings if heading.span.start < other.span.start < heading.span.end
        ]
        assert all(other.level > heading.level for other in inside)


def test_a_hundred_thousand_headings_take_time_in_proportion() -> None:
    levels = [1 + n * 7 % 4 for n in range(100_000)]
    pieces = tuple(
        Piece(kind=BlockKind.PARAGRAPH, text=f"h{n}", level=level, section_id=str(n))
        for n, level in enumerate(levels)
    )
    began = time.process_time()
    headings = assemble(make_source("a.md", b"x", media_type="text/markdown"), pieces).headings
    assert time.process_time() - began < 10  # minutes, where each looks at all that follow
    for n in (0, 1, 2, 3, 50_001, 99_999):
        after = (m for m in range(n + 1, len(levels)) if levels[m] <= levels[n])
        end = next((headings[m].span.start for m in after), headings[-1].span.end)
        assert headings[n].span.end == end
