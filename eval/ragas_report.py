"""The report of a Ragas run: each mean beside how many items were due, scored and failed, by type and as plots."""

from collections.abc import Iterator, Mapping, Sequence

from eval import plots
from eval.page import Grid, Plot, Section, Sheet
from eval.runs import Outcome
from eval.scoring import Scored, ScoredItem, add_up

_MOST_FAILURES = 40  # shown; all are in rows.jsonl


def ragas_outcome(
    items: Sequence[ScoredItem], metrics: Sequence[str], *, facts: Mapping[str, str], skipped: str = ""
) -> Outcome:
    """What a run keeps. `facts` tells question set, judge and provenance; `skipped` why metrics are absent."""
    overall = add_up(metrics, items)
    by_type = _by_type(items, metrics)
    n_failed = sum(bool(item.failures) for item in items)
    lines = tuple(f"{name.replace('_', ' ')}: {value or 'not recorded'}" for name, value in facts.items())
    sections = (
        Section(title="Run", lines=(*lines, *((skipped,) if skipped else ()))),
        Section(
            title="All questions", grids=(_grid(overall),), plots=(_means(overall), _spread(items, metrics))
        ),
        Section(title="By question type: mean (scored of due)", grids=(_type_grid(by_type, metrics),)),
        *_failures(items),
    )
    return Outcome(
        kind="ragas",
        values={each.name: each.floor for each in overall if each.floor is not None},
        n_failed=n_failed,
        details={
            "facts": dict(facts),
            "overall": {each.name: _record(each) for each in overall},
            "by_type": {
                name: {each.name: _record(each) for each in scored} for name, scored in by_type.items()
            },
        },
        rows=tuple(item.to_dict() for item in items),
        sheet=Sheet(title=f"Ragas: {len(items)} questions, {n_failed} with a failed item", sections=sections),
    )


def mean_text(scored: Scored) -> str:
    """The mean over scored items, with what failed beside it."""
    if scored.interval is None:
        return f"– ({scored.n_failed} of {scored.n_due} failed)" if scored.n_due else "–"
    failed = f", {scored.n_failed} failed" if scored.n_failed else ""
    return f"{scored.interval.mean:.3f} ({scored.interval.n} of {scored.n_due}{failed})"


def _record(scored: Scored) -> dict[str, object]:
    interval = scored.interval
    return {
        "n_due": scored.n_due,
        "n_failed": scored.n_failed,
        "mean": interval.mean if interval else None,
        "low": interval.low if interval else None,
        "high": interval.high if interval else None,
        "mean_with_failed_as_0": scored.floor,
    }


def _grid(overall: Sequence[Scored]) -> Grid:
    rows = []
    for each in overall:
        interval = each.interval
        rows.append(
            (
                each.name,
                f"{interval.mean:.3f}" if interval else "–",
                f"{interval.low:.3f} – {interval.high:.3f}" if interval else "–",
                str(each.n_due),
                str(each.n_due - each.n_failed),
                str(each.n_failed),
                "–" if each.floor is None else f"{each.floor:.3f}",
            )
        )
    head = ("metric", "mean of scored", "95 % interval", "due", "scored", "failed", "mean, failed as 0")
    return Grid(head=head, rows=tuple(rows))


def _by_type(items: Sequence[ScoredItem], metrics: Sequence[str]) -> dict[str, tuple[Scored, ...]]:
    types = dict.fromkeys(item.sample.type for item in items)
    return {name: add_up(metrics, [item for item in items if item.sample.type == name]) for name in types}


def _type_grid(by_type: Mapping[str, Sequence[Scored]], metrics: Sequence[str]) -> Grid:
    rows = tuple((name, *(mean_text(each) for each in scored)) for name, scored in by_type.items())
    return Grid(head=("type", *metrics), rows=rows)


def _means(overall: Sequence[Scored]) -> Plot:
    found = {
        each.name: (100 * each.interval.mean, 100 * each.interval.low, 100 * each.interval.high)
        for each in overall
        if each.interval
    }
    return plots.shares(found, caption="Means of scored items with 95 % intervals", label="mean × 100")


def _spread(items: Sequence[ScoredItem], metrics: Sequence[str]) -> Plot:
    series = {name: [item.scores[name] for item in items if name in item.scores] for name in metrics}
    return plots.histogram(
        {name: values for name, values in series.items() if values},
        caption="Distribution of scores",
        label="score",
    )


def _failures(items: Sequence[ScoredItem]) -> Iterator[Section]:
    lines = [
        f"{item.sample.question_id}, {name}: {reason}"
        for item in items
        for name, reason in item.failures.items()
    ]
    if lines:
        rest = len(lines) - _MOST_FAILURES
        more = (f"and {rest} more, all in rows.jsonl",) if rest > 0 else ()
        yield Section(title="Failed items", lines=(*lines[:_MOST_FAILURES], *more))
