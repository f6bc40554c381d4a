"""The plots of reports, as SVG texts that go into the page.

Matplotlib draws them without a window. Text stays text, nothing is referenced from outside, and the same numbers
give the same file. Shares are in percent where the axis says so.
"""

import io
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from eval.page import Plot

_METADATA = re.compile(r"<metadata>.*?</metadata>", re.DOTALL)
_SIZE = (6.2, 3.4)  # inches
BINS = 10


def shares(values: Mapping[str, tuple[float, float, float]], *, caption: str, label: str = "%") -> Plot:
    """Horizontal bars of `(value, low, high)` from 0 to 100, first on top."""
    names = list(values)[::-1]
    centre = np.array([values[name][0] for name in names])
    ends = np.array(
        [[values[name][0] - values[name][1], values[name][2] - values[name][0]] for name in names]
    )
    with _drawing(caption, height=0.6 + 0.28 * len(names)) as (axes, made):
        axes.barh(
            names,
            centre,
            xerr=np.clip(ends, 0, None).T if len(names) else None,
            color="#4477aa",
            ecolor="#333",
        )
        axes.set_xlim(0, 100)
        axes.set_xlabel(label)
    return made[0]


def histogram(series: Mapping[str, Sequence[float]], *, caption: str, label: str) -> Plot:
    """Distributions of scores in [0, 1], one outline a series."""
    edges = np.linspace(0, 1, 2 * BINS + 1)
    with _drawing(caption) as (axes, made):
        few = len(series) <= 2  # more would hide each other
        for name, values in series.items():
            axes.hist(
                values,
                bins=edges.tolist(),
                histtype="stepfilled" if few else "step",
                alpha=0.45 if few else 1.0,
                label=f"{name} (n = {len(values)})",
            )
        axes.set_xlabel(label)
        axes.set_ylabel("items")
        _name_series(axes)
    return made[0]


def calibration(curves: Mapping[str, Sequence[tuple[float, float, int]]], *, caption: str) -> Plot:
    """Observed share over predicted probability; points are `(predicted, observed, n)`, size grows with n."""
    with _drawing(caption, height=4.2, width=4.6) as (axes, made):
        axes.plot([0, 1], [0, 1], color="#999", linewidth=1, linestyle="--")
        for name, points in curves.items():
            ordered = sorted(points)
            told = f"{name} (n = {sum(n for _, _, n in ordered)})"
            axes.plot([p for p, _, _ in ordered], [o for _, o, _ in ordered], linewidth=1, label=told)
            axes.scatter(
                [p for p, _, _ in ordered],
                [o for _, o, _ in ordered],
                s=[8 + 4 * n**0.5 for _, _, n in ordered],
                clip_on=False,
            )
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="predicted", ylabel="observed")
        _name_series(axes)
    return made[0]


def cumulative(series: Mapping[str, Sequence[float]], *, caption: str, label: str) -> Plot:
    """The share of items at or below each value, for latencies."""
    with _drawing(caption) as (axes, made):
        for name, values in series.items():
            ordered = np.sort(np.asarray(values, dtype=float))
            told = f"{name} (n = {len(ordered)})"
            axes.step(ordered, 100 * np.arange(1, len(ordered) + 1) / len(ordered), where="post", label=told)
        axes.set(xlabel=label, ylabel="% of items", ylim=(0, 100))
        axes.set_xlim(left=0)
        _name_series(axes)
    return made[0]


def differences(
    values: Mapping[str, tuple[float, float, float]], *, caption: str, sure: Collection[str]
) -> Plot:
    """Differences `(mean, low, high)` of two runs around zero; `sure` are the names to be set off."""
    names = list(values)[::-1]
    with _drawing(caption, height=0.7 + 0.28 * len(names)) as (axes, made):
        axes.axvline(0, color="#999", linewidth=1)
        for row, name in enumerate(names):
            mean, low, high = values[name]
            color = "#cc3311" if name in sure else "#888"
            axes.plot([low, high], [row, row], color=color)
            axes.plot([mean], [row], "o", color=color, markersize=4)
        axes.set_yticks(range(len(names)), names)
        axes.set_xlabel("B − A")
    return made[0]


def binned(probabilities: Sequence[float], outcomes: Sequence[bool]) -> tuple[tuple[float, float, int], ...]:
    """Calibration points of ten equal bins: mean prediction, observed share, n. Empty bins are left out."""
    p, y = np.asarray(probabilities, dtype=float), np.asarray(outcomes, dtype=float)
    at = np.minimum((p * BINS).astype(int), BINS - 1)
    return tuple(
        (float(p[at == k].mean()), float(y[at == k].mean()), int((at == k).sum()))
        for k in range(BINS)
        if (at == k).any()
    )


def _name_series(axes: Axes) -> None:
    """A legend, if there is anything to name."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8)


@contextmanager
def _drawing(
    caption: str, *, height: float = _SIZE[1], width: float = _SIZE[0]
) -> Iterator[tuple[Axes, list[Plot]]]:
    """Axes to draw on; the finished plot is in the list when the block has ended."""
    made: list[Plot] = []
    # The salt makes ids differ between the plots of one page and be the same in every run.
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": caption, "font.size": 9}):
        figure = Figure(figsize=(width, height), layout="constrained")
        axes = figure.add_subplot()
        axes.spines[["top", "right"]].set_visible(False)
        yield axes, made
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    svg = out.getvalue()
    made.append(Plot(caption=caption, svg=_METADATA.sub("", svg[svg.index("<svg") :])))
