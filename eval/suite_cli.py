"""`waymark eval suite`: everything that can be measured here, in one run folder with one page."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer
from rich.console import Console

from eval.judge_cli import judge_scorers
from eval.options import (
    DEV,
    DOCUMENTS,
    FLOORS,
    OWN,
    Concurrency,
    Gate,
    Home,
    Judge,
    JudgeUrl,
    Llm,
    LlmUrl,
    Most,
    Out,
    Timeout,
    end_with,
    require_extra,
    runs_folder,
)
from eval.questions import Question, load_questions
from eval.ragas_cli import score_answers

if TYPE_CHECKING:  # they load numpy and matplotlib
    from eval.runs import Outcome
    from rag.assistant import Assistant


def suite(
    out: Out = None,
    *,
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    home: Home = None,
    llm: Llm = None,
    llm_url: LlmUrl = None,
    concurrency: Concurrency = 1,
    timeout_s: Timeout = 600.0,
    most: Most = 150,
    gate: Gate = False,
) -> None:
    """Question sets, Ragas and the trust in its scorers; without --judge no language model is asked to judge."""
    require_extra("ragas", "matplotlib", "rapidfuzz", "sklearn")
    from eval.judging import opened_judge
    from eval.runs import PAGE
    from eval.scoring import Pace
    from eval.suite import write_suite
    from rag.cli.ask import opened

    pace = Pace(concurrency=concurrency, timeout_s=timeout_s)
    parts: dict[str, Outcome] = {}
    with (
        opened_judge(judge, judge_url, home) as model,
        opened(home=home, llm=llm, llm_url=llm_url) as assistant,
    ):
        parts |= _gold_parts(assistant)
        parts["ragas"] = score_answers(assistant, load_questions(DEV), model, name=DEV.name, pace=pace)
        parts["judge"] = judge_scorers(assistant.settings, model, most=most, pace=pace)
    folder = write_suite(parts, runs_folder(out, home), now=datetime.now(UTC))
    for name, part in parts.items():
        typer.echo(f"{name}: {part.sheet.title}")
    Console(stderr=True, soft_wrap=True).print(f"Written to {folder / PAGE}", highlight=False, markup=False)
    if gate:
        end_with(tuple(_broken(parts)))


def _gold_parts(assistant: "Assistant") -> "Iterator[tuple[str, Outcome]]":
    from eval.gold_cli import ask_all
    from eval.report import gold_outcome

    for file in (DEV, OWN, DOCUMENTS):
        questions = load_questions(file)
        if file is DOCUMENTS and not _holds(assistant, questions):
            Console(stderr=True).print(f"{file.name} is left out: its documents are not in the index")
            continue
        report = ask_all(assistant, questions, label=f"Asking {file.name}")
        yield f"gold-{file.stem}", gold_outcome(report, name=file.name)


def _holds(assistant: "Assistant", questions: tuple[Question, ...]) -> bool:
    """Whether every document that the questions name is in the index."""
    named = {source for question in questions for source in question.sources}
    paths = [source.path for source in assistant.index.manifest.sources]
    return all(any(path.endswith(name) for path in paths) for name in named)


def _broken(parts: "dict[str, Outcome]") -> Iterator[str]:
    """Every floor that is broken; the gold floors are those of the development set."""
    from eval.floors import check_failed, check_values, load_floors

    for name in ("gold-dev", "ragas", "judge"):
        part = parts[name]
        floors = load_floors(FLOORS, kind=part.kind)
        for line in check_values(part.values, floors) + check_failed(part.n_failed):
            yield f"{name}: {line}"
