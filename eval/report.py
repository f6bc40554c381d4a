"""Reports as people meet them: a table, a run folder, and the floors that a release must not fall below.

A run folder holds `report.json` (all metrics), `rows.jsonl` (one question a line) and `summary.md`. This
module computes no metric.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from eval.gold import MEDIAN_WORDS, METRICS, PERCENT, GoldReport, Group, Measured
from rag.errors import SettingsError, StorageError

LOWER_IS_BETTER = frozenset({MEDIAN_WORDS})
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


def summary(report: GoldReport) -> str:
    """The report as Markdown."""
    overall = ("metric", "value", "95 % interval", "questions", "items")
    by_type = ("type", "n", "failed", *TYPE_COLUMNS)
    failures = [f"- {row.question_id}: {' '.join(row.failure.split())}" for row in report.rows if row.failure]
    parts = [
        f"# {_title(report.overall)}",
        "\n".join(f"- {line}" for line in facts(report)),
        _markdown(overall, [_cells(measured) for measured in report.overall.measured.values()]),
        "## By question type: % (n items)",
        _markdown(by_type, [_type_cells(group) for group in report.by_type]),
        *(["## Failed items", "\n".join(failures)] if failures else []),
    ]
    return "\n\n".join(parts) + "\n"


def facts(report: GoldReport) -> Iterator[str]:
    """Latency and provenance, a line each."""
    if report.latency_median_s is not None and report.latency_p95_s is not None:
        yield f"latency: median {report.latency_median_s:.3f} s, 95th percentile {report.latency_p95_s:.3f} s"
    for name, value in report.provenance.items():
        yield f"{name.replace('_', ' ')}: {value or 'not recorded'}"


def write_run(report: GoldReport, folder: Path, *, now: datetime) -> Path:
    """Write a run into a new folder named by the time in UTC, and return that folder.

    Raises:
        StorageError: The folder cannot be made or written.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    rows = [json.dumps(row.to_dict(), ensure_ascii=False) for row in report.rows]
    try:
        run = _new_folder(folder, stamp)
        (run / "rows.jsonl").write_text("".join(f"{row}\n" for row in rows), encoding="utf-8")
        (run / "summary.md").write_text(summary(report), encoding="utf-8")
        whole = json.dumps(report.to_dict(), ensure_ascii=False, indent=1)
        (run / "report.json").write_text(whole + "\n", encoding="utf-8")
    except OSError as error:
        raise StorageError(f"{folder}: {error}", hint="Name another folder with `--out`.") from error
    return run


def load_floors(path: Path) -> dict[str, float]:
    """The `[floors]` table of a TOML file: metric name to its least value (its greatest, for lengths).

    Raises:
        SettingsError: The file cannot be read, or names no such metric or no number.
    """
    try:
        floors = tomllib.loads(path.read_text(encoding="utf-8")).get("floors")
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}", hint="`--gate` reads its floors from this file.") from error
    if not isinstance(floors, dict) or not floors:
        raise SettingsError(f"{path}: there is no [floors] table")
    for name, value in floors.items():
        if name not in METRICS or isinstance(value, bool) or not isinstance(value, int | float):
            raise SettingsError(f"{path}: {name} = {value!r}", hint=f"Metrics: {', '.join(METRICS)}.")
    return {name: float(value) for name, value in floors.items()}


def check_floors(report: GoldReport, floors: Mapping[str, float]) -> tuple[str, ...]:
    """One sentence for each floor that is broken; a metric that nothing was measured for breaks its floor."""
    broken = []
    for name, floor in floors.items():
        bound = "at most" if name in LOWER_IS_BETTER else "at least"
        measured = report.overall.measured.get(name)
        if measured is None:
            broken.append(f"{name}: nothing was measured, {bound} {floor:g} is wanted")
        elif (
            (measured.interval.mean > floor) if name in LOWER_IS_BETTER else (measured.interval.mean < floor)
        ):
            broken.append(f"{name}: {measured.interval.mean:.2f}, {bound} {floor:g} is wanted")
    return tuple(broken)


def _new_folder(folder: Path, stamp: str) -> Path:
    """Make `folder/stamp`, or `folder/stamp-2` and so on where another run of that second has it."""
    folder.mkdir(parents=True, exist_ok=True)
    taken = {path.name for path in folder.iterdir()}
    name, number = stamp, 2
    while name in taken:
        name, number = f"{stamp}-{number}", number + 1
    (folder / name).mkdir()
    return folder / name


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


def _markdown(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = (head, ("---",) * len(head), *rows)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
