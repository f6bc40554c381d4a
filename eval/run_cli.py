"""Commands over runs that are there: list them, compare two, hold one against the floors."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eval.options import DEV, FLOORS, Home, Out, end_with, runs_folder
from rag.errors import RunError, StorageError

if TYPE_CHECKING:  # plots load matplotlib
    from eval.page import Sheet
    from eval.runs import Run

SUITE = "suite"
RunName = Annotated[str, typer.Argument(help="A run folder, or its name in the folder of runs.")]


def runs(out: Out = None, home: Home = None) -> None:
    """List the runs, newest first."""
    from eval.runs import list_runs, read_run

    for folder in list_runs(runs_folder(out, home)):
        run = read_run(folder)
        typer.echo(f"{folder.name}  {run.report['title']}")


def compare(
    a: RunName,
    b: RunName,
    *,
    page: Annotated[Path | None, typer.Option(help="Also write the comparison as an HTML page.")] = None,
    out: Out = None,
    home: Home = None,
) -> None:
    """Say what changed from run A to run B beyond noise, question by question."""
    from eval.page import html, markdown

    first, second = (_find(name, runs_folder(out, home)) for name in (a, b))
    if first.kind != second.kind:
        raise RunError(
            f"{a} is a run of kind {first.kind}, {b} of kind {second.kind}", hint="Compare like with like."
        )
    sheet = _suites_compared(first, second) if first.kind == SUITE else _compared(first, second)
    typer.echo(markdown(sheet), nl=False)
    if page is not None:
        try:
            page.write_text(html(sheet), encoding="utf-8")
        except OSError as error:
            raise StorageError(
                f"{page}: {error.strerror}", hint="Name another file with `--page`."
            ) from error


def gate(
    names: Annotated[
        list[str] | None, typer.Argument(help="Runs; the newest of each kind if none is given.")
    ] = None,
    *,
    floors: Annotated[Path, typer.Option(help="File with the floors.")] = FLOORS,
    out: Out = None,
    home: Home = None,
) -> None:
    """Exit with 1 if a run breaks a floor of configs/gate.toml or holds failed items."""
    from eval.floors import TABLES, check_failed, check_values, load_floors

    parent = runs_folder(out, home)
    chosen = [_find(name, parent) for name in names] if names else _newest(parent)
    broken: list[str] = []
    for run in chosen:
        if run.kind not in TABLES:
            raise RunError(f"{run.folder.name}: there are no floors for runs of kind {run.kind}")
        found = check_values(run.values, load_floors(floors, kind=run.kind))
        found += check_failed(run.report["n_failed"])
        name = run.folder.relative_to(parent) if run.folder.is_relative_to(parent) else run.folder
        broken += [f"{name}: {line}" for line in found]
        typer.echo(f"{name}: {'broken' if found else 'holds'}")
    end_with(broken)


def _compared(first: "Run", second: "Run") -> "Sheet":
    from eval.compare import changed_facts, compare_rows, comparison_sheet

    try:
        found = compare_rows(first.rows, second.rows)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RunError(
            f"the rows of {first.folder.name} or {second.folder.name} are no tallies: {error!r}"
        ) from error
    if not found.n_both:
        raise RunError(
            f"{first.folder.name} and {second.folder.name} have no question in common",
            hint="Compare two runs of the same question set.",
        )
    facts = changed_facts(first.report, second.report)
    return comparison_sheet(found, a=first.folder.name, b=second.folder.name, facts=facts)


def _suites_compared(first: "Run", second: "Run") -> "Sheet":
    """Part by part; a part that only one of the suites has is named."""
    from eval.page import Section, Sheet
    from eval.runs import list_runs, read_run

    a, b = ({folder.name: folder for folder in list_runs(run.folder)} for run in (first, second))
    sections: list[Section] = []
    for name in sorted(a.keys() & b.keys()):
        sheet = _compared(read_run(a[name]), read_run(b[name]))
        sections += [replace(one, title=f"{name}: {one.title}") for one in sheet.sections]
    if not sections:
        raise RunError(f"{first.folder.name} and {second.folder.name} have no part in common")
    lines = [f"A: {first.folder.name}", f"B: {second.folder.name}"]
    lines += [f"only in one of them: {name}" for name in sorted(a.keys() ^ b.keys())]
    return Sheet(
        title="Suite against suite", sections=(Section(title="Suites", lines=tuple(lines)), *sections)
    )


def _newest(parent: Path) -> "list[Run]":
    """The newest run of each kind that has floors; those of the gold questions are for the development set."""
    from eval.floors import TABLES
    from eval.runs import list_runs, read_run

    newest: dict[str, Run] = {}
    for folder in list_runs(parent):
        for run in (read_run(folder), *(read_run(part) for part in list_runs(folder))):
            if run.kind in TABLES and run.report.get("questions", DEV.name) == DEV.name:
                newest.setdefault(run.kind, run)
    if not newest:
        raise RunError(f"{parent} holds no run", hint="Run `waymark eval gold` first.")
    return list(newest.values())


def _find(name: str, parent: Path) -> "Run":
    from eval.runs import read_run

    folder = Path(name)
    return read_run(folder if folder.is_dir() else parent / name)
