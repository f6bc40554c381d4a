"""Denials and opposites."""

import pytest

from rag.ground.polarity import denials, flips


@pytest.mark.parametrize(
    ("statement", "evidence", "word"),
    [
        ("Dropout is not used in testing.", "Dropout is used in testing.", "testing"),
        ("The model can't generalise.", "The model can generalise.", "generalise"),
        ("Training is supervised.", "Training is unsupervised.", "supervised"),
        ("The loss increases.", "The loss decreases.", "increases"),
        ("It comes before scaling.", "It comes after scaling.", "before"),
    ],
)
def test_the_opposite_is_noticed(statement: str, evidence: str, word: str) -> None:
    assert word in flips(statement, evidence)
    assert flips(evidence, statement)


@pytest.mark.parametrize(
    ("statement", "evidence"),
    [
        ("Dropout is used in training.", "In training, dropout is used."),
        ("It is not only fast but simple.", "It is fast and simple."),
        ("No, it scales well.", "It scales well."),
        ("It does not need labels.", "It never needs labels."),
        ("The loss increases and the error decreases.", "The error decreases while the loss increases."),
        ("Not trained, it fails; trained, it works.", "Trained, it works; untrained, it fails."),
    ],
)
def test_the_same_sense_is_no_flip(statement: str, evidence: str) -> None:
    assert not flips(statement, evidence)


def test_denials_are_counted_without_empty_ones() -> None:
    assert denials("No, it is not only fast: it can't win and never stops.") == 2
