"""Numbers and names as they are compared."""

import pytest

from rag.ground.facts import missing_names, missing_numbers, names, numbers


@pytest.mark.parametrize(
    ("statement", "evidence"),
    [
        ("It has 1000 rows.", "It has 1,000 rows."),
        ("It has three layers.", "It has 3 layers."),
        ("It fell by 50 %.", "It fell by 50 percent."),
        ("It fell by 50 %.", "It fell by 0.5 in all."),
        ("It has 1.5 million users.", "It has 1,500,000 users."),
        ("It has 7B parameters.", "It has 7 billion parameters."),
        ("It has one head.", "It has many heads."),  # "one" is a pronoun more often than a number
        ("GPT-4 is large.", "It is large."),  # the digit belongs to the name
    ],
)
def test_the_same_number_is_found_in_another_form(statement: str, evidence: str) -> None:
    assert not missing_numbers(statement, [evidence])


@pytest.mark.parametrize(
    ("statement", "evidence", "missing"),
    [
        ("It has 12 layers.", "It has 24 layers.", ["12"]),
        ("It fell by 5 %.", "It fell by 50 %.", ["5 %"]),
        ("It has three layers and 64 heads.", "It has 64 heads.", ["three"]),
        ("It was in 1998.", "It was in 1999.", ["1998"]),
        ("It was in 1998.", "", ["1998"]),
    ],
)
def test_another_number_is_missed(statement: str, evidence: str, missing: list[str]) -> None:
    assert [number.written for number in missing_numbers(statement, [evidence])] == missing


def test_a_number_with_a_point_is_one_number() -> None:
    assert [number.value for number in numbers("Version 3.11 of 2,048.5 MB.")] == [3.11, 2048.5]


@pytest.mark.parametrize(
    ("statement", "evidence"),
    [
        ("It is used by Google's teams.", "Google uses it."),
        ("An SVM is fitted.", "Support vector machines are fitted."),
        ("It uses Support Vector Machines.", "It uses SVMs."),
        ("It runs on scikit-learn with K-Means.", "K-means runs in scikit-learn."),
        ("the GPUs are fast", "A GPU is fast."),
        ("Models learn.", "It learns."),  # a capital that opens a sentence is no name
    ],
)
def test_a_name_is_found_in_another_form(statement: str, evidence: str) -> None:
    assert not missing_names(statement, [evidence])


def test_another_name_is_missed() -> None:
    missing = missing_names(
        "It was built by Meta with PyTorch 2.", ["It was built by Google with PyTorch 2."]
    )
    assert [name.written for name in missing] == ["Meta"]


def test_a_heading_in_capitals_names_nothing_by_its_capitals() -> None:
    assert [name.written for name in names("The Rise Of The Deep Learning Models With GPUs")] == ["GPUs"]
