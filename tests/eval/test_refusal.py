"""Fitting the gate on made-up evidence whose best boundary is known."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from eval.options import OTHERS
from eval.questions import Question
from eval.refusal import (
    FEATURES,
    HARD_WEIGHT,
    OTHERS_FEATURES,
    Labelled,
    fit_gate,
    for_any_size,
    label,
    load_asked_of_others,
)
from rag.errors import QuestionSetError
from rag.gate import Evidence, GateModel, judge

NOTHING = Evidence(
    dense=0.0, sentence=0.0, sentence_mean=0.0, held=0.0, names=0.0, works=0.0, no_detail=0.0, foreign=0.0
)
SENTENCE, NAMES = FEATURES.index("sentence"), FEATURES.index("names")


def _made_up(n: int, *, apart: float, seed: int) -> Labelled:
    """Half answerable; these have sentence scores that are higher by `apart` deviations. The rest is noise."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, len(FEATURES)))
    answerable = np.arange(n) % 2 == 0
    features[:, SENTENCE] += apart * answerable
    return Labelled(
        features=0.5 + 0.1 * features, answerable=answerable
    )  # as unlike a standard normal as cosines


NATURAL = _made_up(120, apart=3.0, seed=1)
HARD = _made_up(40, apart=0.5, seed=2)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Matrices this small are slower with more threads, by far where other work keeps the cores busy."""
    with threadpool_limits(limits=1):
        yield


@cache
def _fitted(answered: float = 0.9) -> dict[str, Any]:  # Any: the record is JSON
    return fit_gate(NATURAL, HARD, answered=answered)


def _share(record: Mapping[str, object], labelled: Labelled, *, answerable: bool) -> float:
    """The share of questions that a record answers, computed from its numbers alone."""
    coefficients = record["coefficients"]
    assert isinstance(coefficients, dict)
    weights = np.array([coefficients[name] for name in FEATURES])
    scores = labelled.features @ weights + record["intercept"]
    answered = 1 / (1 + np.exp(-scores)) >= record["threshold"]
    return float(answered[labelled.answerable == answerable].mean())


@pytest.mark.parametrize("answered", [0.7, 0.9])
def test_the_threshold_answers_the_wanted_share_of_the_answerable(answered: float) -> None:
    record = _fitted(answered)
    assert record["fitted"]["answered_share"] == pytest.approx(answered, abs=1 / 60)
    assert _share(record, NATURAL, answerable=True) == pytest.approx(answered, abs=0.06)
    fresh = _made_up(2000, apart=3.0, seed=3)
    assert _share(record, fresh, answerable=True) == pytest.approx(answered, abs=0.08)
    assert _share(record, fresh, answerable=False) < 0.4


def test_separable_evidence_is_told_apart_by_the_feature_that_separates_it() -> None:
    record = fit_gate(_made_up(120, apart=12.0, seed=4), HARD, answered=0.95)
    coefficients = record["coefficients"]
    assert max(coefficients, key=lambda name: abs(coefficients[name])) == "sentence"
    assert coefficients["sentence"] > 0
    assert record["fitted"]["cross_validated_auroc"] == 1.0
    assert record["fitted"]["refused_share_of_unanswerable"] == 1.0


def test_a_feature_that_speaks_against_an_answer_gets_a_negative_weight() -> None:
    features = NATURAL.features.copy()
    features[:, NAMES] = np.where(NATURAL.answerable, 0.0, 2.0)
    record = fit_gate(replace(NATURAL, features=features), HARD, answered=0.95)
    assert record["coefficients"]["names"] < -0.5


def test_evidence_without_a_signal_is_worth_nothing_in_cross_validation() -> None:
    record = fit_gate(_made_up(120, apart=0.0, seed=5), _made_up(40, apart=0.0, seed=6), answered=0.9)
    assert record["fitted"]["cross_validated_auroc"] < 0.6


def test_the_hard_set_counts_for_less_but_counts() -> None:
    against = replace(HARD, answerable=~HARD.answerable)
    turned = fit_gate(NATURAL, against, answered=0.9)
    assert _fitted()["coefficients"]["sentence"] > turned["coefficients"]["sentence"] > 0
    assert 0 < HARD_WEIGHT < 1


def test_the_record_names_every_feature_and_how_it_was_made() -> None:
    record = _fitted()
    assert list(record["coefficients"]) == [field.name for field in fields(Evidence)]
    assert set(record) == {"coefficients", "intercept", "threshold", "fitted"}
    assert (record["fitted"]["n_natural"], record["fitted"]["n_hard"]) == (120, 40)


def test_a_fit_can_be_repeated() -> None:
    assert fit_gate(NATURAL, HARD, answered=0.9) == _fitted()


class _Scripted:
    """Evidence by question, with a mark where a history came along and where the other documents are meant."""

    def evidence(
        self, question: str, *, history: Sequence[Mapping[str, str]] = (), others: bool = False
    ) -> Evidence:
        return replace(
            NOTHING, sentence=float(len(question)), foreign=float(len(history)), names=float(others)
        )


def test_questions_are_labelled_with_their_evidence_in_order() -> None:
    questions = [
        _question("q1", "Why?", answerable=True),
        _question("q2", "And then?", answerable=False, history=({"role": "user", "content": "Why?"},)),
    ]
    labelled = label(_Scripted(), questions)
    assert labelled.answerable.tolist() == [True, False]
    rows = [asdict(NOTHING) | dict(zip(FEATURES, row, strict=True)) for row in labelled.features.tolist()]
    assert rows == [
        asdict(replace(NOTHING, sentence=4.0)),
        asdict(replace(NOTHING, sentence=9.0, foreign=1.0)),
    ]


def test_a_gate_for_any_size_says_the_same_over_as_many_chunks_and_asks_for_more_over_more() -> None:
    record = for_any_size(_fitted(), searched=1000)
    plain, sized = (
        GateModel(**{name: one[name] for name in ("coefficients", "intercept", "threshold", "fitted")})
        for one in (_fitted(), record)
    )
    seen = {
        n: judge(replace(NOTHING, searched=math.log(n)), model=sized).probability for n in (10, 1000, 10**6)
    }
    assert seen[1000] == pytest.approx(judge(NOTHING, model=plain).probability, abs=1e-5)
    assert seen[10] > seen[1000] > seen[10**6]
    assert record["fitted"]["searched"] == 1000


def test_a_set_about_other_documents_is_read_labelled_and_fitted_without_a_hard_one(tmp_path: Path) -> None:
    lines = [
        {"id": "1", "question": "Why?", "answerable": True, "sources": ["a.md"]},
        {"id": "2", "question": "Whither?", "answerable": False, "sources": []},
    ]
    path = tmp_path / "others.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    labelled = label(_Scripted(), load_asked_of_others(path), others=True)
    assert labelled.answerable.tolist() == [True, False]
    assert labelled.names == OTHERS_FEATURES
    assert labelled.features[:, OTHERS_FEATURES.index("names")].tolist() == [1.0, 1.0]
    assert fit_gate(NATURAL, answered=0.9)["fitted"]["n_hard"] == 0


@pytest.mark.parametrize(
    "line",
    [
        '{"id": "1"}',
        '{"id": "1", "question": "Why?", "answerable": true, "sources": []}',
        '{"id": "1", "question": "Why?", "answerable": false, "sources": ["a.md"]}',
    ],
)
def test_a_line_that_is_no_question_or_contradicts_itself_is_told(line: str, tmp_path: Path) -> None:
    path = tmp_path / "others.jsonl"
    path.write_text(line)
    with pytest.raises(QuestionSetError, match=r"others\.jsonl"):
        load_asked_of_others(path)


def test_the_shipped_set_about_other_documents_has_both_kinds() -> None:
    questions = load_asked_of_others(OTHERS)
    assert len({one.id for one in questions}) == len(questions) > 200
    assert {one.answerable for one in questions} == {True, False}


def _question(
    id_: str, text: str, *, answerable: bool, history: tuple[Mapping[str, str], ...] = ()
) -> Question:
    return Question(
        id=id_,
        type="factoid",
        question=text,
        answerable=answerable,
        gold_sections=(),
        evidence=(),
        key_points=(),
        cited_sources=(),
        reference="",
        history=history,
    )
