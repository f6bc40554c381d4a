"""Scoring samples with metrics: due, scored, failed. A failed or NaN item is counted, never averaged away.

A metric is anything that gives a number for a sample; judges, Ragas and models are not known here. Slow judges get a
timeout an item and a bound on how many are asked at once; scores that a cache holds are not asked for again.
"""

import asyncio
import logging
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from eval.bootstrap import Interval, ratio_interval
from eval.samples import Sample
from eval.score_cache import ScoreCache

_MOST = 1 + 1e-6  # of a score; a cosine may pass 1 by rounding, and Ragas' relevancy may be below 0
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """`key` names all that its scores depend on beside the sample: versions, judge; None keeps no scores."""

    name: str
    key: str | None
    due: Callable[[Sample], bool]
    score: Callable[[Sample], Awaitable[float]]  # [0, 1]; NaN or an error is a failed item


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How hard metrics are asked: items at once, and seconds for one metric of one item."""

    concurrency: int = 1
    timeout_s: float = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredItem:
    """One sample under all metrics; what was not due is in neither mapping."""

    sample: Sample
    scores: dict[str, float] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, object]:
        """As a row of a run: a failed item is a tally of 0 of 1."""
        tallies = {name: [score, 1] for name, score in self.scores.items()}
        return {
            "question_id": self.sample.question_id,
            "type": self.sample.type,
            "question": self.sample.user_input,
            "status": "answered" if self.sample.answered else "insufficient_evidence",
            "text": self.sample.response,
            "tallies": tallies | {name: [0, 1] for name in self.failures},
            "failures": self.failures,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """A metric over all items: `interval` is over the scored ones, `floor` counts each failed one as 0."""

    name: str
    n_due: int
    n_failed: int
    interval: Interval | None  # None where nothing was scored

    @property
    def floor(self) -> float | None:
        """The mean over all due items, failed ones as 0: what a floor is held against."""
        if not self.n_due:
            return None
        return self.interval.mean * self.interval.n / self.n_due if self.interval else 0.0


async def score_samples(
    metrics: Sequence[Metric],
    samples: Sequence[Sample],
    *,
    cache: ScoreCache,
    pace: Pace,
    on_item: Callable[[ScoredItem], None] = lambda _: None,
) -> tuple[ScoredItem, ...]:
    """Score every sample with every metric that is due, at the pace given."""
    slots = asyncio.Semaphore(pace.concurrency)

    async def one(sample: Sample) -> ScoredItem:
        item = ScoredItem(sample=sample)
        for metric in metrics:
            if metric.due(sample):
                async with slots:
                    await _score(metric, item, cache=cache, timeout_s=pace.timeout_s)
        on_item(item)
        return item

    return tuple(await asyncio.gather(*map(one, samples)))


def add_up(metrics: Sequence[str], items: Sequence[ScoredItem]) -> tuple[Scored, ...]:
    """Each metric over the items, in the order given."""
    return tuple(_add_up(name, items) for name in metrics)


async def _score(metric: Metric, item: ScoredItem, *, cache: ScoreCache, timeout_s: float) -> None:
    sample = item.sample
    if sample.failure:
        item.failures[metric.name] = f"the question failed: {sample.failure}"
        return
    key = f"{metric.name} {metric.key} {sample.digest()}" if metric.key else None
    kept = cache.get(key) if key else None
    if kept is not None:
        item.scores[metric.name] = kept
        return
    try:
        score = float(await asyncio.wait_for(metric.score(sample), timeout_s))
        if not math.isfinite(score):
            raise ValueError("the metric gave no number")
        if abs(score) > _MOST:
            raise ValueError(f"the metric gave {score:g}, which is no share")
    except TimeoutError:
        item.failures[metric.name] = f"no score within {timeout_s:g} s"
    except Exception as error:  # noqa: BLE001 (an item that fails is counted and shown)
        _log.info("%s of %s failed", metric.name, sample.question_id, exc_info=error)
        item.failures[metric.name] = f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    else:
        item.scores[metric.name] = score
        if key:
            cache.put(key, score)


def _add_up(name: str, items: Sequence[ScoredItem]) -> Scored:
    values = [item.scores[name] for item in items if name in item.scores]
    n_failed = sum(name in item.failures for item in items)
    interval = ratio_interval(values, [1.0] * len(values)) if values else None
    return Scored(name=name, n_due=len(values) + n_failed, n_failed=n_failed, interval=interval)
