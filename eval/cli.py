"""The `waymark eval` commands: options in, tables and run folders out.

Whatever is wrong with files or settings is raised as a `WaymarkError` and told by the program's own handler.
The assistant is imported when a command runs, so that `--help` stays fast.
"""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from eval.gold import GoldAssistant, GoldReport, GoldRow, run_gold
from eval.questions import QUESTION_TYPES, Question, load_questions
from eval.report import check_floors, facts, load_floors, overall_table, type_table, write_run

QUESTIONS = Path(__file__).parent / "questions" / "dev.jsonl"
FLOORS = Path(__file__).parent.parent / "configs" / "gate.toml"
ROADMAP = Path(__file__).parent.parent / "corpus" / "roadmap.txt"
GATE_BROKEN = 1  # exit code

app = typer.Typer(no_args_is_help=True)


@app.callback()
def main() -> None:
    """Measure the assistant and write reports."""


@app.command()
def gold(
    questions: Annotated[Path, typer.Option(help="Question set, JSONL.")] = QUESTIONS,
    out: Annotated[Path, typer.Option(help="Folder in which the run gets its own folder.")] = Path("runs"),
    gate: Annotated[
        bool, typer.Option("--gate", help="Exit with 1 if a floor breaks or a question fails.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type; may be repeated.")
    ] = None,
) -> None:
    """Ask the gold questions and report recall, citations, abstention and time."""
    floors = load_floors(FLOORS) if gate else {}
    chosen = _chosen(load_questions(questions), types or [])
    from rag.assistant import Assistant  # noqa: PLC0415

    with Assistant.open() as assistant:
        report = _run_with_progress(assistant, chosen)
    run = write_run(report, out, now=datetime.now(UTC))
    errors = Console(stderr=True)
    _show(report, as_json=as_json)
    errors.print(f"Written to {run}", highlight=False)
    broken = check_floors(report, floors)
    if gate and report.overall.n_failed:
        broken += (f"questions that failed: {report.overall.n_failed}, none is wanted",)
    if broken:
        for line in broken:
            errors.print(f"Floor broken: {line}", highlight=False)
        raise typer.Exit(GATE_BROKEN)


def _chosen(questions: tuple[Question, ...], types: list[str]) -> tuple[Question, ...]:
    if unknown := sorted(set(types) - set(QUESTION_TYPES)):
        raise typer.BadParameter(
            f"{', '.join(unknown)}; types are {', '.join(QUESTION_TYPES)}", param_hint="--type"
        )
    chosen = tuple(question for question in questions if not types or question.type in types)
    if not chosen:
        raise typer.BadParameter("the question set has no question of this type", param_hint="--type")
    return chosen


def _run_with_progress(assistant: GoldAssistant, questions: tuple[Question, ...]) -> GoldReport:
    columns = (TextColumn("Asking"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    originals = {ROADMAP.name: ROADMAP.read_text(encoding="utf-8")} if ROADMAP.is_file() else {}
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("gold", total=len(questions))

        def advance(row: GoldRow) -> None:
            progress.advance(task)
            if row.failure:
                progress.console.print(
                    f"{row.question_id} failed: {row.failure}", markup=False, highlight=False
                )

        return run_gold(assistant, questions, originals=originals, on_row=advance)


def _show(report: GoldReport, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report.to_dict(), ensure_ascii=False, indent=1))
        return
    console = Console()
    console.print(overall_table(report), type_table(report))
    for line in facts(report):
        console.print(line, highlight=False)
