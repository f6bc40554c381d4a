"""The commands `waymark sources`, `sources fetch` and `sources supply`: the works cited and what is kept of them.

The works are read from the roadmap itself, so that they can be fetched before anything is indexed.
"""

import json
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ingest.fetch.classify import READABLE
from ingest.fetch.fetcher import FetchReport, Options, fetch_works
from ingest.fetch.network import Network
from ingest.fetch.snapshots import Snapshots
from ingest.fetch.supply import supply as freeze_file
from ingest.fetch.supply import this_person
from ingest.fetch.table import as_data, as_lines
from ingest.fetch.targets import targets_of
from ingest.overview import cited_works, work_rows
from rag.errors import FetchIncomplete, SettingsError, SourcesSkipped
from rag.settings import Settings, load_settings

app = typer.Typer(add_completion=False, help="The works that the roadmap cites, and what is kept of them.")

Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]
NoIndex = Annotated[bool, typer.Option("--no-index", help="Freeze only; `waymark index` does the rest.")]


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
    rows = work_rows(load_settings({"home": home}).settings.home)
    if as_json:
        typer.echo(json.dumps(as_data(rows), ensure_ascii=False, indent=1))
        return
    typer.echo("\n".join(as_lines(rows)))


@app.command()
def fetch(
    context: typer.Context,
    only: Annotated[list[str] | None, typer.Option(help="Numbers of works: 3, or 3,6-9.")] = None,
    deadline: Annotated[float, typer.Option(min=1, help="Seconds for the whole run.")] = 600.0,
    no_index: NoIndex = False,
    home: Home = None,
) -> None:
    """Fetch the works cited, freeze what came and index it; a run that was cut off is taken up where it stopped."""
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
    _tell(report)
    if not no_index and any(visit.outcome in READABLE for _, visit in report.visits):
        _index(settings, asked=[target.url for target, _ in report.visits], pending=bool(report.pending))
    if report.pending:
        n = sum(len(target.numbers) for target in report.pending)
        raise FetchIncomplete(f"{n} works were not visited within {deadline:.0f} s.")


@app.command()
def supply(
    context: typer.Context,
    number: Annotated[int, typer.Argument(min=1, help="Number of the work.")],
    file: Annotated[Path, typer.Argument(help="What stands in that work: PDF, HTML, Markdown, text …")],
    no_index: NoIndex = False,
    home: Home = None,
) -> None:
    """Give a file by hand for a work that cannot be fetched; it is frozen, indexed and linked like a fetched page."""
    settings = load_settings({"home": home or context.obj}).settings
    (target,) = targets_of(cited_works(), {number})
    visit = freeze_file(target.url, file, snapshots=Snapshots(settings.home), by=this_person())
    numbers = ", ".join(map(str, target.numbers))
    typer.echo(f"{numbers}: supplied ({visit.reason}), {visit.size_bytes:,} bytes, SHA-256 {visit.sha256}")
    if not no_index:
        _index(settings, asked=[target.url])


def _tell(report: FetchReport) -> None:
    """One line for each visit, then the totals."""
    for target, visit in report.visits:
        numbers = ", ".join(map(str, target.numbers))
        typer.echo(
            f"{numbers}: {visit.outcome.replace('_', ' ')}{f' ({visit.reason})' if visit.reason else ''}"
        )
    typer.echo(
        f"{len(report.visits)} pages visited, {report.unchanged} unchanged ({report.not_sent} of them not sent again), "
        f"{len(report.resumed)} taken over from the run before, "
        f"{len(report.supplied)} supplied by hand and left alone, {len(report.pending)} left, "
        f"{report.seconds:.0f} s"
    )


def _index(settings: Settings, *, asked: Collection[str], pending: bool = False) -> None:
    """Bring the index up to date; `asked` are the URLs that this was about.

    Where works are left to be fetched, that is the error to tell.
    """
    from rag.cli.store import build  # noqa: PLC0415 (heavy, and it imports us)

    try:
        build(settings, say=True, asked=asked)
    except SourcesSkipped:
        if not pending:
            raise


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
