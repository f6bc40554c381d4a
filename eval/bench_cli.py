"""The `waymark bench` commands: options in, a table or JSON out.

Each compares Waymark with LangChain's default pipeline in the same run, in turns, and tells ratios with their spread.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from eval.bench_llm import llm
from eval.options import AsJson, Home, require_extra
from rag.cli.output import print_json
from rag.settings import load_settings

if TYPE_CHECKING:
    from eval.bench import Comparison, Spread
    from eval.bench_pipeline import Bench

Repetitions = Annotated[int, typer.Option("-n", min=1, help="Repetitions; each times both ways.")]

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def main() -> None:
    """Measure speed, and compare with other ways."""


app.command()(llm)


@app.command()
def ingest(
    files: Annotated[list[Path] | None, typer.Argument(help="Text files beside the roadmap.")] = None,
    *,
    n: Repetitions = 5,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Source characters indexed a second, with the same embedder on the same files."""
    from eval.bench_pipeline import ingest as measure

    _run(lambda bench: measure(bench, repetitions=n), home=home, as_json=as_json, files=files or ())


@app.command()
def ask(*, n: Repetitions = 5, home: Home = None, as_json: AsJson = False) -> None:
    """Time of a search in a process that is warm."""
    from eval.bench_pipeline import ask as measure

    _run(lambda bench: measure(bench, repetitions=n), home=home, as_json=as_json)


@app.command()
def cold(*, n: Repetitions = 5, home: Home = None, as_json: AsJson = False) -> None:
    """From the start of a process to its first passages."""
    from eval.bench_pipeline import cold as measure

    _run(lambda bench: measure(bench, repetitions=n)[:1], home=home, as_json=as_json)


@app.command()
def memory(*, n: Repetitions = 3, home: Home = None, as_json: AsJson = False) -> None:
    """The most memory that indexing and a first search take."""
    from dataclasses import replace

    from eval import bench_pipeline

    def measure(bench: "Bench") -> "tuple[Comparison, ...]":
        indexing = bench_pipeline.ingest(bench, repetitions=n)[-1]
        searching = bench_pipeline.cold(bench, repetitions=n)[-1]
        return (
            replace(indexing, name="peak memory, indexing"),
            replace(searching, name="peak memory, first search"),
        )

    _run(measure, home=home, as_json=as_json)


@app.command()
def growth(
    *,
    largest: Annotated[int, typer.Option(min=1000, help="Chunks of the largest index.")] = 100_000,
    n: Annotated[int, typer.Option("-n", min=1, help="Questions timed at each size.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Search time, size and opening time from 1,000 chunks up, over made-up vectors and words.

    A million takes some minutes and 8 GiB.
    """
    from eval.bench_growth import COLUMNS, measure, sizes

    steps = [measure(size, questions=n) for size in sizes(largest)]
    if as_json:
        print_json({"steps": [step.to_dict() for step in steps]})
        return
    table = Table(title=f"Growth: medians of {n} searches and their range")
    for column in COLUMNS:
        table.add_column(column, justify="right")
    for step in steps:
        table.add_row(*step.cells())
    Console().print(table)


def _run(
    measure: "Callable[[Bench], tuple[Comparison, ...]]",
    *,
    home: Path | None,
    as_json: bool,
    files: Sequence[Path] = (),
) -> None:
    require_extra("langchain_text_splitters", "langchain_community")
    from eval.bench_pipeline import opened

    with opened(load_settings({"home": home}).settings.home, files) as bench:
        found = measure(bench)
        characters = bench.n_characters
    if as_json:
        print_json({"source_characters": characters, "figures": [one.to_dict() for one in found]})
        return
    table = Table(
        title=f"{characters:,} source characters; median and range; a ratio above 1: Waymark is better"
    )
    for column in ("", "unit", "Waymark", "LangChain default", "ratio", "n"):
        table.add_column(column, justify="left" if column in ("", "unit") else "right")
    for one in found:
        table.add_row(
            one.name,
            one.unit,
            _spread(one.waymark),
            _spread(one.langchain),
            _spread(one.ratio),
            str(one.ratio.n),
        )
    Console().print(table)


def _spread(of: "Spread") -> str:
    return (
        f"{of.median:,.3g} [{of.least:,.3g} – {of.greatest:,.3g}]"
        if of.greatest < 1000
        else (f"{of.median:,.0f} [{of.least:,.0f} – {of.greatest:,.0f}]")
    )
