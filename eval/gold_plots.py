"""Plots of the report on gold questions: shares, types, latency, and how well the evidence gate is calibrated."""

from eval import plots
from eval.gold import PERCENT, GoldReport, Group
from eval.metrics import ABSTENTION_TYPES
from eval.page import Plot

TYPE_PLOTS = ("evidence_recall_150w", "answer_recall", "citation_section_precision")


def overall_plots(report: GoldReport) -> tuple[Plot, ...]:
    """Shares with their intervals, latency, and the gate's probabilities."""
    bars = {_with_n(name, report.overall, name): share for name, share in _shares(report.overall).items()}
    made = [plots.shares(bars, caption="Shares with 95 % intervals; n are items")]
    latencies = [row.latency_s for row in report.rows if not row.failure]
    if latencies:
        made.append(plots.cumulative({"answers": latencies}, caption="Latency", label="seconds"))
    return (*made, *_gate_plots(report))


def type_plots(report: GoldReport) -> tuple[Plot, ...]:
    """One plot a metric, a bar a type."""
    made = []
    for metric in TYPE_PLOTS:
        found = {
            _with_n(group.name, group, metric): _shares(group)[metric]
            for group in report.by_type
            if metric in _shares(group)
        }
        if found:
            made.append(
                plots.shares(found, caption=f"{metric.replace('_', ' ')} with 95 % intervals; n are items")
            )
    return tuple(made)


def _gate_plots(report: GoldReport) -> tuple[Plot, ...]:
    """Distribution and calibration of the gate's probability; only questions whose answerability is plain."""
    seen = [
        (row.evidence, row.type not in ABSTENTION_TYPES) for row in report.rows if row.evidence is not None
    ]
    if not seen:
        return ()
    answerable = [p for p, yes in seen if yes]
    others = [p for p, yes in seen if not yes]
    points = plots.binned([p for p, _ in seen], [yes for _, yes in seen])
    return (
        plots.histogram(
            {"to be answered": answerable, "to be declined": others},
            caption="Evidence gate: distribution of its probability",
            label="probability that the question can be answered",
        ),
        plots.calibration({"evidence gate": points}, caption="Evidence gate: calibration"),
    )


def _with_n(label: str, group: Group, metric: str) -> str:
    return f"{label.replace('_', ' ')} (n = {group.measured[metric].n_items})"


def _shares(group: Group) -> dict[str, tuple[float, float, float]]:
    return {
        name: (each.interval.mean, each.interval.low, each.interval.high)
        for name, each in group.measured.items()
        if each.unit == PERCENT
    }
