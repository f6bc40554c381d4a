"""The list of works cited: all 75 against the record made by hand, and each oddity by a small example."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.works_cited import Entry, parse_works_cited
from rag.bundled import roadmap_path

DATA = Path(__file__).parent.parent / "data"
EXPECTED: list[dict[str, Any]] = json.loads(
    (DATA / "works_cited.json").read_text(encoding="utf-8")
)  # Any: JSON


@pytest.fixture(scope="module")
def entries() -> tuple[Entry, ...]:
    lines = roadmap_path().read_text(encoding="utf-8").split("\n")
    return parse_works_cited(tuple(lines[lines.index("Works cited") + 1 :]))


def _only(*lines: str) -> Entry:
    (entry,) = parse_works_cited(lines)
    return entry


def test_all_75_works_are_read_as_recorded(entries: tuple[Entry, ...]) -> None:
    assert [(e.number, e.title, e.url, e.text_fragment, e.accessed) for e in entries] == [
        (w["n"], w["title"], w["url"], w["text_fragment"], w["accessed"]) for w in EXPECTED
    ]
    assert len(entries) == 75


def test_an_entry_reads_on_one_line_with_its_url_bare(entries: tuple[Entry, ...]) -> None:
    for entry in entries:
        assert (
            entry.text
            == f"{entry.title}, accessed on October 10, 2025, {entry.url}{entry.text_fragment or ''}"
        )


def test_some_entries_lead_to_one_page(entries: tuple[Entry, ...]) -> None:
    assert len({entry.url for entry in entries}) == 72


def test_a_plain_entry() -> None:
    assert _only("1. A Title, accessed on October 10, 2025, <https://a.org/b>") == Entry(
        number=1,
        title="A Title",
        url="https://a.org/b",
        text_fragment=None,
        accessed="2025-10-10",
        text="A Title, accessed on October 10, 2025, https://a.org/b",
    )


@pytest.mark.parametrize(
    "lines",
    [
        ("1. T, accessed on May 1, 2024, https://a.org/b?view=c-2",),  # no angle brackets
        (" 1. T, accessed on May 1, 2024, <https://a.org/b?view=c-2>",),  # a space before the number
        ("1. T, accessed on May 1, 2024,", "<https://a.org/b?view=c-2>"),  # the URL on the next line
        ("1. T, accessed on May 1, 2024,", "", "- <https://a.org/b?view=c-2>"),  # or as a bullet of its own
        ("1. T, accessed on", "", "May 1, 2024,", "", "<https://a.org/b?view=c-2>"),  # on three lines
        ("1. T, accessed on May 1, 2024, <https://a.org/b?view>", "", "[-c-2](#)"),  # in two halves
        (r"1. T, accessed on May 1, 2024, [https://a.org/b?view=c-2](https://a.org/b?view=c-2)",),
    ],
)
def test_whatever_a_page_break_does_to_it_an_entry_is_read_whole(lines: tuple[str, ...]) -> None:
    entry = _only(*lines)
    tail = entry.url.removeprefix("https://a.org/b?view")
    assert tail in ("=c-2", "-c-2")
    assert (entry.title, entry.accessed) == ("T", "2024-05-01")
    assert entry.text == f"T, accessed on May 1, 2024, {entry.url}"


def test_a_markdown_link_gives_its_label_without_escapes() -> None:
    entry = _only(
        r"1. t.com, accessed on May 1, 2024, "
        r"[https://t.com/a#:~:text=the%20\(i.e.%20b.\)](https://t.com/a#:~:text=the%20(i.e.%20b.))"
    )
    assert (entry.url, entry.text_fragment) == ("https://t.com/a", "#:~:text=the%20(i.e.%20b.)")


def test_a_fragment_that_names_a_place_on_the_page_stays_with_the_url() -> None:
    assert _only("1. T, accessed on May 1, 2024, https://a.org/b#c").url == "https://a.org/b#c"


def test_commas_dots_and_cut_titles_are_kept() -> None:
    entry = _only("1. One, Two | Three ..., accessed on May 1, 2024, https://a.org/b")
    assert entry.title == "One, Two | Three ..."


def test_what_is_not_there_is_none_or_empty() -> None:
    assert _only("1. Only a title") == Entry(
        number=1, title="Only a title", url="", text_fragment=None, accessed=None, text="Only a title"
    )
    undated = _only("1. T, <https://a.org>")
    assert (undated.title, undated.url, undated.accessed) == ("T", "https://a.org", None)


def test_a_date_that_does_not_exist_is_none() -> None:
    assert _only("1. T, accessed on Octember 10, 2025, https://a.org").accessed is None


def test_a_line_with_another_number_than_the_next_goes_on_with_its_entry() -> None:
    first, second = parse_works_cited(("1. The", "9. Symphony, https://a.org", "2. U, https://b.org"))
    assert (first.title, second.title) == ("The 9. Symphony", "U")


def test_lines_before_the_first_entry_are_no_entry() -> None:
    assert parse_works_cited(("", "Some words", "")) == ()
