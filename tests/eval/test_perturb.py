"""Changes that make a sentence false, and rewordings that do not."""

import pytest

from eval.perturb import Change, find_names, negate, perturb, reword

SENTENCE = "In 1998 the team of Marie Curie had 1,200 members."


def test_a_number_is_changed_and_nothing_else() -> None:
    changed = perturb(SENTENCE, Change.NUMBER)
    assert changed is not None
    before, after = SENTENCE.split(), changed.split()
    assert sum(one != other for one, other in zip(before, after, strict=True)) == 1


@pytest.mark.parametrize("seed", range(20))
def test_a_changed_year_stays_a_year(seed: int) -> None:
    changed = perturb("It began in 1998.", Change.NUMBER, seed=seed)
    assert changed is not None
    year = int(changed.split()[-1].rstrip("."))
    assert year != 1998
    assert 1970 < year < 2030


def test_a_name_is_replaced_by_one_that_the_sentence_does_not_have() -> None:
    changed = perturb(SENTENCE, Change.NAME, names=["Marie Curie", "Ada Lovelace"])
    assert changed == SENTENCE.replace("Marie Curie", "Ada Lovelace")


@pytest.mark.parametrize(
    ("sentence", "change"),
    [("Dogs bark.", Change.NUMBER), ("Dogs bark.", Change.NAME), ("Dogs bark.", Change.NEGATION)],
)
def test_a_sentence_that_offers_nothing_is_left(sentence: str, change: Change) -> None:
    assert perturb(sentence, change, names=["Paris"]) is None


def test_the_same_seed_gives_the_same_change() -> None:
    assert perturb(SENTENCE, Change.NUMBER, seed=3) == perturb(SENTENCE, Change.NUMBER, seed=3)
    assert len({perturb(SENTENCE, Change.NUMBER, seed=seed) for seed in range(20)}) > 3


@pytest.mark.parametrize(
    ("sentence", "negated"),
    [
        ("It has been trained once.", "It has not been trained once."),
        ("They can't win.", "They can win."),
        ("They are n't here.", "They are here."),
    ],
)
def test_negation_is_put_in_or_taken_out(sentence: str, negated: str) -> None:
    assert negate(sentence) == negated


def test_names_are_found_inside_sentences_only() -> None:
    assert find_names("Rivers of New York and Rome.") == ("New York", "Rome")


def test_a_rewording_keeps_the_numbers() -> None:
    assert reword("In 1998, the cities (and towns) of east and west grew by 5 percent.") == (
        "the cities of west and east grew by 5 percent, in 1998."
    )
    assert reword("Dogs bark.") is None
