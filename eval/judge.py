"""How far a faithfulness score can be trusted: each scorer against labelled pairs.

AUROC is over all pairs of a set, and for each kind of unsupported pair against all supported ones. Balanced accuracy
is taken at the scorer's own threshold; where it has none, at the best one on the set itself, and says so. Pairs that
a scorer failed on are counted, and left out of its figures.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import balanced_accuracy_score, brier_score_loss, roc_auc_score, roc_curve

from eval.pairs import Pair
from eval.plots import binned
from eval.scorers import Scorer
from eval.scoring import ScoredItem

Floats = npt.NDArray[np.float64]
_RESAMPLES, _LEVEL = 300, 95


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """One scorer on one set. AUROC 0.5 is chance; `calibration` holds `(predicted, observed, n)`."""

    scorer: str
    n: int
    n_failed: int
    auroc: float
    auroc_low: float
    auroc_high: float
    balanced_accuracy: float
    threshold: float
    threshold_is_own: bool
    brier: float | None  # None where the score is no probability
    calibration: tuple[tuple[float, float, int], ...]
    by_kind: Mapping[
        str, tuple[int, float]
    ]  # kind of unsupported pair -> n, AUROC against the supported ones


def trust(scorer: Scorer, pairs: Sequence[Pair], items: Sequence[ScoredItem]) -> Trust | None:
    """Measure one scorer; None where it scored no pair of one of the two labels."""
    kept = [
        (pair, item.scores[scorer.name])
        for pair, item in zip(pairs, items, strict=True)
        if scorer.name in item.scores
    ]
    truth = np.array([pair.supported for pair, _ in kept], dtype=bool)
    scores = np.array([score for _, score in kept], dtype=np.float64)
    if truth.all() or not truth.any():
        return None
    threshold = scorer.threshold if scorer.threshold is not None else _best_threshold(truth, scores)
    low, high = _auroc_interval(truth, scores, np.array([pair.of for pair, _ in kept]))
    return Trust(
        scorer=scorer.name,
        n=len(kept),
        n_failed=len(pairs) - len(kept),
        auroc=float(roc_auc_score(truth, scores)),
        auroc_low=low,
        auroc_high=high,
        balanced_accuracy=float(balanced_accuracy_score(truth, scores >= threshold)),
        threshold=threshold,
        threshold_is_own=scorer.threshold is not None,
        brier=float(brier_score_loss(truth, scores)) if scorer.is_probability else None,
        calibration=binned(scores.tolist(), truth.tolist()) if scorer.is_probability else (),
        by_kind=_by_kind(kept),
    )


def _by_kind(kept: Sequence[tuple[Pair, float]]) -> dict[str, tuple[int, float]]:
    supported = [score for pair, score in kept if pair.supported]
    found: dict[str, tuple[int, float]] = {}
    for kind in dict.fromkeys(pair.kind for pair, _ in kept if not pair.supported):
        others = [score for pair, score in kept if pair.kind == kind]
        truth = [True] * len(supported) + [False] * len(others)
        found[kind] = (len(others), float(roc_auc_score(truth, [*supported, *others])))
    return found


def _best_threshold(truth: npt.NDArray[np.bool_], scores: Floats) -> float:
    false_rate, true_rate, thresholds = roc_curve(truth, scores)
    best = float(thresholds[int(np.argmax(true_rate - false_rate))])
    return min(best, 1.0)  # the first threshold of the curve is infinite


def _auroc_interval(
    truth: npt.NDArray[np.bool_], scores: Floats, groups: npt.NDArray[np.int64]
) -> tuple[float, float]:
    """Percentile bootstrap; pairs made from one original are drawn together."""
    draw = np.random.default_rng(0)
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    values = []
    for _ in range(_RESAMPLES):
        chosen = np.concatenate([members[k] for k in draw.integers(0, len(members), size=len(members))])
        if truth[chosen].any() and not truth[chosen].all():
            values.append(roc_auc_score(truth[chosen], scores[chosen]))
    low, high = np.percentile(values, [(100 - _LEVEL) / 2, (100 + _LEVEL) / 2])
    return float(low), float(high)
