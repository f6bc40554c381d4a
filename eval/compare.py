"""Run against run: what changed beyond noise, and for which questions.

Only questions that both runs asked, in the same words, are compared. The difference of a metric is that of its pooled
shares, and its interval comes from drawing questions with replacement, the same ones for both runs: a paired bootstrap.
Whatever has tallies `[hits, total]` in its rows can be compared; no metric is known here by name.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from eval.bootstrap import LEVEL, draws
from eval.page import Grid, Section, Sheet
from eval.plots import differences

# Fewer than six that all go one way are within chance at 5 % (sign test: 2 × 0.5⁵ = 6 %); the bootstrap of a handful
# of questions, or of the only one, is too narrow.
_LEAST_MOVED = 6

Rows = Sequence[Mapping[str, Any]]  # Any: JSON rows of a run


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """B minus A for one metric, in percent points (mean reciprocal ranks: times 100)."""

    metric: str
    a: float
    b: float
    low: float  # of the difference
    high: float
    n: int  # questions that count in both
    n_moved: int  # of them

    @property
    def sure(self) -> bool:
        """Whether the interval leaves zero out, and so many questions moved that chance would not do it."""
        return (self.low > 0 or self.high < 0) and self.n_moved >= _LEAST_MOVED


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A question whose tally of a metric differs."""

    question_id: str
    metric: str
    a: float  # share, 0 to 100
    b: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    changes: tuple[Change, ...]
    moved: tuple[Moved, ...]
    n_both: int
    only_a: tuple[str, ...]
    only_b: tuple[str, ...]
    reworded: tuple[str, ...] = ()  # ids that stand for another question in B

    @property
    def is_same(self) -> bool:
        """Whether both runs asked the same and no question came out otherwise."""
        return not (self.moved or self.only_a or self.only_b or self.reworded)


def compare_rows(a: Rows, b: Rows) -> Comparison:
    """Compare two runs by their rows; a question is known by its `question_id`."""
    first = {str(row["question_id"]): row for row in a}
    second = {str(row["question_id"]): row for row in b}
    shared = [name for name in first if name in second]
    both = [name for name in shared if _ask_the_same(first[name], second[name])]
    metrics = dict.fromkeys(name for row in (*a, *b) for name in row["tallies"])
    changes, moved = [], []
    for metric in metrics:
        # A precision has no total where nothing was cited: such a question says nothing about the pair.
        due = [name for name in both if _total(first[name], metric) and _total(second[name], metric)]
        if not due:
            continue
        left = np.array([first[name]["tallies"][metric] for name in due], dtype=float)
        right = np.array([second[name]["tallies"][metric] for name in due], dtype=float)
        changes.append(_change(metric, left, right))
        shares = zip(due, 100 * left[:, 0] / left[:, 1], 100 * right[:, 0] / right[:, 1], strict=True)
        moved += [Moved(question_id=name, metric=metric, a=x, b=y) for name, x, y in shares if x != y]
    return Comparison(
        changes=tuple(changes),
        moved=tuple(moved),
        n_both=len(both),
        only_a=tuple(name for name in first if name not in second),
        only_b=tuple(name for name in second if name not in first),
        reworded=tuple(name for name in shared if name not in set(both)),
    )


def changed_facts(a: Mapping[str, Any], b: Mapping[str, Any]) -> tuple[str, ...]:
    """What two reports record otherwise of how they were made: question set, index, settings, models."""
    one, other = _facts(a), _facts(b)
    names = [name for name in dict.fromkeys((*one, *other)) if one.get(name) != other.get(name)]
    return tuple(
        f"{name}: {one.get(name) or 'not recorded'} → {other.get(name) or 'not recorded'}" for name in names
    )


def comparison_sheet(comparison: Comparison, *, a: str, b: str, facts: Sequence[str] = ()) -> Sheet:
    """The comparison for people; `a` and `b` name the runs, `facts` what they record otherwise."""
    lines = [f"A: {a}", f"B: {b}", *facts, f"{comparison.n_both} questions in both"]
    lines += [
        f"{what}: {len(names)} ({', '.join(names[:5])}{' …' * (len(names) > 5)})"
        for what, names in _lonely(comparison)
        if names
    ]
    lines.append(_summary(comparison))
    bars = {change.metric: (change.b - change.a, change.low, change.high) for change in comparison.changes}
    sure = {change.metric for change in comparison.changes if change.sure}
    caption = "Differences in points, paired bootstrap; in colour beyond noise"
    plots = (differences(bars, caption=caption, sure=sure),) if bars else ()
    moved = [(m.question_id, m.metric, f"{m.a:.0f}", f"{m.b:.0f}") for m in comparison.moved]
    grid = Grid(head=("question", "metric", "A", "B"), rows=tuple(sorted(moved)))
    return Sheet(
        title="Run against run",
        sections=(
            Section(title="Runs", lines=tuple(lines)),
            Section(title="Metrics", grids=(_grid(comparison.changes),), plots=plots),
            Section(
                title="Questions that moved", grids=(grid,) if moved else (), lines=() if moved else ("none",)
            ),
        ),
    )


def _summary(comparison: Comparison) -> str:
    if comparison.is_same:
        return "no difference: every question came out the same in both"
    sure = [change for change in comparison.changes if change.sure]
    beyond = ", ".join(f"{change.metric} {change.b - change.a:+.1f}" for change in sure)
    return f"beyond noise ({100 * LEVEL:.0f} %): {beyond or 'nothing'}"


def _facts(report: Mapping[str, Any]) -> dict[str, str]:
    told = {**report.get("provenance", {}), **report.get("facts", {})}
    if "questions" in report:
        told = {"question set": report["questions"], **told}
    return {str(name).replace("_", " "): str(value) for name, value in told.items()}


def _ask_the_same(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Whether two rows of one id are about the same; a row that does not tell is known by its id alone."""
    one, other = (row.get("question", row.get("statement")) for row in (a, b))
    return None in (one, other) or (one, a.get("type")) == (other, b.get("type"))


def _total(row: Mapping[str, Any], metric: str) -> float:
    """How much of a metric was due for a row; 0 where nothing was."""
    return float(row["tallies"].get(metric, (0, 0))[1])


def _change(metric: str, a: np.ndarray, b: np.ndarray) -> Change:
    """`a` and `b` are `(n, 2)`: hits and totals of the same questions."""
    drawn = draws(len(a), seed=0)
    spread = _pooled(b, drawn) - _pooled(a, drawn)
    tail = (1 - LEVEL) / 2 * 100
    low, high = np.percentile(spread, [tail, 100 - tail])
    whole = np.arange(len(a))[None, :]
    return Change(
        metric=metric,
        a=float(_pooled(a, whole)[0]),
        b=float(_pooled(b, whole)[0]),
        low=float(low),
        high=float(high),
        n=len(a),
        n_moved=int((a[:, 0] / a[:, 1] != b[:, 0] / b[:, 1]).sum()),
    )


def _pooled(tallies: np.ndarray, drawn: np.ndarray) -> np.ndarray:
    shares: np.ndarray = 100 * tallies[drawn, 0].sum(axis=1) / tallies[drawn, 1].sum(axis=1)
    return shares


def _lonely(comparison: Comparison) -> tuple[tuple[str, tuple[str, ...]], ...]:
    return (
        ("only in A", comparison.only_a),
        ("only in B", comparison.only_b),
        ("another question under the same id, left out", comparison.reworded),
    )


def _grid(changes: Sequence[Change]) -> Grid:
    rows = tuple(
        (
            change.metric,
            f"{change.a:.1f}",
            f"{change.b:.1f}",
            f"{change.b - change.a:+.1f}",
            f"{change.low:+.1f} … {change.high:+.1f}",
            str(change.n),
            str(change.n_moved),
            "yes" if change.sure else "no",
        )
        for change in changes
    )
    head = ("metric", "A", "B", "B − A", "95 % interval", "questions", "moved", "beyond noise")
    return Grid(head=head, rows=rows)
