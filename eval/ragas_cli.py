"""`waymark eval ragas`: the Ragas metrics over Waymark's answers, with a judge or without one."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from eval.options import (
    DEV,
    FLOORS,
    Gate,
    Home,
    Llm,
    LlmUrl,
    Out,
    Questions,
    end_with,
    keep,
    require_extra,
    runs_folder,
)
from eval.questions import Question, load_questions
from rag.settings import Settings, load_settings

if TYPE_CHECKING:  # Ragas takes seconds to load
    from eval.runs import Outcome
    from eval.samples import Sample
    from eval.scoring import Metric, ScoredItem
    from rag.assistant import Assistant
    from rag.generate import Generator

NO_JUDGE = "no judge (--judge): metrics that need a language model are left out"

Judge = Annotated[
    str | None, typer.Option(help="Model that judges: transformers:… or openai:… with --judge-url.")
]
JudgeUrl = Annotated[str | None, typer.Option(help="Address of the judge's OpenAI-compatible server.")]
Concurrency = Annotated[
    int, typer.Option(min=1, help="Items that are judged at once; 1 suits a local model.")
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds for one metric of one item.")]


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
    from eval.floors import check_values, load_floors
    from rag.cli.ask import opened

    floors = load_floors(FLOORS, kind="ragas") if gate else {}
    chosen = load_questions(questions)[:limit]
    generator = open_judge(judge, judge_url, home)
    with opened(home=home, llm=llm, llm_url=llm_url) as assistant:
        outcome = score_answers(
            assistant,
            chosen,
            generator,
            name=questions.name,
            concurrency=concurrency,
            timeout_s=timeout_s,
            n_contexts=contexts,
        )
    if generator is not None:
        generator.close()
    show(outcome)
    keep(outcome, runs_folder(out, home))
    if gate:
        broken = check_values(outcome.values, floors)
        if outcome.n_failed:
            broken += (f"questions with failed items: {outcome.n_failed}, none is wanted",)
        end_with(broken)


def open_judge(judge: str | None, judge_url: str | None, home: Path | None) -> "Generator | None":
    """The model that judges; None where none was named. Never the one that writes, unless it is named."""
    if judge is None:
        return None
    from rag.generate import open_generator

    return open_generator(load_settings({"home": home, "llm": judge, "llm_url": judge_url}).settings)


def score_answers(
    assistant: "Assistant",
    questions: Sequence[Question],
    generator: "Generator | None",
    *,
    name: str,
    concurrency: int = 1,
    timeout_s: float = 600.0,
    n_contexts: int = 8,
) -> "Outcome":
    """Ask all questions, then score all answers; both with a progress bar."""
    from eval.gold import join_provenance
    from eval.ragas_report import ragas_outcome
    from eval.samples import ask_sample

    metrics = _metrics(assistant.settings, generator)
    with _bars() as progress:
        asked = [
            ask_sample(assistant, question, n_contexts=n_contexts)
            for question in progress.track(questions, description="Asking")
        ]
        samples = [sample for sample, _ in asked]
        items = _score(
            metrics, samples, assistant.settings, progress, concurrency=concurrency, timeout_s=timeout_s
        )
    facts = {"question set": name, "judge": generator.name if generator else "none"}
    return ragas_outcome(
        items,
        [metric.name for metric in metrics],
        facts=facts | {"passages shown": str(n_contexts)} | join_provenance([record for _, record in asked]),
        skipped="" if generator else NO_JUDGE,
    )


def show(outcome: "Outcome") -> None:
    """The means in the terminal."""
    from eval.page import markdown

    text = markdown(outcome.sheet)
    typer.echo(text[: text.find("\n## By question type")])


def _metrics(settings: Settings, generator: "Generator | None") -> "tuple[Metric, ...]":
    from eval.ragas_metrics import embedded_metrics, judged_metrics
    from eval.remember import RememberingEmbedder
    from rag.embed import open_embedder
    from rag.ground import open_checker

    embedder = RememberingEmbedder(open_embedder(settings.embedder, home=settings.home))
    embedded = embedded_metrics(open_checker(embedder, settings))
    return (*(judged_metrics(generator, embedder) if generator else ()), *embedded)


def _score(
    metrics: "Sequence[Metric]",
    samples: "Sequence[Sample]",
    settings: Settings,
    progress: Progress,
    *,
    concurrency: int,
    timeout_s: float,
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
    return asyncio.run(
        score_samples(
            metrics, samples, cache=cache, concurrency=concurrency, timeout_s=timeout_s, on_item=advance
        )
    )


def _bars() -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))
