"""An answer taken apart: its sentences, the labels each rests on, and what claims nothing."""

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.prompt.marks import MarkReader
from rag.prompt.units import Unit, is_connective, take_apart


def _units(written: str) -> tuple[str, tuple[Unit, ...]]:
    reader = MarkReader(given=range(1, 10))
    text = reader.feed(written) + reader.close()
    return text, take_apart(text, reader.marks)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("A cat. [1] A dog. [2]", [("A cat.", (1,)), ("A dog.", (2,))]),
        ("A cat [1]. A dog [2].", [("A cat.", (1,)), ("A dog.", (2,))]),
        ("A cat.[1] A dog.[2][3]", [("A cat.", (1,)), ("A dog.", (2, 3))]),
        ("A cat [1] and a dog [2].", [("A cat and a dog.", (1, 2))]),
        ("A cat. A dog [2].", [("A cat.", (2,)), ("A dog.", (2,))]),
        ("A cat [1]. A dog.", [("A cat.", (1,)), ("A dog.", ())]),
        ("A cat.\n\nA dog [2].", [("A cat.", ()), ("A dog.", (2,))]),
        ("[1] A cat.\n[2] A dog.", [("A cat.", (1,)), ("A dog.", (2,))]),
        ("- A cat\n- A dog [2]", [("A cat", ()), ("A dog", (2,))]),
        ("1. A cat [1]\n2. A dog [2]", [("A cat", (1,)), ("A dog", (2,))]),
        ("- **Bold cat**: sleeps. [3]", [("Bold cat: sleeps.", (3,))]),
        ("# A heading\nA cat [1].", [("A heading", (1,)), ("A cat.", (1,))]),
        ("| a | b |\n|---|---|\n| cat | dog [1] |", [("a | b", ()), ("cat | dog", (1,))]),
        (
            "A cat [1].\n```\nx[1] = 2\ny\n```\nA dog [2].",
            [("A cat.", (1,)), ("x[1] = 2 y", ()), ("A dog.", (2,))],
        ),
        ("", []),
        ("[1]", []),
        ("...", []),
    ],
)
def test_sentences_and_the_labels_they_rest_on(
    written: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    _, units = _units(written)
    assert [(unit.text.replace("```", "").strip(), unit.labels) for unit in units] == expected


_PIECES = st.sampled_from(
    [
        "A cat sleeps",
        " [1]",
        "[2]",
        ".",
        " ",
        "\n",
        "\n\n",
        "- ",
        "1. ",
        "# ",
        "| a |",
        "```",
        "`x[1]`",
        "**",
        "Why?",
        ":",
    ]
)


@example("```A cat sleeps\n``` [1]")
@given(st.lists(_PIECES, max_size=25).map("".join))
def test_units_are_in_order_apart_and_own_every_mark_at_most_once(written: str) -> None:
    text, units = _units(written)
    for one, other in itertools.pairwise(units):
        assert one.span.end <= other.span.start
    owned = [mark for unit in units for mark in unit.marks]
    assert len(owned) == len(set(owned))
    for unit in units:
        assert unit.span.cut(text).strip() == unit.span.cut(text)
        assert any(c.isalnum() for c in unit.text)


@pytest.mark.parametrize(
    "statement",
    [
        "In short:",
        "In summary, the passages describe the following.",
        "Here are the ways in which LoRA cuts memory:",
        "Details:",
    ],
)
def test_what_claims_nothing_may_stand_alone(statement: str) -> None:
    assert is_connective(statement, "How does LoRA cut memory?")


@pytest.mark.parametrize(
    "statement",
    [
        "Yes.", "No, it does not.", "LoRA cuts memory.", "It was made in 1987.", "There are 4 points:",
        "It never does:", "LoRA retrains all weights of a network:", "Not at all.", "Only in short.",
        "A bird invented it.",
    ],
)  # fmt: skip
def test_a_claim_may_not(statement: str) -> None:
    assert not is_connective(statement, "How does LoRA cut memory?")
