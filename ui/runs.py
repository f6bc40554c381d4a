"""Evaluation runs as their files tell them: `report.json` and `rows.jsonl` of a run folder, read for tables and plots.

Reads JSON by its form and computes no metric: an interval is shown as it was measured. A folder that is no whole run,
or of another form, is left out. Knows neither the evaluation's code nor Streamlit.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPORT, ROWS = "report.json", "rows.jsonl"
SCHEMA = 1
_KEPT = 50  # newest runs that are listed

# What people look for, in this order; what a run measured beside these comes after them.
GROUPS: Mapping[str, tuple[str, ...]] = {
    "Retrieval": ("evidence_recall_", "mrr", "context_", "non_llm_context_"),
    "Answers": (
        "answer_recall",
        "key_point",
        "answer_words",
        "answered_share",
        "string_similarity",
        "semantic",
    ),
    "Citations": ("citation_", "quote_", "cited_answers", "references_"),
    "Faithfulness": ("groundedness", "cited_groundedness", "faithfulness", "hallucination"),
    "Refusal": ("abstention_", "injection_", "refusal_"),
    "Scorers": ("auroc", "balanced_accuracy"),
}

Json = Mapping[str, Any]  # Any: JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A metric over some questions: mean with a 95 % interval where one was measured."""

    name: str  # in a run of several parts with the part before it: "gold-dev.mrr"
    question_type: str  # "all", or a type of question
    value: float
    low: float | None
    high: float | None
    n: int | None  # questions
    unit: str = ""

    @property
    def group(self) -> str:
        metric = self.name.rsplit(".", maxsplit=1)[-1]
        for group, starts in GROUPS.items():
            if metric.startswith(starts):
                return group
        return "Other"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """A run as listed, or a part of one."""

    folder: Path
    part: str  # its name in a run of several parts; else ""
    kind: str
    at: str
    title: str
    values: Mapping[str, float]
    report: Json

    @property
    def name(self) -> str:
        """When it ran and what it was, in words."""
        when = self.at[:16].replace("T", " ")
        return " · ".join(word for word in (when, self.kind, self.part) if word)

    def like(self, other: "RunFile") -> bool:
        """Whether both measure the same, so that one can be held against the other."""
        return self.folder != other.folder and self._subject == other._subject

    @property
    def _subject(self) -> tuple[str, str]:
        facts = self.report.get("facts") or {}
        return self.kind, str(self.report.get("questions") or facts.get("question set") or "")


def list_runs(parent: Path) -> tuple[RunFile, ...]:
    """Whole runs, newest first, each with its parts behind it."""
    if not parent.is_dir():
        return ()
    folders = sorted((path.parent for path in parent.glob(f"*/{REPORT}")), reverse=True)
    return tuple(run for folder in folders[:_KEPT] for run in _with_parts(folder))


def measurements(run: RunFile) -> tuple[Measurement, ...]:
    """What a run measured, over all questions and by type of question; in the order of the report."""
    found = [*_measured("all", run.report.get("overall", {}))]
    for question_type, group in _by_type(run.report.get("by_type")):
        found += _measured(question_type, group)
    known = {one.name for one in found if one.question_type == "all"}
    found += [
        Measurement(name=name, question_type="all", value=value, low=None, high=None, n=None)
        for name, value in run.values.items()
        if name not in known
    ]
    return tuple(found)


def rows(run: RunFile) -> tuple[Json, ...]:
    """The questions of a run, one record each; lines that are no record are left out."""
    try:
        lines = (run.folder / ROWS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(row for line in lines if isinstance(row := _json(line), dict))


def row_scores(row: Json) -> dict[str, float]:
    """The share of each metric that a question reached, from its tallies."""
    tallies = row.get("tallies") or {}
    return {
        name: float(tally[0]) / float(tally[1])
        for name, tally in tallies.items()
        if isinstance(tally, list) and len(tally) == 2 and tally[1]
    }


def _with_parts(folder: Path) -> Iterator[RunFile]:
    if (run := _read(folder)) is None:
        return
    yield run
    parts = sorted(path.parent for path in folder.glob(f"*/{REPORT}"))
    yield from (part for one in parts if (part := _read(one, part=one.name)) is not None)


def _read(folder: Path, *, part: str = "") -> RunFile | None:
    try:
        report = _json((folder / REPORT).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError):
        return None
    if not isinstance(report, dict) or report.get("schema") != SCHEMA:
        return None
    values = report.get("values") or {}
    return RunFile(
        folder=folder,
        part=part,
        kind=str(report.get("kind", "")),
        at=str(report.get("at", "")),
        title=str(report.get("title", "")),
        values={name: float(value) for name, value in values.items() if isinstance(value, int | float)},
        report=report,
    )


def _by_type(groups: object) -> Iterator[tuple[str, object]]:
    """The groups of a report: a mapping by type, or a list of groups that carry their name."""
    if isinstance(groups, dict):
        yield from groups.items()
    elif isinstance(groups, list):
        yield from ((str(group.get("name", "")), group) for group in groups if isinstance(group, dict))


def _measured(question_type: str, group: object) -> Iterator[Measurement]:
    """Of a group's metrics, either `{measured: {name: {interval}}}` or `{name: {mean, low, high}}`."""
    metrics = group.get("measured", group) if isinstance(group, dict) else {}
    for name, one in metrics.items() if isinstance(metrics, dict) else ():
        interval = one.get("interval", one) if isinstance(one, dict) else {}
        if not isinstance(interval, dict) or not isinstance(interval.get("mean"), int | float):
            continue
        yield Measurement(
            name=name,
            question_type=question_type,
            value=float(interval["mean"]),
            low=interval.get("low"),
            high=interval.get("high"),
            n=interval.get("n", interval.get("n_due")),
            unit=str(one.get("unit", "")),
        )


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None
