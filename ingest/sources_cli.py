"""The commands `waymark sources` and `waymark sources fetch`: the works cited and what is kept of them.

The works are read from the roadmap itself, so that they can be fetched before anything is indexed.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.fetch.fetcher import Options, fetch_works
from ingest.fetch.network import Network
from ingest.fetch.snapshots import Snapshots
from ingest.fetch.table import as_data, as_lines, rows_of
from ingest.fetch.targets import targets_of
from ingest.loaders.roadmap import load_roadmap
from rag.bundled import roadmap_path
from rag.errors import FetchIncomplete, SettingsError
from rag.schema import Work
from rag.settings import load_settings

app = typer.Typer(add_completion=False, help="The works that the roadmap cites, and what is kept of them.")

Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]


@app.callback(invoke_without_command=True)
def sources(
    context: typer.Context,
    home: Home = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """The table of the works cited: what was fetched, when, and with which outcome."""
    if context.invoked_subcommand is not None:
        context.obj = home
        return
    works = cited_works()
    snapshots = Snapshots(load_settings({"home": home}).settings.home)
    rows = rows_of(works, {target.url: snapshots.read(target.url) for target in targets_of(works)})
    if as_json:
        typer.echo(json.dumps(as_data(rows), ensure_ascii=False, indent=1))
        return
    typer.echo("\n".join(as_lines(rows)))


@app.command()
def fetch(
    context: typer.Context,
    only: Annotated[list[str] | None, typer.Option(help="Numbers of works: 3, or 3,6-9.")] = None,
    deadline: Annotated[float, typer.Option(min=1, help="Seconds for the whole run.")] = 600.0,
    home: Home = None,
) -> None:
    """Fetch the works cited and freeze what came; a run that was cut off is taken up where it stopped."""
    settings = load_settings({"home": home or context.obj}).settings
    network = Network(allow_loopback=settings.fetch_allow_loopback)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bars:
        task = bars.add_task("Fetching", total=None)
        report = fetch_works(
            cited_works(),
            snapshots=Snapshots(settings.home),
            network=network,
            options=Options(only=_numbers(only or ()), deadline_s=deadline),
            progress=lambda step, done, total: bars.update(task, completed=done, total=total),
        )
    for target, visit in report.visits:
        numbers = ", ".join(map(str, target.numbers))
        typer.echo(
            f"{numbers}: {visit.outcome.replace('_', ' ')}{f' ({visit.reason})' if visit.reason else ''}"
        )
    typer.echo(
        f"{len(report.visits)} pages visited, {len(report.resumed)} taken over from the run before, "
        f"{len(report.pending)} works left, {report.seconds:.0f} s"
    )
    if report.pending:
        raise FetchIncomplete(f"{len(report.pending)} works were not visited within {deadline:.0f} s.")


def cited_works() -> tuple[Work, ...]:
    """The works that the bundled roadmap cites."""
    path = roadmap_path()
    return load_roadmap(path.read_bytes(), path=path.name).works


def _numbers(texts: Iterable[str]) -> frozenset[int]:
    """The numbers that `3` and `6-9` and `3,6-9` name."""
    found: set[int] = set()
    for part in (part.strip() for text in texts for part in text.split(",") if part.strip()):
        first, dash, last = part.partition("-")
        bounds = (first, last if dash else first)
        if not all(bound.isascii() and bound.isdigit() and len(bound) <= 4 for bound in bounds):
            raise SettingsError(
                f"--only {part!r} is not a number of a work.", hint="Give --only 3 or --only 3,6-9."
            )
        found.update(range(int(bounds[0]), int(bounds[1]) + 1))
    return frozenset(found)
