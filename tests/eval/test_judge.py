"""How far scorers can be trusted: known scores give the known figures, and the labelled sets are what they say."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.judge import trust
from eval.judge_report import Judged, judge_outcome
from eval.judging import JudgeModel
from eval.labelled import WRITTEN_SETS, LabelledSet, clapnq_sets, halueval_sets, roadmap_set, written_set
from eval.pairs import Pair
from eval.samples import Sample
from eval.score_cache import ScoreCache
from eval.scorers import Scorer, Verdict, baseline_scorers, checker_scorer, llm_scorers, pair_sample
from eval.scoring import Metric, Pace, ScoredItem, score_samples
from rag.errors import QuestionSetError
from rag.ground import Stance, Support
from rag.testing import FakeEmbedder, ScriptedGenerator


def pair(n: int, supported: bool, kind: str = "original") -> Pair:
    return Pair(statement=f"statement {n}", evidence=("one", "two"), supported=supported, kind=kind, of=n)


PAIRS = [*(pair(n, True) for n in range(4)), *(pair(n, False, "number") for n in range(4))]


def scorer(score: Callable[[Sample], float], *, threshold: float | None = 0.5) -> Scorer:
    async def at_once(sample: Sample) -> float:
        return score(sample)

    metric = Metric(name="s", key=None, due=lambda _: True, score=at_once)
    return Scorer(metric=metric, threshold=threshold, is_probability=threshold is not None)


def items_of(pairs: Sequence[Pair], scores: Sequence[float | None]) -> list[ScoredItem]:
    made = []
    for n, (one, score) in enumerate(zip(pairs, scores, strict=True)):
        item = ScoredItem(sample=pair_sample(one, name=str(n)))
        if score is None:
            item.failures["s"] = "TimeoutError"
        else:
            item.scores["s"] = score
        made.append(item)
    return made


def figures(scores: Sequence[float | None], *, threshold: float | None = 0.5) -> Any:
    found = trust(scorer(lambda _: 0, threshold=threshold), PAIRS, items_of(PAIRS, scores))
    assert found is not None
    return found


def test_a_perfect_a_blind_and_an_inverted_scorer_are_told_apart() -> None:
    assert figures([0.9] * 4 + [0.1] * 4).auroc == 1.0
    blind = figures([0.5] * 8)
    assert (blind.auroc, blind.balanced_accuracy) == (0.5, 0.5)
    assert figures([0.1] * 4 + [0.9] * 4).auroc == 0.0


def test_accuracy_is_at_the_scorers_own_threshold_unless_it_has_none() -> None:
    scores: list[float | None] = [0.4] * 4 + [0.3] * 4  # ranks perfectly, judges nothing supported
    own, best = figures(scores), figures(scores, threshold=None)
    assert (own.auroc, own.balanced_accuracy, own.threshold_is_own) == (1.0, 0.5, True)
    assert (best.balanced_accuracy, best.threshold, best.threshold_is_own) == (1.0, 0.4, False)
    assert (own.brier, best.brier) == (pytest.approx((0.36 + 0.09) / 2), None)


def test_failed_pairs_are_counted_and_left_out_of_the_figures() -> None:
    found = figures([0.9, None, 0.9, 0.9, None, 0.1, 0.1, 0.1])
    assert (found.n, found.n_failed, found.auroc) == (6, 2, 1.0)


def test_a_scorer_with_one_label_only_has_no_figure() -> None:
    assert trust(scorer(lambda _: 0), PAIRS, items_of(PAIRS, [0.9] * 4 + [None] * 4)) is None


def test_kinds_are_held_against_all_supported_pairs() -> None:
    pairs = [pair(0, True), pair(1, True), pair(0, False, "number"), pair(1, False, "swapped")]
    found = trust(scorer(lambda _: 0), pairs, items_of(pairs, [0.8, 0.6, 0.7, 0.1]))
    assert found is not None
    assert found.by_kind == {"number": (1, 0.5), "swapped": (1, 1.0)}


def test_the_outcome_shows_each_scorer_with_its_failures_and_the_caveat() -> None:
    scores: list[float | None] = [0.9, None, 0.9, 0.9, 0.1, 0.1, 0.1, 0.1]
    labelled = LabelledSet(name="set", pairs=tuple(PAIRS), caveat="made up")
    one = scorer(lambda _: 0)
    items = items_of(PAIRS, scores)
    found = trust(one, PAIRS, items)
    assert found is not None
    outcome = judge_outcome([Judged(labelled=labelled, items=tuple(items), trusts=(found,))], [one], facts={})
    assert outcome.values == {"set.s.auroc": 1.0, "set.s.balanced_accuracy": 1.0}
    assert outcome.n_failed == 1
    assert "made up" in outcome.sheet.sections[1].lines
    assert [row["tallies"] for row in outcome.rows][:2] == [{"s": [1, 1]}, {"s": [0, 1]}]
    json.dumps(outcome.details)


def score(scorers: Sequence[Scorer], pairs: Sequence[Pair], folder: Path) -> tuple[ScoredItem, ...]:
    samples = [pair_sample(one, name=str(n)) for n, one in enumerate(pairs)]
    metrics = [one.metric for one in scorers]
    return asyncio.run(score_samples(metrics, samples, cache=ScoreCache(folder), pace=Pace(timeout_s=60)))


def test_baselines_and_the_checker_score_as_they_say(tmp_path: Path) -> None:
    class Sure:
        name = "sure"

        def check(self, statement: str, evidence: Sequence[str]) -> Support:
            return Support(score=0.75, stance=Stance.SUPPORTED, evidence=0, reasons=())

    same = Pair(
        statement="red apples fall", evidence=("red apples fall",), supported=True, kind="original", of=0
    )
    other = Pair(
        statement="red apples fall down hill", evidence=("blue pears",), supported=False, kind="x", of=0
    )
    scorers = (checker_scorer(Sure(), threshold=0.5), *baseline_scorers(FakeEmbedder()))
    first, second = score(scorers, (same, other), tmp_path)
    assert first.scores["sure"] == 0.75
    assert (first.scores["word overlap"], second.scores["word overlap"]) == (1.0, 0.0)
    assert first.scores["cosine"] == pytest.approx(1.0)
    assert first.scores["length"] > second.scores["length"]


@pytest.mark.slow
def test_a_language_model_is_asked_outright_and_through_ragas(tmp_path: Path) -> None:
    verdict = {"statement": "a", "reason": "told", "verdict": 1}
    llm = ScriptedGenerator(
        Verdict(reason="stated", supported=0.9).model_dump_json(),
        json.dumps({"statements": ["a", "b"]}),
        json.dumps({"statements": [verdict, verdict | {"verdict": 0}]}),
    )
    (item,) = score(llm_scorers(JudgeModel(generator=llm)), [pair(1, True)], tmp_path)
    assert item.scores == {"llm": 0.9, "ragas": 0.5}
    assert "statement 1" in llm.seen[0][1].text


def test_the_roadmap_set_is_made_of_it_and_labelled_as_made() -> None:
    made = roadmap_set(most=60)
    kinds = {one.kind for one in made.pairs}
    assert {"original", "reworded", "negation", "swapped", "name"} <= kinds
    for one in made.pairs:
        assert one.supported == (one.kind in ("original", "reworded"))
        assert (one.statement in one.evidence) == (one.kind == "original")
    assert roadmap_set(most=60) == made


@pytest.mark.shared
def test_the_sets_of_others_are_read_where_they_are(shared: Path) -> None:
    answers, quotes = clapnq_sets(shared, most=20)
    assert len(answers.pairs) > 60
    assert len(quotes.pairs) > 60
    (halueval,) = halueval_sets(shared, most=20)
    assert sum(one.supported for one in halueval.pairs) == 20
    assert len(halueval.pairs) == 40


@pytest.mark.parametrize(("path", "n"), list(zip(WRITTEN_SETS, (60, 160, 40), strict=True)))
def test_a_written_set_is_balanced_and_rests_on_the_roadmap(path: Path, n: int) -> None:
    pairs = written_set(path).pairs
    assert (len(pairs), sum(pair.supported for pair in pairs)) == (n, n // 2)
    assert all(pair.evidence and pair.statement not in pair.evidence for pair in pairs)
    right, wrong = ({pair.kind for pair in pairs if pair.supported is one} for one in (True, False))
    assert right in ({"paraphrase"}, {"close", "free"})
    assert not right & wrong


def test_no_statement_is_written_twice() -> None:
    told = [pair.statement for path in WRITTEN_SETS for pair in written_set(path).pairs]
    assert len(set(told)) == len(told) == 260


def test_a_written_line_whose_passage_is_not_there_is_told(tmp_path: Path) -> None:
    path = tmp_path / "written.jsonl"
    line = {"id": "w", "statement": "s", "supported": True, "kind": "k", "passages": ["not in the roadmap"]}
    path.write_text(json.dumps(line), encoding="utf-8")
    with pytest.raises(QuestionSetError, match="line 1: a passage is not in one paragraph"):
        written_set(path)


def test_an_absent_set_is_told(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError):
        halueval_sets(tmp_path, most=5)
