"""Fitting the evidence gate on labelled questions: coefficients, threshold, and how well they do.

The natural set gives the threshold: the point at which the wanted share of its answerable questions is answered, by
cross-validation. The hard set, written to be confusable, helps to choose the coefficients and counts for less. The
gate of the documents beside the roadmap is fitted on questions about them, of which only is known whether they
answer, and where.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt
from pydantic import ConfigDict, TypeAdapter, ValidationError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from rag.errors import QuestionSetError
from rag.gate import Evidence

Floats = npt.NDArray[np.float64]

HARD_WEIGHT = 0.2  # of a question of the hard set against one of the natural set
FOLDS, REPEATS = 8, 10
INVERSE_PENALTY = 0.3  # C of the logistic regression over standardised features
# What the roadmap's gate is fitted on; the others' is fitted on what it was fitted on before these were known.
FEATURES = ("sentence", "sentence_mean", "names", "works", "no_detail", "foreign")
OTHERS_FEATURES = ("dense", "sentence", "sentence_mean", "held", "names", "no_detail")
# What a library e times as large takes from the score; chosen apart, eval/LOG.md says how.
PER_SEARCHED = -0.6


class Weighs(Protocol):
    """Whatever can say what evidence a question has."""

    def evidence(
        self, question: str, *, history: Sequence[Mapping[str, str]] = (), others: bool = False
    ) -> Evidence: ...


class Asked(Protocol):
    """What is known of a question whatever set it is from."""

    @property
    def question(self) -> str: ...

    @property
    def history(self) -> Sequence[Mapping[str, str]]: ...

    @property
    def answerable(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedOfOthers:
    """A question to the documents beside the roadmap; `sources` names one that answers, by the end of its path."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    id: str
    question: str
    answerable: bool
    sources: tuple[str, ...]
    history: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Features `(n, features)` and whether each question is answerable `(n,)`."""

    features: Floats
    answerable: npt.NDArray[np.bool_]
    names: tuple[str, ...] = FEATURES


def load_asked_of_others(path: Path) -> tuple[AskedOfOthers, ...]:
    """Read a JSONL set.

    Raises:
        QuestionSetError: the file is absent, or a line is not a question or says at once that it is answerable and
            that nothing answers it.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        questions = tuple(TypeAdapter(AskedOfOthers).validate_json(line) for line in lines)
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise QuestionSetError(f"{path}: {error}") from error
    for one in questions:
        if one.answerable != bool(one.sources):
            raise QuestionSetError(f"{path}: answerable and sources of {one.id} disagree")
    return questions


def label(assistant: Weighs, questions: Sequence[Asked], *, others: bool = False) -> Labelled:
    """The evidence of every question of a set, as the roadmap's gate sees it or that of the other documents."""
    see = partial(assistant.evidence, others=True) if others else assistant.evidence
    names = OTHERS_FEATURES if others else FEATURES
    rows = []
    for question in questions:
        evidence = asdict(see(question.question, history=question.history))
        rows.append([evidence[name] for name in names])
    return Labelled(
        features=np.array(rows, dtype=np.float64),
        answerable=np.array([q.answerable for q in questions]),
        names=names,
    )


def fit_gate(natural: Labelled, hard: Labelled | None = None, *, answered: float) -> dict[str, Any]:
    """The record of `rag/gate.json`. `answered` is the share of answerable natural questions to answer, [0, 1]."""
    hard = hard or _nothing(natural.names)
    held_out = _held_out(natural, hard)
    threshold = float(np.quantile(held_out[natural.answerable], 1 - answered))
    coefficients, intercept = _fit(natural, hard)
    refused = held_out < threshold
    fitted = dict(zip(natural.names, (round(float(c), 5) for c in coefficients), strict=True))
    return {
        "coefficients": {name: fitted.get(name, 0.0) for name in Evidence.__dataclass_fields__},
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


def for_any_size(record: dict[str, Any], *, searched: int) -> dict[str, Any]:
    """A record fitted over that many chunks, made to hold for fewer and for more; over as many it says the same."""
    return record | {
        "coefficients": record["coefficients"] | {"searched": PER_SEARCHED},
        "intercept": round(record["intercept"] - PER_SEARCHED * math.log(searched), 5),
        "fitted": record["fitted"] | {"searched": searched},
    }


def _nothing(names: tuple[str, ...]) -> Labelled:
    """A set without questions."""
    return Labelled(features=np.zeros((0, len(names))), answerable=np.zeros(0, dtype=np.bool_), names=names)


def _held_out(natural: Labelled, hard: Labelled) -> Floats:
    """Probability of each natural question from models that did not see it, mean over repeats."""
    total = np.zeros(len(natural.answerable))
    for seed in range(REPEATS):
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
        for seen, unseen in folds.split(natural.features, natural.answerable):
            part = replace(natural, features=natural.features[seen], answerable=natural.answerable[seen])
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
