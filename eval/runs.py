"""Run folders: where one evaluation run keeps what it found, and how it is read again.

A run is a folder named by its time in UTC and its kind: `report.json` (what was measured), `rows.jsonl` (one item a
line), `summary.md` and `page.html` (the same for people). The form of each file stands in docs/runs.md. This module
computes no metric.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eval.page import Sheet, html, markdown
from rag.errors import RunError, StorageError

REPORT, ROWS, SUMMARY, PAGE = "report.json", "rows.jsonl", "summary.md", "page.html"
SCHEMA = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as written. `report` and `rows` are plain JSON values."""

    folder: Path
    report: Mapping[str, Any]  # Any: JSON
    rows: tuple[Mapping[str, Any], ...]

    @property
    def kind(self) -> str:
        return str(self.report["kind"])

    @property
    def values(self) -> dict[str, float]:
        """What floors are held against: metric name to value."""
        return {name: float(value) for name, value in self.report["values"].items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a run has to tell: measured values, details, rows and the sheet for people."""

    kind: str  # gold, ragas, judge or suite
    values: Mapping[str, float]
    n_failed: int  # items
    details: Mapping[str, object]
    rows: tuple[Mapping[str, object], ...]
    sheet: Sheet


def new_folder(parent: Path, name: str) -> Path:
    """Make `parent/name`, or `parent/name-2` and so on where another run of that second has it.

    Raises:
        StorageError: It cannot be made.
    """
    try:
        parent.mkdir(parents=True, exist_ok=True)
        number, folder = 2, parent / name
        while folder.exists():
            number, folder = number + 1, parent / f"{name}-{number}"
        folder.mkdir()
    except OSError as error:
        raise StorageError(f"{parent}: {error}", hint="Name another folder with `--out`.") from error
    return folder


def stamp(now: datetime, kind: str) -> str:
    """The name of a run: `20261124T221500Z-gold`."""
    return f"{now.astimezone(UTC):%Y%m%dT%H%M%SZ}-{kind}"


def write_outcome(outcome: Outcome, folder: Path, *, now: datetime) -> Path:
    """Write all files of a run into a folder that exists, and return the folder.

    Raises:
        StorageError: It cannot be written.
    """
    report = {
        "schema": SCHEMA,
        "kind": outcome.kind,
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "title": outcome.sheet.title,
        "n_failed": outcome.n_failed,
        "values": dict(outcome.values),
        **outcome.details,
    }
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in outcome.rows)
    try:
        (folder / ROWS).write_text("".join(lines), encoding="utf-8")
        (folder / SUMMARY).write_text(markdown(outcome.sheet), encoding="utf-8")
        (folder / PAGE).write_text(html(outcome.sheet), encoding="utf-8")
        text = json.dumps(report, ensure_ascii=False, indent=1, allow_nan=False)
        (folder / REPORT).write_text(text + "\n", encoding="utf-8")  # last: a run with a report is whole
    except OSError as error:
        raise StorageError(f"{folder}: {error}", hint="Name another folder with `--out`.") from error
    return folder


def read_run(folder: Path) -> Run:
    """Read a run back.

    Raises:
        RunError: It is no run folder, or was written by another version.
    """
    try:
        report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
        rows = [json.loads(line) for line in _lines(folder / ROWS)]
    except (OSError, ValueError) as error:
        raise RunError(f"{folder} is no evaluation run: {error}") from error
    if not isinstance(report, dict) or report.get("schema") != SCHEMA or not _is_whole(report, rows):
        raise RunError(f"{folder} holds no report of form {SCHEMA}, or one that was changed by hand")
    return Run(folder=folder, report=report, rows=tuple(rows))


def _is_whole(report: Mapping[str, Any], rows: Iterable[object]) -> bool:  # Any: JSON
    values, n_failed = report.get("values"), report.get("n_failed")
    return (
        isinstance(report.get("kind"), str)
        and isinstance(report.get("title"), str)
        and type(n_failed) is int
        and isinstance(values, dict)
        and all(type(value) in (int, float) for value in values.values())
        and all(isinstance(row, dict) for row in rows)
    )


def list_runs(parent: Path) -> tuple[Path, ...]:
    """The run folders below, newest first; folders without a report are no runs."""
    if not parent.is_dir():
        return ()
    return tuple(sorted((path.parent for path in parent.glob(f"*/{REPORT}")), reverse=True))


def _lines(path: Path) -> Iterable[str]:
    """Ended by line feeds alone: texts inside may hold the other characters that end lines."""
    return [line for line in path.read_text(encoding="utf-8").split("\n") if line] if path.is_file() else ()
