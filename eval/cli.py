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
from rag.bundled import bundled_path, roadmap_path

_SETS = Path(__file__).parent / "questions"
QUESTIONS, FIT, HARD = _SETS / "dev.jsonl", _SETS / "fit.jsonl", _SETS / "refusal.jsonl"
FLOORS = bundled_path("configs/gate.toml")
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
    errors.print(f"Written to {run}", highlight=False, markup=False)
    broken = check_floors(report, floors)
    if gate and report.overall.n_failed:
        broken += (f"questions that failed: {report.overall.n_failed}, none is wanted",)
    if broken:
        for line in broken:
            errors.print(f"Floor broken: {line}", highlight=False)
        raise typer.Exit(GATE_BROKEN)


@app.command("fit-gate")
def fit_refusal(
    natural: Annotated[
        Path, typer.Option(help="Questions as people ask them; they set the threshold.")
    ] = FIT,
    hard: Annotated[Path, typer.Option(help="Questions written to be confusable.")] = HARD,
    answered: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Share of answerable questions to answer.")
    ] = 0.96,
    out: Annotated[Path | None, typer.Option(help="Where to write; printed if not given.")] = None,
) -> None:
    """Fit the evidence gate: when a question is refused."""
    from eval.refusal import fit_gate, label  # noqa: PLC0415 (scikit-learn, only here)
    from rag.assistant import Assistant  # noqa: PLC0415

    with Assistant.open() as assistant:
        record = fit_gate(
            label(assistant, load_questions(natural)),
            label(assistant, load_questions(hard)),
            answered=answered,
        )
    record["fitted"] |= {"natural": natural.name, "hard": hard.name}
    text = json.dumps(record, indent=1) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


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
    roadmap = roadmap_path()
    originals = {roadmap.name: roadmap.read_text(encoding="utf-8")}
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
