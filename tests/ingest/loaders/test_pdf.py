"""The PDF loader: what text it makes of pages, and that no file gets through it untyped.

The PDFs are made here, save for the real ones and the hostile ones beside the checkout (`shared`).
"""

import io
import json
import os
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdf
import pytest

from ingest.loaders import pdf
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.pdf import load_pdf
from rag.errors import DocumentError
from rag.schema import BlockKind, Document
from tests.ingest.loaders.made_pdf import (
    Line,
    deflated,
    first_extra,
    from_contents,
    from_objects,
    make_pdf,
    page_object,
    paragraph,
    stream_object,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
PROSE = (
    "The first line of a paragraph is about as wide as the page is,",
    "and so is the second one, which is why both are joined into one",
    "paragraph again by whoever reads them.",
)
JOINED = " ".join(PROSE)
WORDS = ("nothing", "weather", "music", "history", "grammar", "silence")


def _texts(document: Document, kind: BlockKind = BlockKind.PARAGRAPH) -> list[str]:
    return [block.span.cut(document.text) for block in document.blocks if block.kind is kind]


def _outcome(data: bytes) -> tuple[Outcome, str]:
    with pytest.raises(Unloadable) as caught:
        load_pdf(data, path="a.pdf")
    assert isinstance(caught.value, DocumentError)
    assert "a.pdf" in str(caught.value)
    return caught.value.outcome, caught.value.reason


# What becomes of the text


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


# What is refused, and how


def test_files_that_are_no_pdf_are_refused_without_a_reader() -> None:
    assert _outcome(b"") == (Outcome.EMPTY, "the file is empty (0 bytes)")
    assert _outcome(b"%PDF-1.7\n")[0] is Outcome.UNREADABLE
    assert _outcome(b"<!doctype html><p>%PDF" + b" " * 2000) == (
        Outcome.UNSUPPORTED,
        "not a PDF but HTML or XML",
    )
    assert _outcome(b"PK\x03\x04" + b"\0" * 99)[0] is Outcome.UNSUPPORTED
    assert _outcome(b"nothing of the kind" * 9) == (Outcome.UNSUPPORTED, "not a PDF")
    assert _outcome(b"%PDF-1.7\n" + b"\0" * pdf.MOST_BYTES)[0] is Outcome.LIMIT


def _encrypted(user_password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf(paragraph(*PROSE, y=700))))
    writer.encrypt(user_password, "owner", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def test_a_password_is_asked_for_only_where_one_is_set() -> None:
    assert _outcome(_encrypted("secret")) == (Outcome.ENCRYPTED, "a password is needed")
    assert load_pdf(_encrypted(""), path="a.pdf").text == JOINED


def test_a_scan_has_no_text_and_says_so() -> None:
    image = b"/Type /XObject /Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    at = first_extra(1)
    data = from_contents(
        [b"q 600 0 0 700 0 0 cm /I Do Q"], extra=[stream_object(b"\0\xff\xff\0", entries=image)]
    )
    data = data.replace(b"/Resources <<", b"/Resources << /XObject << /I %d 0 R >> " % at)
    outcome, reason = _outcome(data)
    assert outcome is Outcome.EMPTY
    assert "no text" in reason


def test_scripts_launches_and_attachments_are_left_alone(tmp_path: Path) -> None:
    at, mark = first_extra(1), tmp_path / "launched"
    actions = [
        b"<< /S /JavaScript /JS (app.launchURL\\('http://192.0.2.1/'\\);) /Next %d 0 R >>" % (at + 1),
        b"<< /S /Launch /F (/usr/bin/touch) /P (%s) >>" % str(mark).encode(),
        b"<< /Type /Filespec /F (payload.txt) /EF << /F %d 0 R >> >>" % (at + 3),
        stream_object(b"attached words", entries=b"/Type /EmbeddedFile"),
    ]
    names = b"/Names << /EmbeddedFiles << /Names [(payload.txt) %d 0 R] >> >> /OpenAction %d 0 R" % (
        at + 2,
        at,
    )
    page = b"BT /F1 10 Tf 72 700 Td (Only what the page shows.) Tj ET"
    document = load_pdf(from_contents([page], catalog=names, extra=actions), path="a.pdf")
    assert document.text == "Only what the page shows."
    assert not mark.exists()


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import os; os.system('true')",
        "open('written', 'w')",
        "import pathlib; pathlib.Path('written').write_text('a')",
    ],
)
def test_the_child_can_neither_call_nor_start_nor_write(attempt: str, tmp_path: Path) -> None:
    code = (
        "import subprocess, socket, pathlib, os\n"
        "from ingest.loaders import pdf_reader as r; r._limit(20); r._forbid()\n"
        f"try:\n    {attempt}\nexcept PermissionError as error:\n    print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "refused\n"
    assert not (tmp_path / "written").exists()


def test_the_child_sees_no_key_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    assert "a-key" not in pdf._bare_environment().values()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (-6, Outcome.LIMIT),  # SIGABRT
        (-9, Outcome.LIMIT),  # SIGKILL
        (-11, Outcome.UNREADABLE),  # SIGSEGV
        (-99, Outcome.UNREADABLE),  # no signal of this system
        (1, Outcome.UNREADABLE),
    ],
)
def test_a_crash_of_the_child_is_an_outcome(code: int, outcome: Outcome) -> None:
    reading = pdf._gather("pypdf", [{"kind": "page", "number": 1, "lines": []}, {"kind": "?"}], code)
    assert (reading.outcome, reading.pages) == (outcome, ())


def _nested() -> bytes:
    pages = from_contents([b"BT ET"], extra=[b"[" * 100_000 + b"]" * 100_000])
    return pages.replace(b"/Type /Catalog", b"/Type /Catalog /Names %d 0 R" % first_extra(1))


def _page_loop() -> bytes:
    return from_objects(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>"]
    )


def _prev_loop() -> bytes:
    data = make_pdf(paragraph(*PROSE, y=700))
    return data.replace(b"trailer\n<< ", b"trailer\n<< /Prev %d " % data.index(b"xref\n"))


def _huge_size() -> bytes:
    return make_pdf(paragraph(*PROSE, y=700)).replace(b"/Size ", b"/Size 99999999999")


def _many_pages() -> bytes:
    kids = b" ".join([b"3 0 R"] * 200_000)
    tree = b"<< /Type /Pages /Count 200000 /Kids [%s] >>" % kids
    return from_objects([b"<< /Type /Catalog /Pages 2 0 R >>", tree, page_object(4), stream_object(b"BT ET")])


def _many_letters() -> bytes:
    return from_contents([b"BT /F1 1 Tf 1 0 0 1 0 0 Tm (" + b"word " * 2000 + b") Tj ET"] * 600)


@pytest.mark.slow
@pytest.mark.parametrize("make", [_nested, _page_loop, _prev_loop, _huge_size, _many_pages, _many_letters])
def test_odd_structures_end_typed(make: Callable[[], bytes]) -> None:
    outcome, text, seconds = _read_bytes(make())
    assert seconds < 60
    if make in (_many_pages, _many_letters):
        assert outcome is Outcome.LIMIT
    elif outcome is Outcome.OK:
        assert text == JOINED


_SHOW = b"BT /F1 1 Tf 9 9 Td (a) Tj ET\n"
_BOMBS = {
    "10 MB of operators": (_SHOW, 10_000_000 // len(_SHOW), 1),
    "10 MB of blanks": (b" " * 10_000, 1_000, 1),
    "200 MB of blanks": (b" " * 100_000, 2_000, 1),
    "1.5 GB, packed three times": (b"\0" * 1_000_000, 1_500, 3),
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", list(_BOMBS))
def test_bombs_end_typed_within_a_minute_and_cost_the_parent_little(bomb: str, tmp_path: Path) -> None:
    piece, times, rounds = _BOMBS[bomb]
    filters = " ".join(["/FlateDecode"] * rounds)
    data = from_contents([deflated(piece, times, rounds=rounds)], filters=filters)
    (tmp_path / "bomb.pdf").write_bytes(data)
    code = """if True:
        import json, resource, time
        from pathlib import Path
        from ingest.loaders import pdf
        data, most = Path("bomb.pdf").read_bytes(), lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before, started, outcome = most(), time.monotonic(), "ok"
        try:
            pdf.load_pdf(data, path="bomb.pdf")
        except pdf.Unloadable as refused:
            outcome = refused.outcome
        print(json.dumps([outcome, time.monotonic() - started, (most() - before) / 1024]))
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=120,
        check=True,
    )
    outcome, seconds, grown_mib = json.loads(done.stdout)
    assert outcome in set(Outcome)
    assert seconds < 60
    assert grown_mib <= 50


def test_a_reader_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    data = from_contents([deflated(_SHOW, 400_000)], filters="/FlateDecode")
    (tmp_path / "slow.pdf").write_bytes(data)
    started = time.monotonic()
    with (tmp_path / "slow.pdf").open("rb") as source:
        reading = pdf._run_reader("pypdf", source, 1)
    assert reading.outcome is Outcome.LIMIT
    assert time.monotonic() - started < 5


# Real files


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


@pytest.mark.shared
@pytest.mark.slow
def test_the_hostile_files_all_end_typed(shared: Path) -> None:
    measured = {
        shared / "badinput" / folder / entry["file"]: entry["measured"]
        for folder in ("pdfjs-robustness", "py-pdf-samples")
        for entry in json.loads((shared / "badinput" / folder / "index.json").read_text(encoding="utf-8"))
        if entry["file"].endswith(".pdf")
    }
    with ThreadPoolExecutor(2) as pool:
        read = dict(zip(measured, pool.map(_read_one, measured), strict=True))
    assert len(read) == 128
    assert max(seconds for _, _, seconds in read.values()) < 60
    assert Counter(outcome for outcome, _, _ in read.values())[Outcome.OK] >= 75
    by_all = [path for path, readers in measured.items() if all(reader["ok"] for reader in readers.values())]
    opened = [path for path in by_all if read[path][0] in (Outcome.OK, Outcome.EMPTY)]
    assert (len(by_all), len(opened) >= 85) == (87, True)
    wordy = [path for path in by_all if all(reader["chars"] >= 20 for reader in measured[path].values())]
    with_text = [path for path in wordy if read[path][1] >= 20]
    assert (len(wordy), len(with_text) >= 48) == (49, True)


def _read_one(path: Path) -> tuple[Outcome, int, float]:
    outcome, text, seconds = _read_bytes(path.read_bytes())
    return outcome, len(text), seconds


def _read_bytes(data: bytes) -> tuple[Outcome, str, float]:
    """Anything but a document or a typed refusal passes through and fails the test."""
    started, outcome, text = time.monotonic(), Outcome.OK, ""
    try:
        text = load_pdf(data, path="a.pdf").text
    except Unloadable as refused:
        outcome = refused.outcome
    return outcome, text, time.monotonic() - started
