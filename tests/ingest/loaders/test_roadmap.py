"""The roadmap read back from its PDF text: structure, marks, and every oddity that was recorded by hand.

`@covers` names the oddities of tests/data/citations_by_section.json that a test looks at; the last test counts them.
"""

import json
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.chunking import read_sentences
from ingest.loaders import ROADMAP, load_document
from ingest.loaders.roadmap import load_roadmap, read_outline
from rag.bundled import roadmap_path
from rag.errors import DocumentError
from rag.schema import Block, BlockKind, Mark, Sentence

DATA = Path(__file__).parents[2] / "data"
CITATIONS: dict[str, Any] = json.loads(
    (DATA / "citations_by_section.json").read_text(encoding="utf-8")
)  # Any: JSON
SECTIONS: list[dict[str, Any]] = json.loads((DATA / "sections.json").read_text(encoding="utf-8"))
ODDITIES: dict[str, dict[str, Any]] = {oddity["id"]: oddity for oddity in CITATIONS["oddities"]}
RAW = roadmap_path().read_bytes()
LINES = RAW.decode("utf-8").split("\n")
DOCUMENT = load_roadmap(RAW, path="corpus/roadmap.txt")
SENTENCES = tuple(read_sentences(DOCUMENT))
SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_MARKUP = re.compile(rf"\*\*|[*`$\\{SUPERSCRIPTS}]")

_covered: set[str] = set()


def covers(*ids: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Names the oddities that a test looks at."""

    def note(test: Callable[..., None]) -> Callable[..., None]:
        _covered.update(ids)
        return test

    return note


def _plain(raw: str) -> str:
    """A raw line's words, found in another way than the loader does it."""
    return " ".join(_MARKUP.sub("", re.sub(r"^ *(-|\d+\.) ", "", raw)).split())


def _blocks(section_id: str) -> tuple[Block, ...]:
    (heading,) = (heading for heading in DOCUMENT.headings if heading.section_id == section_id)
    return tuple(block for block in DOCUMENT.blocks if heading.span.holds(block.span))


def _text(block: Block) -> str:
    return block.span.cut(DOCUMENT.text)


def _block_of_line(number: int) -> Block:
    """The block that holds the first words of a line of the file."""
    words = _plain(LINES[number - 1])[:50]
    (found,) = (block for block in DOCUMENT.blocks if words in _text(block))
    return found


def _lead(block: Block) -> Block:
    assert block.lead is not None
    return DOCUMENT.blocks[block.lead]


def _sentence_at(mark: Mark) -> Sentence:
    (found,) = (one for one in SENTENCES if one.span.start < mark.offset <= one.span.end)
    return found


# Structure


@covers("no-markup-headings")
def test_the_outline_is_the_one_recorded() -> None:
    levels = {"part": 1, "works": 1}
    expected = [
        (
            section["id"],
            levels.get(section["id"].split("_")[0], 3 if "." in section["id"] else 2),
            section["title"],
            section["start_line"],
            section["end_line"],
        )
        for section in SECTIONS
    ]
    outline = read_outline(LINES)
    assert [(e.section_id, e.level, e.title, e.start_line, e.end_line) for e in outline] == expected
    assert Counter(entry.level for entry in outline) == {1: 6 + 1, 2: 15, 3: 29}
    printed = ODDITIES["no-markup-headings"]["lines"]
    assert [entry.start_line for entry in outline] == [n for n in printed if n != 3]
    assert LINES[2] == DOCUMENT.title


def test_headings_keep_their_printed_titles_and_govern_their_sections() -> None:
    outline = read_outline(LINES)
    assert [h.title for h in DOCUMENT.headings] == [LINES[entry.start_line - 1].strip() for entry in outline]
    for heading in DOCUMENT.headings:
        assert heading.span.cut(DOCUMENT.text).startswith(heading.title)
    part, section, subsection = DOCUMENT.headings[:3]
    assert part.span.holds(section.span)
    assert section.span.holds(subsection.span)
    assert DOCUMENT.headings[-1].span.end == len(DOCUMENT.text)


def test_no_word_of_the_file_is_lost() -> None:
    body = LINES[4:419]
    found = Counter(DOCUMENT.text.split("Works cited")[0].split())
    raw = Counter(" ".join(_plain(line) for line in body).split())
    assert raw - found == Counter()
    # A marker that stands before its item is the only thing that is not in both.
    assert all(re.fullmatch(r"-|\d+\.", word) for word in found - raw)


# Marks


@covers("superscript-citations", "citation-holes")
def test_there_are_129_marks_of_40_works() -> None:
    assert (
        len(DOCUMENT.marks) == CITATIONS["marker_total"] == ODDITIES["superscript-citations"]["count"] == 129
    )
    assert len({mark.number for mark in DOCUMENT.marks}) == CITATIONS["distinct_sources_cited"] == 40
    never = {work.number for work in DOCUMENT.works} - {mark.number for mark in DOCUMENT.marks}
    assert sorted(never) == CITATIONS["never_cited_in_body"]


@pytest.mark.parametrize("section", CITATIONS["by_section"])
def test_each_section_has_its_marks(section: str) -> None:
    section_id = section.replace("Part ", "part_")
    innermost = [
        [h.section_id for h in DOCUMENT.headings if h.span.start < mark.offset <= h.span.end][-1]
        for mark in DOCUMENT.marks
    ]
    marks = zip(innermost, DOCUMENT.marks, strict=True)
    found = Counter(str(mark.number) for inner, mark in marks if inner == section_id)
    assert found == CITATIONS["by_section"][section]["counts"]


@pytest.mark.parametrize("number", CITATIONS["by_source"])
def test_each_mark_stands_on_the_sentence_that_carries_it_in_the_file(number: str) -> None:
    lines = CITATIONS["by_source"][number]["lines"]
    marks = [mark for mark in DOCUMENT.marks if str(mark.number) == number]
    assert len(marks) == len(lines) == CITATIONS["by_source"][number]["count"]
    superscript = "".join(SUPERSCRIPTS[int(digit)] for digit in number)
    alone = re.compile(rf"(?<![{SUPERSCRIPTS}]){superscript}(?![{SUPERSCRIPTS}])")
    for n, (mark, line) in enumerate(zip(marks, lines, strict=True)):
        raw = LINES[line - 1]
        nth = lines[:n].count(line)
        before = raw[: list(alone.finditer(raw))[nth].start()]
        sentence = _sentence_at(mark)
        words = sentence.span.cut(DOCUMENT.text)
        assert sentence.span.end == mark.offset  # glued to the full stop
        assert _plain(before)[-60:].endswith(words[-60:]) or words[-60:].endswith(_plain(before)[-60:])
        assert len(_plain(before)[-60:]) > 10
        assert mark.number in sentence.references


# What the extraction broke


@covers("mid-sentence-break")
@pytest.mark.parametrize(("upper", "lower"), ODDITIES["mid-sentence-break"]["pairs"])
def test_a_sentence_cut_by_a_page_break_is_one_again(upper: int, lower: int) -> None:
    tail, head = _plain(LINES[upper - 1])[-30:], _plain(LINES[lower - 1])[:30]
    seam = f"{tail.split('. ')[-1]} {head.split('. ')[0]}"
    in_one = [sentence for sentence in SENTENCES if seam in sentence.span.cut(DOCUMENT.text)]
    assert len(in_one) == 1
    expected = (
        BlockKind.ITEM if upper in ODDITIES["mid-sentence-break"]["in_list_item"] else BlockKind.PARAGRAPH
    )
    assert in_one[0].kind is expected


def test_there_are_15_such_breaks() -> None:
    assert len(ODDITIES["mid-sentence-break"]["pairs"]) == 15


@covers("paragraph-break-between-sentences")
def test_a_paragraph_cut_between_two_sentences_is_one_again() -> None:
    ((upper, lower),) = ODDITIES["paragraph-break-between-sentences"]["pairs"]
    block = _block_of_line(upper)
    assert block == _block_of_line(lower)
    assert _text(block) == f"{_plain(LINES[upper - 1])} {_plain(LINES[lower - 1])}"


@covers("list-broken-by-blank-line")
@pytest.mark.parametrize(("above", "below"), ODDITIES["list-broken-by-blank-line"]["pairs"])
def test_a_list_goes_on_after_a_blank_line(above: int, below: int) -> None:
    first, second = _block_of_line(above), _block_of_line(below)
    assert first.kind is second.kind is BlockKind.ITEM
    assert DOCUMENT.blocks.index(second) - DOCUMENT.blocks.index(first) == 1


@covers("list-level-lost")
@pytest.mark.parametrize(("line", "lead"), [(244, 242), (245, 242), (372, 368), (373, 368)])
def test_a_lost_list_level_is_found_again(line: int, lead: int) -> None:
    assert line in ODDITIES["list-level-lost"]["lines"]
    block = _block_of_line(line)
    assert block.depth == 1
    assert f"{_lead(block).label}:" in _plain(LINES[lead - 1])


@covers("one-space-nesting")
@pytest.mark.parametrize("line", ODDITIES["one-space-nesting"]["lines"])
def test_one_space_is_a_level(line: int) -> None:
    block = _block_of_line(line)
    assert block.depth == (2 if 347 <= line <= 350 else 1)
    lead = _lead(block)
    assert lead.kind is BlockKind.ITEM
    assert lead.depth == block.depth - 1
    above = next(
        n for n in range(line - 1, 0, -1) if LINES[n - 1].startswith(("- ", " 3. ")[block.depth - 1])
    )
    assert lead == _block_of_line(above)


def test_the_third_level_stands_under_continuous_x() -> None:
    assert [_lead(_block_of_line(line)).label for line in range(347, 351)] == ["Continuous X"] * 4


@covers("paragraph-glued-to-item")
def test_a_paragraph_glued_to_an_item_is_parted_from_it() -> None:
    value = next(block for block in _blocks("7.3") if _text(block).startswith("The Value vector"))
    after = DOCUMENT.blocks[DOCUMENT.blocks.index(value) + 1]
    assert _text(value) == "The Value vector contains the actual information or representation of each word."
    assert after.kind is BlockKind.PARAGRAPH
    assert _text(after).startswith("The attention score is calculated")
    assert _lead(after).label == "The Q, K, V Vectors"
    assert f"{_text(value)} {_text(after)}" == _plain(LINES[254])


@covers("paragraph-glued-to-item")
def test_a_paragraph_that_belongs_to_an_item_is_led_by_it() -> None:
    mechanisms, boosting = _block_of_line(132), _block_of_line(133)
    assert (mechanisms.kind, _lead(mechanisms).label) == (BlockKind.PARAGRAPH, "Random Forests")
    assert (boosting.kind, boosting.depth, boosting.lead) == (BlockKind.ITEM, 0, None)


def test_items_after_a_paragraph_that_announces_them_are_led_by_it() -> None:
    first, second = (block for block in _blocks("7.1") if block.kind is BlockKind.ITEM)
    assert first.lead == second.lead
    assert _text(_lead(first)).endswith("posed two major challenges:")


def _cells(row: Block) -> list[str]:
    return [" ".join(span.cut(DOCUMENT.text) for span in cell) for cell in row.cells]


@covers("tab-tables")
@pytest.mark.parametrize(("table", "section_id", "n_rows"), [(0, "6.3", 7), (1, "8.3", 5)])
def test_each_table_is_rows_that_know_their_columns(table: int, section_id: str, n_rows: int) -> None:
    first, last = ODDITIES["tab-tables"]["tables"][table]
    columns = tuple(LINES[first - 1].split("\t"))
    header, *rows = (b for b in _blocks(section_id) if b.kind in (BlockKind.HEADER, BlockKind.ROW))
    assert (header.kind, _text(header)) == (BlockKind.HEADER, LINES[first - 1])
    assert len(rows) == n_rows
    for row in rows:
        cells = _cells(row)
        assert (row.columns, row.label, len(cells)) == (columns, cells[0], 3)
        assert sorted(" ".join(cells).split()) == sorted(_text(row).split())
    whole = [line for line in LINES[first:last] if line and not line.startswith("\t")]
    assert [row.label for row in rows] == [line.split("\t")[0] for line in whole]


@covers("table-row-split")
def test_the_row_that_was_cut_inside_its_cells_is_one_again() -> None:
    upper, lower = ODDITIES["table-row-split"]["lines"]
    (row,) = (block for block in _blocks("8.3") if block.label == "Context Handling")
    halves = zip(LINES[upper - 1].split("\t"), LINES[lower - 1].split("\t"), strict=True)
    assert _cells(row) == [f"{a.strip()} {b.strip()}".strip() for a, b in halves]
    assert " ".join(_text(row).split()) == " ".join(f"{LINES[upper - 1]} {LINES[lower - 1]}".split())
    assert row.columns == ("Feature", "BERT (Encoder-Only)", "GPT (Decoder-Only)")


def test_a_row_reads_with_the_names_of_its_columns() -> None:
    (row,) = (sentence for sentence in SENTENCES if sentence.shown.startswith("Architecture Type"))
    assert row.shown == (
        "Architecture Type — BERT (Encoder-Only): Encoder-only Transformer. "
        "GPT (Decoder-Only): Decoder-only Transformer."
    )
    assert row.context == "BERT (Encoder-Only) / GPT (Decoder-Only)"


@covers("inline-math", "inline-markup")
def test_no_markup_is_left_in_the_text() -> None:
    body = DOCUMENT.text.split("Works cited")[0]
    assert not set(body) & set(f"*`${SUPERSCRIPTS}")
    assert "Defined as f(x) = max(0, x), its derivative" in body
    assert "before step t+1 can begin" in body
    assert "in the opposite direction" in body
    assert "is the ndarray (n-dimensional array) object" in body
    for line in ODDITIES["inline-markup"]["lines"]:
        assert _plain(LINES[line - 1])[:40] in body


@covers("empty-code-span")
def test_a_word_that_was_lost_is_said_in_the_notes() -> None:
    (line,) = ODDITIES["empty-code-span"]["lines"]
    assert DOCUMENT.notes == (
        f"line {line}: an empty code span; a word was lost when the text was extracted",
    )


# The list of works cited; small examples of each are in tests/ingest/test_works_cited.py


@covers(
    "bullet-in-works-cited",
    "split-url",
    "split-entry",
    "url-on-next-line",
    "leading-space-numbers",
    "bare-urls",
    "markdown-link-url",
)
def test_all_75_works_are_entries_with_whole_urls() -> None:
    assert [work.number for work in DOCUMENT.works] == list(range(1, 76))
    entries = _blocks("works_cited")
    assert [block.kind for block in entries] == [BlockKind.ENTRY] * 75
    for work, block in zip(DOCUMENT.works, entries, strict=True):
        assert (work.span, block.marker) == (block.span, f"{work.number}.")
        assert re.fullmatch(r"https://[^\s<>]+", work.url)
        assert _text(block).endswith(f"{work.url}{work.text_fragment or ''}")
    urls = {work.number: work.url for work in DOCUMENT.works}
    assert urls[13].endswith("/topics/logistic-regression")
    assert urls[29].endswith("activation-functions-all-you-need-to-know-355a850d025e")
    assert urls[31] == "https://builtin.com/machine-learning/backpropagation-neural-network"
    assert urls[46].endswith("/use-cases/retrieval-augmented-generation")
    assert urls[61].endswith("/ml-in-production/model-monitoring")


@covers("text-fragments", "host-only-titles")
@pytest.mark.parametrize("number", ODDITIES["text-fragments"]["numbers"])
def test_text_fragments_are_kept_apart_from_the_url(number: int) -> None:
    work = DOCUMENT.works[number - 1]
    assert (work.text_fragment or "").startswith("#:~:text=")
    assert "#" not in work.url
    assert number in ODDITIES["host-only-titles"]["numbers"]
    assert work.title == work.url.split("/")[2]


@covers("query-strings", "duplicate-sources", "truncated-titles", "misleading-title")
def test_titles_and_queries_stay_as_printed() -> None:
    works = {work.number: work for work in DOCUMENT.works}
    assert all("?view=azureml-api-2" in works[n].url for n in ODDITIES["query-strings"]["numbers"])
    for group in ODDITIES["duplicate-sources"]["groups"]:
        assert len({works[n].url for n in group}) == 1
    assert (
        sorted(n for n, work in works.items() if "..." in work.title)
        == ODDITIES["truncated-titles"]["numbers"]
    )
    assert works[59].title == "The Open Source Datadog Alternative - SigNoz"


# The file


@covers("non-ascii", "file-edges")
def test_dashes_and_dots_stay_and_the_edges_of_the_file_leave_no_trace() -> None:
    assert LINES[:2] == ["", ""]
    assert not RAW.endswith(b"\n")
    others = Counter(c for c in DOCUMENT.text if ord(c) > 127)
    assert others == {"—": 10, "·": 3}
    assert DOCUMENT.text == DOCUMENT.text.strip()
    assert DOCUMENT.text.endswith(DOCUMENT.works[-1].url)


def test_line_ends_and_a_byte_order_mark_make_no_difference() -> None:
    other = load_roadmap(b"\xef\xbb\xbf" + RAW.replace(b"\n", b"\r\n") + b"\r\n", path="corpus/roadmap.txt")
    assert other.source.content_sha256 != DOCUMENT.source.content_sha256
    assert (other.text, other.blocks, other.marks) == (DOCUMENT.text, DOCUMENT.blocks, DOCUMENT.marks)


def test_the_loader_is_found_by_its_media_type() -> None:
    assert load_document(RAW, path="corpus/roadmap.txt", media_type=ROADMAP) == DOCUMENT
    with pytest.raises(DocumentError, match="no loader for image/png"):
        load_document(b"", path="a.png", media_type="image/png")


def test_what_is_no_roadmap_is_refused() -> None:
    with pytest.raises(DocumentError, match="not UTF-8 text"):
        load_roadmap(b"Section 1: \xff", path="a.txt")
    with pytest.raises(DocumentError, match="not a roadmap"):
        load_roadmap(b"Just words.", path="a.txt")


def test_every_recorded_oddity_has_a_test() -> None:
    assert _covered == set(ODDITIES)
