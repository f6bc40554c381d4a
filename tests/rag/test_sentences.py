"""Where sentences end, and where they only seem to."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import split_sentences


def _split(text: str) -> list[str]:
    return [span.cut(text) for span in split_sentences(text)]


@pytest.mark.parametrize(
    "sentences",
    [
        ["It works.", "Or not?", "Yes!"],
        ["He said \"stop.\"", "Then he left."],
        ["It ends (here).", "(And here.)", "Then on."],
        ["A pause…", "Then more."],
        ["It has 3 layers.", "7 more follow."],
        ["One.", "“Two,” they say."],
        ["No stop at the end", ],
        ["What?!", "Really."],
        ["ÄÖÜ.", "Über alles."],
    ],
)  # fmt: skip
def test_sentences_end_at_a_stop_before_an_opening(sentences: list[str]) -> None:
    assert _split(" ".join(sentences)) == sentences


@pytest.mark.parametrize(
    "text",
    [
        "Tools, e.g. Git, help.",
        "Some (i.e. Those) do.",
        "Adam, RMSprop, etc. Are used.",
        "PyTorch vs. TensorFlow is old.",
        "Vaswani et al. Wrote it.",
        "See Fig. 3 and Eq. 4 there.",
        "By J. Doe and A. B. Smith.",
        "TensorFlow 2.x and python:3.9-slim run.",
        "It costs 3.14 or more.",
        "The .dockerignore File. and more",
        "Well... maybe not.",
        "Titles end so ..., accessed on October 10.",
        "1. First of all",
    ],
)
def test_abbreviations_numbers_and_names_end_nothing(text: str) -> None:
    assert _split(text) == [text]


def test_white_space_around_sentences_is_left_out() -> None:
    assert _split("  One. \n Two.\t") == ["One.", "Two."]
    assert _split(" \n ") == _split("") == []


@given(st.text(alphabet=st.sampled_from("aB .!?…\"'”()12\n\u00a0e.g"), max_size=60))
def test_no_character_is_lost_and_none_is_in_two_sentences(text: str) -> None:
    spans = split_sentences(text)
    assert "".join("".join(_split(text)).split()) == "".join(text.split())
    assert all(span.cut(text) == span.cut(text).strip() != "" for span in spans)
    assert all(one.end <= other.start for one, other in pairwise(spans))


@given(st.text(alphabet=st.sampled_from("aB .!?()1"), max_size=60))
def test_a_sentence_is_not_split_again(text: str) -> None:
    for sentence in _split(text):
        assert _split(sentence) == [sentence]
