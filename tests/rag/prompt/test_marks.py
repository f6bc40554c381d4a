"""Citation marks in a stream: every way of writing them, code left alone, and any cut of the stream."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.prompt.marks import MarkReader, labels_of, strip_marks

GIVEN = (1, 2, 3, 4)


def _read(*pieces: str) -> tuple[str, list[tuple[int, int, int]], list[int]]:
    reader = MarkReader(given=GIVEN)
    text = "".join(reader.feed(piece) for piece in pieces) + reader.close()
    return text, [(m.label, m.span.start, m.span.end) for m in reader.marks], reader.unknown


@pytest.mark.parametrize(
    ("written", "shown", "labels"),
    [
        ("It works [1].", "It works [1].", [1]),
        ("It works [1, 3].", "It works [1][3].", [1, 3]),
        ("It works [1-3].", "It works [1][2][3].", [1, 2, 3]),
        ("It works [1–2; 4].", "It works [1][2][4].", [1, 2, 4]),
        ("It works【2】.", "It works[2].", [2]),
        ("It works 【2†source】.", "It works [2].", [2]),
        ("It works [1][2].", "It works [1][2].", [1, 2]),
        ("It works [Passage 2].", "It works [2].", [2]),
        ("It works [^3].", "It works [3].", [3]),
        ("It works [ 1 and 2 ].", "It works [1][2].", [1, 2]),
        ("It works [1, 1].", "It works [1].", [1]),
        ("[2] It works.", "[2] It works.", [2]),
    ],
)
def test_every_usual_way_of_writing_a_mark_is_read(written: str, shown: str, labels: list[int]) -> None:
    text, marks, unknown = _read(written)
    assert text == shown
    assert [label for label, _, _ in marks] == labels
    assert [text[start:end] for _, start, end in marks] == [f"[{label}]" for label in labels]
    assert not unknown


@pytest.mark.parametrize(
    ("written", "shown", "unknown"),
    [
        ("It works [9].", "It works.", [9]),
        ("It works [1, 9].", "It works [1].", [9]),
        ("It works [0] and [7] and [9].", "It works and and.", [0, 7, 9]),
        ("It works [3-6].", "It works [3][4].", [5, 6]),
        ("It works [2024].", "It works.", [2024]),
    ],
)
def test_a_label_that_was_never_given_is_taken_out_and_reported(
    written: str, shown: str, unknown: list[int]
) -> None:
    text, _, found = _read(written)
    assert text == shown
    assert found == unknown


@pytest.mark.parametrize(
    "text",
    [
        "Take `x[1]` here",
        "Take ``a ` x[1]`` here",
        "```python\nx[1] = 2\n```\n",
        "```\na\n``\nx[9]\n```",
        "A [link](x), a [MASK] token, [a, b], [], [1.5], [ ], [-1]",
        "An open [1 and nothing",
        "An open [1\nand a new line",
        "A trailing [",
        "Many ``` ticks x[1]",
        "[" * 30,
    ],
)
def test_what_is_no_mark_is_left_as_it_is(text: str) -> None:
    assert _read(text) == (text, [], [])


def test_after_code_marks_are_read_again() -> None:
    text, marks, _ = _read("`a[1]` b [1]\n```\nx[2]\n```\nc [2]\n`open [3]\nd [4]")
    assert [label for label, _, _ in marks] == [1, 2, 4]
    assert "`a[1]`" in text
    assert "`open [3]" in text


def test_a_half_written_mark_is_held_back() -> None:
    reader = MarkReader(given=GIVEN)
    assert [reader.feed(piece) for piece in ("It works", " ", "[", "1", "]", ".")] == [
        "It works", "", "", "", " [1]", ".",
    ]  # fmt: skip


_PIECES = st.sampled_from(
    [
        "[",
        "]",
        "【",
        "】",
        "1",
        "2",
        "9",
        "13",
        ",",
        "-",
        "–",
        " ",
        "\n",
        "`",
        "```",
        "a",
        "Passage ",
        "and",
        "†s",
        ".",
    ]
)


@given(st.lists(_PIECES, max_size=40).map("".join), st.data())
def test_any_cut_of_the_stream_gives_the_same(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edges = [0, *cuts, len(text)]
    pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
    assert _read(*pieces) == _read(text) == _read(*text)


@given(st.lists(_PIECES, max_size=40).map("".join))
def test_marks_stand_where_they_say_and_only_for_given_labels(text: str) -> None:
    shown, marks, unknown = _read(text)
    for label, start, end in marks:
        assert label in GIVEN
        assert shown[start:end] == f"[{label}]"
    assert not set(unknown) & set(GIVEN)


@given(st.text(alphabet="abc .,!?\n'\"()", max_size=80))
def test_text_without_marks_comes_out_unchanged(text: str) -> None:
    assert _read(text) == (text, [], [])


def test_a_range_too_wide_to_be_one_gives_its_ends() -> None:
    assert labels_of("1-900") == (1, 900)
    assert labels_of("3-1") == (3, 1)


def test_the_marks_of_a_source_are_taken_out_of_it() -> None:
    assert strip_marks("Weights [12] are [3, 4] frozen [5].") == "Weights are frozen."
