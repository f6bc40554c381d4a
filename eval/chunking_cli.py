"""`waymark eval chunking`: Waymark beside the usual set-up on chunking_evaluation, in the same run."""

import json
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from eval.options import (
    FLOORS,
    AsJson,
    Gate,
    Home,
    Out,
    end_with,
    evaluation_data,
    keep,
    require_extra,
    runs_folder,
)
from rag.settings import load_settings, settings_digest

if TYPE_CHECKING:
    from eval.page import Section


def chunking(out: Out = None, *, home: Home = None, gate: Gate = False, as_json: AsJson = False) -> None:
    """Ask chunking_evaluation's questions: recall and IoU of the passages, beside LangChain's default."""
    require_extra("langchain_text_splitters")
    from eval import baseline, chunking_run
    from eval.chunking import FOLDER, load_chunking
    from eval.chunking_report import WAYMARK, chunking_outcome
    from eval.floors import check_values, load_floors
    from rag.embed import open_embedder
    from rag.retrieve import Weights

    settings = load_settings({"home": home}).settings
    data = load_chunking(evaluation_data(settings, FOLDER))
    embedder = open_embedder(settings.embedder, home=settings.home)
    asked = [one.question for one in data.questions]
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("LangChain's default", total=None)
        found = {
            f"LangChain default, {name}": passages
            for name, passages in baseline.retrieve(data.texts, asked, embedder, home=settings.home).items()
        }

        def advance(step: str, done: int, total: int) -> None:
            progress.update(task, description=f"Waymark: {step}", completed=done, total=total)

        weights = Weights(dense=settings.others_dense_weight)
        with chunking_run.opened(data.texts, embedder, home=settings.home, progress=advance) as index:
            advance("retrieve", 0, 1)
            found[WAYMARK] = chunking_run.retrieve(
                index, data, embedder, k=settings.passages, weights=weights
            )
    outcome = chunking_outcome(
        data,
        found,
        facts=[f"Waymark: {settings.passages} chunks retrieved, gathered in windows", f"{weights}"],
        provenance={
            "embedder": f"{embedder.spec.model}@{embedder.spec.revision[:12]}",
            "settings digest": settings_digest(settings),
        },
    )
    if as_json:
        typer.echo(json.dumps(outcome.details, ensure_ascii=False, indent=1))
    else:
        for section in outcome.sheet.sections[1:3]:
            _show(section)
    keep(outcome, runs_folder(out, home))
    end_with(check_values(outcome.values, load_floors(FLOORS, kind="chunking")) if gate else ())


def _show(section: "Section") -> None:
    for grid in section.grids:
        table = Table(title=section.title)
        for name in grid.head:
            table.add_column(name, justify="left" if name == grid.head[0] else "right")
        for row in grid.rows:
            table.add_row(*row)
        Console().print(table)
