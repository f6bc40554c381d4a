"""`waymark eval gold`: ask a question set and report what the answers are worth."""

import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from eval.options import (
    DEV,
    FLOORS,
    AsJson,
    Gate,
    Home,
    Llm,
    LlmUrl,
    Out,
    Questions,
    Seed,
    Strategy,
    Strict,
    bars,
    end_with,
    keep,
    require_extra,
    runs_folder,
)
from eval.questions import QUESTION_TYPES, Question, load_questions
from rag.bundled import roadmap_path

if TYPE_CHECKING:  # they load numpy
    from eval.gold import GoldAssistant, GoldReport, GoldRow


def gold(
    questions: Questions = DEV,
    out: Out = None,
    *,
    home: Home = None,
    llm: Llm = None,
    llm_url: LlmUrl = None,
    strategy: Strategy = None,
    strict: Strict = None,
    seed: Seed = None,
    gate: Gate = False,
    as_json: AsJson = False,
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only this type; may be repeated.")
    ] = None,
) -> None:
    """Ask the gold questions and report recall, citations, abstention and time."""
    require_extra("matplotlib")
    from eval.floors import check_failed, load_floors
    from eval.report import check_floors, gold_outcome
    from rag.cli.ask import opened

    floors = load_floors(FLOORS) if gate else {}
    chosen = _chosen(load_questions(questions), types or [])
    flags = {"llm": llm, "llm_url": llm_url, "strategy": strategy, "strict": strict, "seed": seed}
    with opened(home=home, **flags) as assistant:
        report = ask_all(assistant, chosen)
    _show(report, as_json=as_json)
    keep(gold_outcome(report, name=questions.name), runs_folder(out, home))
    if gate:
        failed = check_failed(report.overall.n_failed, "questions that failed")
        end_with(check_floors(report, floors) + failed)


def ask_all(
    assistant: "GoldAssistant", questions: tuple[Question, ...], *, label: str = "Asking"
) -> "GoldReport":
    """Run the questions with a progress bar; failures are told as they occur."""
    from eval.gold import run_gold

    roadmap = roadmap_path()
    originals = {roadmap.name: roadmap.read_text(encoding="utf-8")}
    with bars() as progress:
        task = progress.add_task(label, total=len(questions))

        def advance(row: "GoldRow") -> None:
            progress.advance(task)
            if row.failure:
                progress.console.print(
                    f"{row.question_id} failed: {row.failure}", markup=False, highlight=False
                )

        return run_gold(assistant, questions, originals=originals, on_row=advance)


def _chosen(questions: tuple[Question, ...], types: list[str]) -> tuple[Question, ...]:
    if unknown := sorted(set(types) - set(QUESTION_TYPES)):
        raise typer.BadParameter(
            f"{', '.join(unknown)}; types are {', '.join(QUESTION_TYPES)}", param_hint="--type"
        )
    chosen = tuple(question for question in questions if not types or question.type in types)
    if not chosen:
        raise typer.BadParameter("the question set has no question of this type", param_hint="--type")
    return chosen


def _show(report: "GoldReport", *, as_json: bool) -> None:
    from eval.report import facts, overall_table, type_table

    if as_json:
        typer.echo(json.dumps(report.to_dict(), ensure_ascii=False, indent=1))
        return
    console = Console()
    console.print(overall_table(report), type_table(report))
    for line in facts(report):
        console.print(line, highlight=False)
