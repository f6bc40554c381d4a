"""The report on gold questions as people meet it: tables for the terminal, and the outcome that a run folder keeps.

This module computes no metric.
"""

from collections.abc import Iterator, Mapping

from rich.table import Table

from eval.floors import check_values
from eval.gold import PERCENT, GoldReport, Group, Measured
from eval.gold_plots import overall_plots, type_plots
from eval.page import Grid, Section, Sheet
from eval.runs import Outcome

TYPE_COLUMNS = (
    "evidence_recall_150w",
    "answer_recall",
    "citation_recall",
    "citation_section_precision",
    "answered_share",
    "abstention_recall",
)


def overall_table(report: GoldReport) -> Table:
    """All metrics over all questions, with 95 % intervals."""
    table = Table(title=_title(report.overall))
    table.add_column("metric")
    for column in ("value", "95 % interval", "questions", "items"):
        table.add_column(column, justify="right")
    for measured in report.overall.measured.values():
        table.add_row(*_cells(measured))
    return table


def type_table(report: GoldReport) -> Table:
    """The chief shares by question type, each with its number of items."""
    table = Table(title="By question type: % (n items)")
    table.add_column("type", no_wrap=True)
    for column in ("n", "failed", *TYPE_COLUMNS):
        table.add_column(column.replace("_", " "), justify="right")
    for group in report.by_type:
        table.add_row(*_type_cells(group))
    return table


def facts(report: GoldReport) -> Iterator[str]:
    """Latency and provenance, a line each."""
    if report.latency_median_s is not None and report.latency_p95_s is not None:
        yield f"latency: median {report.latency_median_s:.3f} s, 95th percentile {report.latency_p95_s:.3f} s"
    for name, value in report.provenance.items():
        yield f"{name.replace('_', ' ')}: {value or 'not recorded'}"


def gold_outcome(report: GoldReport, *, name: str) -> Outcome:
    """The report as a run keeps it; `name` is that of the question set."""
    sections = (
        Section(title="Run", lines=(f"question set: {name}", *facts(report))),
        Section(title="All questions", grids=(_overall_grid(report),), plots=overall_plots(report)),
        Section(title="By question type: % (n items)", grids=(_type_grid(report),), plots=type_plots(report)),
        *_failures(report),
    )
    return Outcome(
        kind="gold",
        values={name: measured.interval.mean for name, measured in report.overall.measured.items()},
        n_failed=report.overall.n_failed,
        details={"questions": name, **report.to_dict()},
        rows=tuple(row.to_dict() for row in report.rows),
        sheet=Sheet(title=_title(report.overall), sections=sections),
    )


def check_floors(report: GoldReport, floors: Mapping[str, float]) -> tuple[str, ...]:
    """One sentence for each floor that the report breaks."""
    measured = report.overall.measured
    return check_values({name: each.interval.mean for name, each in measured.items()}, floors)


def _failures(report: GoldReport) -> Iterator[Section]:
    lines = [f"{row.question_id}: {' '.join(row.failure.split())}" for row in report.rows if row.failure]
    if lines:
        yield Section(title="Failed items", lines=tuple(lines))


def _title(group: Group) -> str:
    return f"Gold questions: {group.n} asked, {group.n_failed} failed"


def _cells(measured: Measured) -> tuple[str, ...]:
    interval, unit = measured.interval, measured.unit
    digits, sign = (1, f" {unit}") if unit == PERCENT else (3, "") if unit == "0..1" else (0, f" {unit}")
    low, high = f"{interval.low:.{digits}f}", f"{interval.high:.{digits}f}"
    value = f"{interval.mean:.{digits}f}{sign}"
    return (measured.name, value, f"{low} – {high}", str(interval.n), str(measured.n_items))


def _type_cells(group: Group) -> tuple[str, ...]:
    found = (group.measured.get(name) for name in TYPE_COLUMNS)
    shares = (f"{each.interval.mean:.1f} ({each.n_items})" if each else "–" for each in found)
    return (group.name, str(group.n), str(group.n_failed), *shares)


def _overall_grid(report: GoldReport) -> Grid:
    head = ("metric", "value", "95 % interval", "questions", "items")
    return Grid(head=head, rows=tuple(_cells(each) for each in report.overall.measured.values()))


def _type_grid(report: GoldReport) -> Grid:
    head = ("type", "n", "failed", *(name.replace("_", " ") for name in TYPE_COLUMNS))
    return Grid(head=head, rows=tuple(map(_type_cells, report.by_type)))
