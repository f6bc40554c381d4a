"""Percentile bootstrap intervals over questions.

Questions are drawn, not evidence pieces or citations: those of one question stand or fall together (Efron &
Tibshirani, An Introduction to the Bootstrap, 1993, section 13.3). Seeded, so a report repeats itself.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate over `n` questions with the ends of its interval, in the unit of what was averaged."""

    mean: float
    low: float
    high: float
    n: int


def ratio_interval(
    hits: Sequence[float], totals: Sequence[float], *, seed: int = 0, level: float = LEVEL
) -> Interval:
    """The pooled share sum(hits) / sum(totals), with one hit count and one positive total for each question.

    With totals of 1 this is the plain mean.

    Raises:
        ValueError: No question, unequal lengths, or a total that is not positive.
    """
    hit, total = np.asarray(hits, dtype=np.float64), np.asarray(totals, dtype=np.float64)
    if hit.shape != total.shape or not (total > 0).all():
        raise ValueError("each question needs one hit count and one positive total")
    drawn = draws(hit.size, seed)
    shares = hit[drawn].sum(axis=1) / total[drawn].sum(axis=1)
    return _interval(float(hit.sum() / total.sum()), shares, n=hit.size, level=level)


def median_interval(values: Sequence[float], *, seed: int = 0, level: float = LEVEL) -> Interval:
    """The median of one value for each question; `mean` of the result is that median.

    Raises:
        ValueError: No question.
    """
    value = np.asarray(values, dtype=np.float64)
    medians = np.median(value[draws(value.size, seed)], axis=1)
    return _interval(float(np.median(value)), medians, n=value.size, level=level)


def interval(
    estimate: Callable[[np.ndarray[tuple[int], np.dtype[np.int64]]], float],
    *,
    n: int,
    seed: int = 0,
    level: float = LEVEL,
) -> Interval:
    """Any figure over `n` questions: `estimate` gives it for the questions whose indices it is handed.

    Raises:
        ValueError: No question.
    """
    resampled = np.array([estimate(drawn) for drawn in draws(n, seed)])
    return _interval(estimate(np.arange(n)), resampled, n=n, level=level)


def draws(n: int, seed: int) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """`(RESAMPLES, n)` question indices, drawn with replacement."""
    if n == 0:
        raise ValueError("no question to draw from")
    return np.random.default_rng(seed).integers(0, n, size=(RESAMPLES, n))


def _interval(estimate: float, resampled: np.ndarray, *, n: int, level: float) -> Interval:
    tail = (1 - level) / 2 * 100
    low, high = np.percentile(resampled, [tail, 100 - tail])
    return Interval(mean=estimate, low=float(low), high=float(high), n=n)
