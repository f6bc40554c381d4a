"""Reasoning taken out of a reply, however the stream is cut."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.prompt.hidden import ReasoningFilter, without_reasoning


def _read(*pieces: str) -> str:
    reader = ReasoningFilter()
    return "".join(reader.feed(piece) for piece in pieces) + reader.close()


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("<think>Passage 2 says so.</think>\n\nIt is so [2].", "It is so [2]."),
        ("<THINKING>no</thinking> Yes.", "Yes."),
        ("Plain.", "Plain."),
        ("\n Plain.\n", "Plain.\n"),
        ("a < b <think", "a < b <think"),
        ("<thin>x</thin>", "<thin>x</thin>"),
        ("<think>never closed", ""),
        ("<think>a</think>One.<think>b</think> Two.", "One.Two."),
    ],
)
def test_reasoning_is_not_shown(reply: str, shown: str) -> None:
    assert _read(reply) == shown


def test_reasoning_that_the_prompt_had_opened_is_dropped_from_the_whole() -> None:
    assert without_reasoning("Let me see.</think>\nIt is [1].") == "It is [1]."


@given(
    st.lists(
        st.sampled_from(["<", "think", ">", "</", "think>", "<think>", " ", "a", "ing"]), max_size=20
    ).map("".join),
    st.data(),
)
def test_any_cut_of_the_stream_shows_the_same(text: str, data: st.DataObject) -> None:
    edges = [0, *sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6))), len(text)]
    assert _read(*[text[a:b] for a, b in itertools.pairwise(edges)]) == _read(text) == _read(*text)
