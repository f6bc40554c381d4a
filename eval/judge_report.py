"""The report of `waymark eval judge`: every scorer on every labelled set, the trivial baselines beside."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass

from eval import plots
from eval.judge import Trust
from eval.labelled import LabelledSet
from eval.page import Grid, Plot, Section, Sheet
from eval.runs import Outcome
from eval.scorers import BASELINES, Scorer
from eval.scoring import ScoredItem


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One set with what every scorer made of it; `items` stand in the order of the pairs."""

    labelled: LabelledSet
    items: tuple[ScoredItem, ...]
    trusts: tuple[Trust, ...]


def judge_outcome(
    judged: Sequence[Judged],
    scorers: Sequence[Scorer],
    *,
    facts: Mapping[str, str],
    notes: Sequence[str] = (),
) -> Outcome:
    """What a run keeps; `notes` say which sets and scorers are absent, and why."""
    n_failed = sum(len(item.failures) for one in judged for item in one.items)
    n_pairs = sum(len(one.items) for one in judged)
    lines = tuple(f"{name}: {value}" for name, value in facts.items())
    return Outcome(
        kind="judge",
        values=dict(_values(judged)),
        n_failed=n_failed,
        details={
            "facts": dict(facts),
            "notes": list(notes),
            "sets": {
                one.labelled.name: {
                    "n": len(one.items),
                    "caveat": one.labelled.caveat,
                    "scorers": {trust.scorer: asdict(trust) for trust in one.trusts},
                }
                for one in judged
            },
        },
        rows=tuple(row for one in judged for row in _rows(one, scorers)),
        sheet=Sheet(
            title=f"How far to trust the scorers: {len(judged)} sets, {n_pairs} pairs",
            sections=(Section(title="Run", lines=(*lines, *notes)), *map(_section, judged)),
        ),
    )


def _values(judged: Sequence[Judged]) -> Iterator[tuple[str, float]]:
    for one in judged:
        for trust in one.trusts:
            yield f"{one.labelled.name}.{trust.scorer}.auroc", trust.auroc
            yield f"{one.labelled.name}.{trust.scorer}.balanced_accuracy", trust.balanced_accuracy


def _section(one: Judged) -> Section:
    n_supported = sum(item.supported for item in one.labelled.pairs)
    return Section(
        title=f"{one.labelled.name}: {len(one.items)} pairs, {n_supported} supported",
        lines=(one.labelled.caveat, *_failures(one)),
        grids=(_grid(one), _kinds(one)),
        plots=tuple(_plots(one)),
    )


def _failures(one: Judged) -> Iterator[str]:
    """Each scorer that failed, with how often and its commonest reason; one without a figure is in no table."""
    reasons: dict[str, Counter[str]] = {}
    for item in one.items:
        for name, reason in item.failures.items():
            reasons.setdefault(name, Counter())[reason] += 1
    measured = {trust.scorer for trust in one.trusts}
    for name, told in reasons.items():
        figure = "" if name in measured else ", so it has no figure"
        often, n = told.most_common(1)[0]
        yield f"{name} failed on {told.total()} of {len(one.items)} pairs{figure}; {n} times: {often}"


def _grid(one: Judged) -> Grid:
    rows = tuple(
        (
            trust.scorer,
            f"{trust.auroc:.3f}",
            f"{trust.auroc_low:.3f} – {trust.auroc_high:.3f}",
            f"{trust.balanced_accuracy:.3f}",
            f"{trust.threshold:.2f}" + ("" if trust.threshold_is_own else " (best on the set)"),
            "–" if trust.brier is None else f"{trust.brier:.3f}",
            str(trust.n),
            str(trust.n_failed),
        )
        for trust in one.trusts
    )
    head = ("scorer", "AUROC", "95 % interval", "balanced accuracy", "threshold", "Brier", "scored", "failed")
    return Grid(head=head, rows=rows)


def _kinds(one: Judged) -> Grid:
    """AUROC of each kind of unsupported pair against all supported ones."""
    kinds = dict.fromkeys(kind for trust in one.trusts for kind in trust.by_kind)
    counts = {
        kind: max(trust.by_kind[kind][0] for trust in one.trusts if kind in trust.by_kind) for kind in kinds
    }
    rows = tuple(
        (trust.scorer, *(f"{trust.by_kind[kind][1]:.3f}" if kind in trust.by_kind else "–" for kind in kinds))
        for trust in one.trusts
    )
    return Grid(head=("AUROC by kind", *(f"{kind} (n\u00a0{counts[kind]})" for kind in kinds)), rows=rows)


def _plots(one: Judged) -> Iterator[Plot]:
    name = one.labelled.name
    bars = {t.scorer: (100 * t.auroc, 100 * t.auroc_low, 100 * t.auroc_high) for t in one.trusts}
    if bars:
        caption = f"{name}: AUROC × 100 with 95 % intervals, {len(one.items)} pairs; 50 is chance"
        yield plots.shares(bars, caption=caption, label="AUROC × 100")
    curves = {trust.scorer: trust.calibration for trust in one.trusts if trust.calibration}
    if curves:
        yield plots.calibration(curves, caption=f"{name}: calibration")
    for trust in one.trusts:
        if trust.scorer not in BASELINES:
            yield plots.histogram(
                {
                    label: [
                        item.scores[trust.scorer]
                        for item, pair in zip(one.items, one.labelled.pairs, strict=True)
                        if pair.supported is supported and trust.scorer in item.scores
                    ]
                    for label, supported in (("supported", True), ("not supported", False))
                },
                caption=f"{name}: scores of {trust.scorer}",
                label="score",
            )


def _rows(one: Judged, scorers: Sequence[Scorer]) -> Iterator[dict[str, object]]:
    thresholds = {trust.scorer: trust.threshold for trust in one.trusts}
    known = [scorer.name for scorer in scorers if scorer.name in thresholds]
    for pair, item in zip(one.labelled.pairs, one.items, strict=True):
        right = {
            name: [int((item.scores[name] >= thresholds[name]) == pair.supported), 1]
            for name in known
            if name in item.scores
        }
        yield {
            "question_id": item.sample.question_id,
            "type": pair.kind,
            "statement": pair.statement,
            "supported": pair.supported,
            "scores": {name: round(score, 4) for name, score in item.scores.items()},
            "tallies": right | {name: [0, 1] for name in item.failures},
            "failures": item.failures,
        }
