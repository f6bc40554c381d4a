"""What a question asks for in particular, and whether sentences tell it."""

import pytest

from rag.asked import Detail, untold_detail


@pytest.mark.parametrize(
    ("question", "detail", "telling", "silent"),
    [
        ("How many layers are there?", Detail.COUNT, "It has 12 layers.", "It has many layers."),
        ("And how long does it take?", Detail.DURATION, "It takes seven days.", "It takes a while."),
        ("How often should I retrain?", Detail.DURATION, "Retrain weekly.", "Retrain when needed."),
        ("When was BERT published?", Detail.DATE, "It came in 2018.", "It came late."),
        ("Which batch size is right?", Detail.FIGURE, "A batch size of 32.", "A small batch size."),
        ("By how much does it shrink?", Detail.FIGURE, "By 40 %.", "By a lot."),
        ("What is the formula of entropy?", Detail.FORMULA, "H = -p log p.", "Entropy is a measure."),
        ("Who invented dropout?", Detail.PERSON, "It was made by Hinton.", "It was made by others."),
        ("What does a licence cost?", Detail.PRICE, "It is 20 dollars.", "It is dear."),
        ("Which Rust version do I need?", Detail.VERSION, "Rust 1.70 or later.", "A late Rust."),
        ("What command starts it?", Detail.CODE, "Type docker run x.", "It starts by itself."),
        ("Is Adam better than SGD?", Detail.CHOICE, "Adam is faster.", "Adam and SGD exist."),
    ],
)
def test_a_detail_that_is_asked_for_has_to_be_in_a_sentence(
    question: str, detail: Detail, telling: str, silent: str
) -> None:
    assert untold_detail(question, [silent, telling]) is None
    assert untold_detail(question, [silent]) is detail
    assert untold_detail(question, []) is detail
    assert untold_detail("Why does it matter?", [silent]) is None


def test_a_number_has_to_be_of_what_is_counted() -> None:
    assert untold_detail("How many heads are there?", ["It has 12 layers."]) is Detail.COUNT
    assert untold_detail("Which rank is right?", ["It has 12 layers."]) is Detail.FIGURE


@pytest.mark.parametrize("name", ["word2vec maps layers", "python:3.9-slim has layers", "layers of TF-2"])
def test_a_figure_inside_a_name_is_no_number(name: str) -> None:
    assert untold_detail("How many layers are there?", [name]) is Detail.COUNT


@pytest.mark.parametrize(
    "question",
    [
        "how big a deal is it",
        "guess how old someone is from a photo",
        "Why is the kernel trick cheap?",
        "How can house prices be forecast?",
        "equations scare me, what now",
    ],
)
def test_words_of_measure_that_ask_for_none_are_left_alone(question: str) -> None:
    assert untold_detail(question, []) is None
