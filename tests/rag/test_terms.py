"""What counts as a word and what as a term."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.terms import STOP_WORDS, distinct, stem, terms, words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("TF.js and Scikit-Learn's API", ("tf.js", "and", "scikit-learn's", "api")),
        ("C++ or python:3.9-slim", ("c++", "or", "python", "3.9-slim")),
        ("snake_case, [CLS]!", ("snake", "case", "cls")),
        ("don’t don't", ("don't", "don't")),
        ("the end.", ("the", "end")),
        ("“Café” naïve Ωmega", ("café", "naïve", "ωmega")),
        ("— … ¿?", ()),
        ("", ()),
    ],
)
def test_words_are_lower_case_and_names_hold_together(text: str, expected: tuple[str, ...]) -> None:
    assert words(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How does pre-training scale?", ("pre-train", "pre", "train", "scale")),
        ("the networks of a network", ("network", "network")),
        ("What's LoRA's rank?", ("lora", "rank")),
        ("TensorFlow.js", ("tensorflow.j", "tensorflow", "js")),
        ("state-of-the-art", ("state-of-the-art", "state", "art")),
        ("and so on", ()),
        ("the part's name", ()),
    ],
)
def test_terms_are_stems_without_stop_words_and_compounds_give_their_parts(
    text: str, expected: tuple[str, ...]
) -> None:
    assert terms(text) == expected


@pytest.mark.parametrize(
    "pair", [("fine-tuning", "fine tuning"), ("Trains", "training"), ("node's", "nodes")]
)
def test_ways_to_write_one_thing_share_a_term(pair: tuple[str, str]) -> None:
    assert set(terms(pair[0])) & set(terms(pair[1]))


def test_stop_words_are_written_as_words_are() -> None:
    assert {words(word) for word in STOP_WORDS} == {(word,) for word in STOP_WORDS}


def test_a_stem_is_a_plain_string_and_may_differ_from_a_word() -> None:
    assert [stem(word) for word in ("running", "embeddings", "data")] == ["run", "embed", "data"]


def test_distinct_keeps_the_order_of_first_appearance() -> None:
    assert distinct(["b", "a", "b", "c", "a"]) == ("b", "a", "c")


@given(st.text(max_size=40))
def test_no_word_and_no_term_is_empty(text: str) -> None:
    assert all(words(text))
    assert all(terms(text))


@given(st.text(alphabet="abS'’-+. ", max_size=40))
def test_case_and_the_shape_of_apostrophes_make_no_difference(text: str) -> None:
    assert terms(text) == terms(text.upper().replace("’", "'"))


@given(st.lists(st.sampled_from(["deep", "learning", "the", "pre-trained", "C++", "GPT-3"]), max_size=6))
def test_terms_of_a_text_are_those_of_its_words_in_order(parts: list[str]) -> None:
    assert terms(" ".join(parts)) == tuple(term for part in parts for term in terms(part))
