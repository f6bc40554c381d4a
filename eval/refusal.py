"""Fitting the evidence gate on labelled questions: coefficients, threshold, and how well they do.

The natural set gives the threshold: the point at which the wanted share of its answerable questions is answered, by
cross-validation. The hard set, written to be confusable, helps to choose the coefficients and counts for less.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from eval.questions import Question
from rag.gate import Evidence

Floats = npt.NDArray[np.float64]

HARD_WEIGHT = 0.2  # of a question of the hard set against one of the natural set
FOLDS, REPEATS = 8, 10
INVERSE_PENALTY = 0.3  # C of the logistic regression over standardised features


class Weighs(Protocol):
    """Whatever can say what evidence a question has."""

    def evidence(self, question: str, *, history: Sequence[Mapping[str, str]] = ()) -> Evidence: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Features `(n, features)` and whether each question is answerable `(n,)`."""

    features: Floats
    answerable: npt.NDArray[np.bool_]


def feature_names() -> tuple[str, ...]:
    return tuple(Evidence.__dataclass_fields__)


def label(assistant: Weighs, questions: Sequence[Question]) -> Labelled:
    """The evidence of every question of a set."""
    names = feature_names()
    rows = []
    for question in questions:
        evidence = asdict(assistant.evidence(question.question, history=question.history))
        rows.append([evidence[name] for name in names])
    return Labelled(
        features=np.array(rows, dtype=np.float64), answerable=np.array([q.answerable for q in questions])
    )


def fit_gate(natural: Labelled, hard: Labelled, *, answered: float) -> dict[str, Any]:
    """The record of `rag/gate.json`. `answered` is the share of answerable natural questions to answer, [0, 1]."""
    held_out = _held_out(natural, hard)
    threshold = float(np.quantile(held_out[natural.answerable], 1 - answered))
    coefficients, intercept = _fit(natural, hard)
    refused = held_out < threshold
    return {
        "coefficients": dict(zip(feature_names(), (round(float(c), 5) for c in coefficients), strict=True)),
        "intercept": round(float(intercept), 5),
        "threshold": round(threshold, 4),
        "fitted": {
            "n_natural": len(natural.answerable),
            "n_hard": len(hard.answerable),
            "hard_weight": HARD_WEIGHT,
            "inverse_penalty": INVERSE_PENALTY,
            "cross_validated_auroc": round(float(roc_auc_score(natural.answerable, held_out)), 3),
            "answered_share": round(float(1 - refused[natural.answerable].mean()), 3),
            "refused_share_of_unanswerable": round(float(refused[~natural.answerable].mean()), 3),
        },
    }


def _held_out(natural: Labelled, hard: Labelled) -> Floats:
    """Probability of each natural question from models that did not see it, mean over repeats."""
    total = np.zeros(len(natural.answerable))
    for seed in range(REPEATS):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        for seen, unseen in folds.split(natural.features, natural.answerable):
            part = Labelled(features=natural.features[seen], answerable=natural.answerable[seen])
            coefficients, intercept = _fit(part, hard)
            total[unseen] += _probability(natural.features[unseen], coefficients, intercept)
    return total / REPEATS


def _probability(features: Floats, coefficients: Floats, intercept: float) -> Floats:
    result: Floats = 1 / (1 + np.exp(-(features @ coefficients + intercept)))
    return result


def _fit(natural: Labelled, hard: Labelled) -> tuple[Floats, float]:
    """Coefficients on the features as they are, and the intercept."""
    features = np.concatenate([natural.features, hard.features])
    answerable = np.concatenate([natural.answerable, hard.answerable])
    weights = np.concatenate([np.ones(len(natural.answerable)), np.full(len(hard.answerable), HARD_WEIGHT)])
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=2000)
    model.fit((features - mean) / scale, answerable, sample_weight=weights)
    coefficients: Floats = model.coef_[0] / scale
    return coefficients, float(model.intercept_[0] - mean @ coefficients)
