"""Bootstrap intervals."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eval.bootstrap import median_interval, ratio_interval

QUESTIONS = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5)), min_size=1, max_size=12)


def test_the_mean_pools_items_over_questions() -> None:
    interval = ratio_interval([1, 0], [1, 3])
    assert interval.mean == 0.25
    assert interval.n == 2


def test_the_same_seed_gives_the_same_interval_and_another_seed_another() -> None:
    hits, ones = [k / 41 for k in range(40)], [1.0] * 40
    assert ratio_interval(hits, ones, seed=1) == ratio_interval(hits, ones, seed=1)
    assert ratio_interval(hits, ones, seed=1) != ratio_interval(hits, ones, seed=2)


def test_the_interval_of_a_share_is_near_the_normal_approximation() -> None:
    interval = ratio_interval([1.0] * 50 + [0.0] * 50, [1.0] * 100)
    assert interval.low == pytest.approx(0.5 - 1.96 * 0.05, abs=0.015)
    assert interval.high == pytest.approx(0.5 + 1.96 * 0.05, abs=0.015)


def test_one_question_or_equal_values_have_no_width() -> None:
    single = ratio_interval([2], [4])
    assert (single.low, single.mean, single.high) == (0.5, 0.5, 0.5)
    equal = median_interval([7, 7, 7])
    assert (equal.low, equal.mean, equal.high) == (7, 7, 7)


def test_the_median_is_that_of_the_values() -> None:
    interval = median_interval([10, 1, 2, 100])
    assert interval.mean == 6
    assert interval.low <= 6 <= interval.high


@pytest.mark.parametrize(("hits", "totals"), [([], []), ([1], [0]), ([1, 2], [1])])
def test_nothing_to_average_is_an_error(hits: list[float], totals: list[float]) -> None:
    with pytest.raises(ValueError, match=r"question"):
        ratio_interval(hits, totals)


def test_no_values_have_no_median() -> None:
    with pytest.raises(ValueError, match="no question"):
        median_interval([])


@settings(max_examples=25, deadline=None)
@given(QUESTIONS)
def test_the_interval_lies_within_the_shares_of_single_questions(questions: list[tuple[int, int]]) -> None:
    hits, totals = [float(min(hit, total)) for hit, total in questions], [float(t) for _, t in questions]
    shares = [hit / total for hit, total in zip(hits, totals, strict=True)]
    interval = ratio_interval(hits, totals)
    assert min(shares) - 1e-9 <= interval.low <= interval.high <= max(shares) + 1e-9


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_a_wider_level_gives_a_wider_interval(values: list[float]) -> None:
    ones = [1.0] * len(values)
    wide, narrow = ratio_interval(values, ones, level=0.99), ratio_interval(values, ones, level=0.5)
    assert wide.low <= narrow.low
    assert narrow.high <= wide.high
