"""The PDF loader: what text it makes of pages. The PDFs are made here, save for the real ones beside the checkout."""

import re
from pathlib import Path

import pytest

from ingest.loaders import pdf
from ingest.loaders.outcome import Outcome
from ingest.loaders.pdf import load_pdf
from rag.schema import BlockKind, Document
from tests.ingest.loaders.made_pdf import (
    JOINED,
    PROSE,
    Line,
    from_contents,
    make_pdf,
    paragraph,
)

pytestmark = pytest.mark.slow

WORDS = ("nothing", "weather", "music", "history", "grammar", "silence")


def _texts(document: Document, kind: BlockKind = BlockKind.PARAGRAPH) -> list[str]:
    return [block.span.cut(document.text) for block in document.blocks if block.kind is kind]


def test_lines_become_paragraphs_and_large_lines_headings() -> None:
    document = load_pdf(
        make_pdf(
            [
                Line(text="On Reading", y=740, size=20),
                Line(text="1 Lines", y=700, size=14),
                *paragraph(*PROSE, y=680),
                *paragraph(*PROSE, y=630),
                Line(text="1.1 Pages", y=580, size=12),
                *paragraph(*PROSE, y=560),
            ]
        ),
        path="a.pdf",
    )
    assert document.title == "On Reading"
    assert [(h.level, h.section_id, h.title) for h in document.headings] == [
        (1, "on-reading", "On Reading"),
        (2, "1", "1 Lines"),
        (3, "1.1", "1.1 Pages"),
    ]
    assert _texts(document) == [JOINED] * 3
    assert document.source.media_type == "application/pdf"


def test_a_bold_line_with_room_above_is_a_heading() -> None:
    lines = [*paragraph(*PROSE, y=740), Line(text="Aims", y=680, bold=True), *paragraph(*PROSE, y=664)]
    document = load_pdf(make_pdf(lines), path="a.pdf")
    assert [heading.title for heading in document.headings] == ["Aims"]


def test_columns_written_one_after_the_other_keep_their_order() -> None:
    left = paragraph(*(f"left column line {n} runs on and on" for n in range(8)), y=700)
    right = paragraph(*(f"right column line {n} runs on and on" for n in range(8)), y=700, x=320)
    text = load_pdf(make_pdf([*left, *right]), path="a.pdf").text
    assert text.index("left column line 7") < text.index("right column line 0")


def test_columns_written_line_by_line_across_the_page_are_parted() -> None:
    rows = [
        side
        for n in range(8)
        for side in (
            Line(text=f"left column line {n} runs on and on", y=700 - 12 * n),
            Line(text=f"right column line {n} runs on and on", y=700 - 12 * n, x=320),
        )
    ]
    title = Line(text="A title that is as wide as both columns are together, and a little more", y=730)
    text = load_pdf(make_pdf([title, *rows]), path="a.pdf").text
    order = re.findall(r"(left|right) column line (\d)", text)
    assert order == [("left", str(n)) for n in range(8)] + [("right", str(n)) for n in range(8)]
    assert text.startswith("A title")


def test_cells_side_by_side_are_no_columns() -> None:
    rows = [
        cell
        for n in range(6)
        for cell in (Line(text=f"row {n}", y=700 - 12 * n), Line(text=f"value {n}", y=700 - 12 * n, x=320))
    ]
    text = load_pdf(make_pdf(rows), path="a.pdf").text
    assert re.findall(r"row \d|value \d", text)[:3] == ["row 0", "value 0", "row 1"]


def test_ligatures_become_letters() -> None:
    assert load_pdf(make_pdf([Line(text="ﬁnding the oﬀset of a ﬂow", y=700)]), path="a.pdf").text == (
        "finding the offset of a flow"
    )


@pytest.mark.parametrize(
    ("upper", "lower", "joined"),
    [
        ("This is one more exam-", "ple of a word in two parts.", "example"),
        ("It is a state-of-the-", "art model of its own kind.", "state-of-the-art"),
        ("Here is a well-known low-", "rank method, well known.", "low-rank"),  # as printed elsewhere
        ("He counts 1990-", "95 among the better years.", "1990- 95"),
    ],
)
def test_words_parted_at_a_line_end_are_whole_again(upper: str, lower: str, joined: str) -> None:
    lines = paragraph("A low-rank thing stands in the first line of all,", upper, lower, y=700)
    assert joined in load_pdf(make_pdf(lines), path="a.pdf").text


def test_running_heads_and_page_numbers_go_and_pages_stay_known() -> None:
    said = [f"A page says that {word} comes after its head and ends." for word in WORDS]
    pages = [
        [
            Line(text="A Book of Many Pages" if n % 2 else "Chapter about Heads", y=760),
            *paragraph(said[n - 1], y=700),
            Line(text=f"{n}", x=300, y=30),
        ]
        for n in range(1, 7)
    ]
    document = load_pdf(make_pdf(*pages), path="a.pdf")
    assert _texts(document) == said
    assert [page.number for page in document.pages] == [1, 2, 3, 4, 5, 6]
    assert document.notes == ("12 running heads and page numbers left out",)


def test_lines_of_contents_go() -> None:
    contents = [Line(text=f"{n} Section {'. ' * 20}{n + 3}", y=700 - 14 * n) for n in range(1, 6)]
    document = load_pdf(make_pdf(contents, paragraph(*PROSE, y=700)), path="a.pdf")
    assert document.text == JOINED


def test_a_sentence_cut_by_a_page_break_is_whole_again() -> None:
    first = [*paragraph(*PROSE[:2], y=100), Line(text="1 A footnote of small print.", y=60, size=7)]
    document = load_pdf(make_pdf(first, paragraph(PROSE[2], y=740)), path="a.pdf")
    assert JOINED in _texts(document)


def test_list_items_keep_marker_depth_and_lead() -> None:
    lines = [
        Line(text="There are two things to see:", y=700),
        Line(text="1. the first thing, which is long enough to run over the end", y=688),
        Line(text="of its line;", x=84, y=676),
        Line(text="- a part of it;", x=90, y=664),
        Line(text="2. the second thing.", y=652),
    ]
    items = [b for b in load_pdf(make_pdf(lines), path="a.pdf").blocks if b.kind is BlockKind.ITEM]
    assert [(b.marker, b.depth, b.lead) for b in items] == [("1.", 0, 0), ("-", 1, 1), ("2.", 0, 0)]
    text = load_pdf(make_pdf(lines), path="a.pdf").text
    assert "1. the first thing, which is long enough to run over the end of its line;\n  - a part" in text


def test_small_raised_numbers_in_brackets_become_marks() -> None:
    line = [Line(text="This is known.", y=700), Line(text="[12]", x=142, y=705, size=7)]
    document = load_pdf(make_pdf([*line, Line(text="Next", x=170, y=700)]), path="a.pdf")
    assert document.text == "This is known. Next"
    assert [(mark.number, mark.offset) for mark in document.marks] == [(12, len("This is known."))]


def test_the_second_reader_steps_in() -> None:
    good = pdf._read(make_pdf(paragraph(*PROSE, y=700)))
    assert (good.reader, good.is_sound) == ("pypdf", True)
    operator_in_an_array = b"BT /F1 10 Tf 72 700 Td [(Words for the second reader) Tj] TJ ET"
    saved = pdf._read(from_contents([operator_in_an_array]))
    assert (saved.reader, saved.is_sound) == ("pdfium", True)
    assert saved.pages[0].lines[0].text == "Words for the second reader"


def _reading(reader: str, *texts: str, failed: tuple[int, ...] = ()) -> pdf.Reading:
    lines = tuple(pdf.Span(x=0, y=0, end=9, size=9, bold=False, text=text) for text in texts)
    page = pdf.PageLines(number=1, lines=lines)
    return pdf.Reading(reader=reader, outcome=Outcome.OK, pages=(page,), failed=failed)


def test_of_two_readings_the_fuller_wins_and_then_the_one_whose_words_stand_apart() -> None:
    glued = _reading("pypdf", "thewordsofthislinearegluedtogether", "thewordsofthislinearegluedtogether")
    apart = _reading("pdfium", "the words of this line are apart", "the words of this line are apart")
    assert not glued.is_sound
    assert pdf._better(glued, apart) is apart
    assert pdf._better(apart, glued) is apart
    short = _reading("pdfium", "the words")
    assert pdf._better(glued, short) is glued
    assert pdf._better(_reading("pypdf", "words", failed=(2,)), short) is short


@pytest.mark.parametrize("reader", ["pypdf", "pdfium"])
def test_both_readers_give_the_same_document(reader: str, tmp_path: Path) -> None:
    lines = [Line(text="On Reading", y=740, size=20), *paragraph(*PROSE, y=700)]
    (tmp_path / "a.pdf").write_bytes(make_pdf(lines, paragraph(*PROSE, y=500)))
    with (tmp_path / "a.pdf").open("rb") as source:
        reading = pdf._run_reader(reader, source, 30)
    assert reading.is_sound
    layout = pdf.lay_out(reading.pages)
    assert [(piece.level, piece.text, piece.page) for piece in layout.pieces] == [
        (1, "On Reading", 1),
        (0, JOINED, 1),
        (0, JOINED, 2),
    ]


@pytest.mark.shared
@pytest.mark.slow
def test_the_real_files_read_well(shared: Path) -> None:
    documents = {
        path.stem: load_pdf(path.read_bytes(), path=path.name)
        for path in sorted((shared / "sources/docs").rglob("*.pdf"))
    }
    assert len(documents) == 7
    for document in documents.values():
        assert document.pages
        assert len(document.headings) >= 8
        assert not re.search(r"[\x00-\x08\x0b-\x1f\ue000\ue001ﬁﬂﬀ]|\w-\n\w", document.text)
        words = re.findall(r"[A-Za-z]{2,}", document.text)
        assert sum(map(len, words)) / len(words) < 8, "words stand apart"
    lectures = documents["Lectures-on-Machine-Learning"]
    titles = {heading.title for heading in lectures.headings}
    assert {"1 Linear Regression", "2.4.1 Loadings", "7.4 Convexity, Convex Hulls, and Margins"} <= titles
    assert max(page.number for page in lectures.pages) == 139  # and an empty one
    wikipedia = documents["tf–idf - Wikipedia"]
    assert "as a weighting factor in information retrieval, text mining, and user modeling." in wikipedia.text
    assert [mark.number for mark in wikipedia.marks][:2] == [1, 2]
    assert (
        "is known as the sample space of the experiment"
        in documents["refresher-probabilities-statistics"].text
    )
