"""`waymark eval ragas`: the Ragas metrics over Waymark's answers, with a judge or without one."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress

from eval.options import (
    DEV,
    FLOORS,
    Concurrency,
    Gate,
    Home,
    Judge,
    JudgeUrl,
    Llm,
    LlmUrl,
    Out,
    Questions,
    Timeout,
    bars,
    end_with,
    keep,
    require_extra,
    runs_folder,
)
from eval.questions import Question, load_questions
from rag.settings import Settings

if TYPE_CHECKING:  # Ragas takes seconds to load
    from eval.judging import JudgeModel
    from eval.runs import Outcome
    from eval.samples import Sample
    from eval.scoring import Metric, Pace, ScoredItem
    from rag.assistant import Assistant

NO_JUDGE = "no judge (--judge): metrics that need a language model are left out"


def ragas(
    questions: Questions = DEV,
    out: Out = None,
    *,
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    home: Home = None,
    llm: Llm = None,
    llm_url: LlmUrl = None,
    concurrency: Concurrency = 1,
    timeout_s: Timeout = 600.0,
    contexts: Annotated[int, typer.Option(min=1, help="Passages that are shown to metrics and judge.")] = 8,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first questions.")] = None,
    gate: Gate = False,
) -> None:
    """Score answers with Ragas and with the embedded groundedness check; judged metrics need --judge."""
    require_extra("ragas", "matplotlib", "rapidfuzz")
    from eval.floors import check_failed, check_values, load_floors
    from eval.judging import opened_judge
    from eval.scoring import Pace
    from rag.cli.ask import opened

    floors = load_floors(FLOORS, kind="ragas") if gate else {}
    chosen = load_questions(questions)[:limit]
    with (
        opened_judge(judge, judge_url, home) as model,
        opened(home=home, llm=llm, llm_url=llm_url) as assistant,
    ):
        pace = Pace(concurrency=concurrency, timeout_s=timeout_s)
        outcome = score_answers(assistant, chosen, model, name=questions.name, pace=pace, n_contexts=contexts)
    show(outcome)
    keep(outcome, runs_folder(out, home))
    if gate:
        failed = check_failed(outcome.n_failed, "questions with failed items")
        end_with(check_values(outcome.values, floors) + failed)


def score_answers(
    assistant: "Assistant",
    questions: Sequence[Question],
    judge: "JudgeModel | None",
    *,
    name: str,
    pace: "Pace",
    n_contexts: int = 8,
) -> "Outcome":
    """Ask all questions, then score all answers; both with a progress bar."""
    from eval.gold import join_provenance
    from eval.ragas_report import ragas_outcome
    from eval.samples import ask_sample

    metrics = _metrics(assistant.settings, judge)
    with bars() as progress:
        asked = [
            ask_sample(assistant, question, n_contexts=n_contexts)
            for question in progress.track(questions, description="Asking")
        ]
        samples = [sample for sample, _ in asked]
        items = _score(metrics, samples, assistant.settings, progress, pace=pace)
    facts = {"question set": name, "judge": judge.name if judge else "none"}
    return ragas_outcome(
        items,
        [metric.name for metric in metrics],
        facts=facts | {"passages shown": str(n_contexts)} | join_provenance([record for _, record in asked]),
        skipped="" if judge else NO_JUDGE,
    )


def show(outcome: "Outcome") -> None:
    """The means in the terminal."""
    from eval.page import markdown

    text = markdown(outcome.sheet)
    typer.echo(text[: text.find("\n## By question type")])


def _metrics(settings: Settings, judge: "JudgeModel | None") -> "tuple[Metric, ...]":
    from eval.ragas_metrics import embedded_metrics, judged_metrics
    from eval.remember import RememberingEmbedder
    from rag.embed import open_embedder
    from rag.ground import open_checker

    embedder = RememberingEmbedder(open_embedder(settings.embedder, home=settings.home))
    embedded = embedded_metrics(open_checker(embedder, settings))
    return (*(judged_metrics(judge, embedder) if judge else ()), *embedded)


def _score(
    metrics: "Sequence[Metric]",
    samples: "Sequence[Sample]",
    settings: Settings,
    progress: Progress,
    *,
    pace: "Pace",
) -> "tuple[ScoredItem, ...]":
    from eval.score_cache import ScoreCache
    from eval.scoring import score_samples

    task = progress.add_task("Scoring", total=len(samples))

    def advance(item: "ScoredItem") -> None:
        progress.advance(task)
        for metric, reason in item.failures.items():
            progress.console.print(
                f"{item.sample.question_id}, {metric}: {reason}", markup=False, highlight=False
            )

    cache = ScoreCache(settings.home / "cache" / "scores")
    return asyncio.run(score_samples(metrics, samples, cache=cache, pace=pace, on_item=advance))
