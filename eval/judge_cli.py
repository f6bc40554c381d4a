"""`waymark eval judge`: how far each faithfulness scorer can be trusted, on labelled pairs."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from eval.options import FLOORS, Gate, Home, Out, end_with, keep, require_extra, runs_folder
from eval.ragas_cli import Concurrency, Judge, JudgeUrl, Timeout, open_judge
from rag.errors import QuestionSetError
from rag.settings import Settings, load_settings

if TYPE_CHECKING:  # they load numpy, scikit-learn and matplotlib
    from eval.judge_report import Judged
    from eval.labelled import LabelledSet
    from eval.runs import Outcome
    from eval.scorers import Scorer
    from rag.generate import Generator

Most = Annotated[int, typer.Option(min=10, help="Most originals of each set; each gives several pairs.")]


def judge(
    out: Out = None,
    *,
    model: Annotated[str | None, typer.Option("--judge", help="Model to measure as a judge, too.")] = None,
    judge_url: JudgeUrl = None,
    home: Home = None,
    most: Most = 300,
    concurrency: Concurrency = 1,
    timeout_s: Timeout = 600.0,
    gate: Gate = False,
) -> None:
    """Measure every faithfulness scorer on labelled pairs: AUROC, balanced accuracy, calibration."""
    require_extra("matplotlib", "sklearn")
    from eval.floors import check_values, load_floors
    from eval.page import markdown

    floors = load_floors(FLOORS, kind="judge") if gate else {}
    generator = open_judge(model, judge_url, home)
    settings = load_settings({"home": home}).settings
    outcome = judge_scorers(settings, generator, most=most, concurrency=concurrency, timeout_s=timeout_s)
    if generator is not None:
        generator.close()
    typer.echo(markdown(outcome.sheet))
    keep(outcome, runs_folder(out, home))
    if gate:
        broken = check_values(outcome.values, floors)
        if outcome.n_failed:
            broken += (f"scores that failed: {outcome.n_failed}, none is wanted",)
        end_with(broken)


def judge_scorers(
    settings: Settings,
    generator: "Generator | None",
    *,
    most: int,
    concurrency: int = 1,
    timeout_s: float = 600.0,
) -> "Outcome":
    """Score all pairs of all sets that are there with all scorers that are there."""
    from eval.judge_report import judge_outcome

    sets, notes = _sets(settings, most=most)
    scorers, facts = _scorers(settings, generator)
    if generator is None:
        notes.append("no judge (--judge): no language model was measured")
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        judged = [
            _judged(one, scorers, settings.home, progress, concurrency=concurrency, timeout_s=timeout_s)
            for one in sets
        ]
    return judge_outcome(judged, scorers, facts=facts, notes=notes)


def _sets(settings: Settings, *, most: int) -> "tuple[list[LabelledSet], list[str]]":
    """The roadmap's sets always; the others where their data are, else a note."""
    from eval.labelled import clapnq_sets, halueval_sets, roadmap_set, written_set

    sets, notes = [roadmap_set(most=most), written_set()], []
    if settings.eval_data is None:
        return sets, ["CLAPNQ and HaluEval are left out: the setting `eval_data` names no folder"]
    for load in (clapnq_sets, halueval_sets):
        try:
            sets += load(settings.eval_data, most=most)
        except QuestionSetError as error:
            notes.append(f"left out: {error}")
    return sets, notes


def _scorers(
    settings: Settings, generator: "Generator | None"
) -> "tuple[tuple[Scorer, ...], dict[str, str]]":
    from eval.remember import RememberingEmbedder
    from eval.scorers import baseline_scorers, checker_scorer, llm_scorers
    from rag.embed import open_embedder
    from rag.ground import open_checker
    from rag.ground.embedded import EmbeddedChecker, load_model

    embedder = RememberingEmbedder(open_embedder(settings.embedder, home=settings.home))
    threshold = load_model().threshold
    checkers = [EmbeddedChecker(embedder)]
    chosen = open_checker(embedder, settings)
    scorers = [checker_scorer(one, threshold=threshold) for one in checkers]
    if chosen.name != EmbeddedChecker.name:  # an entailment model that the settings name
        scorers.append(checker_scorer(chosen, threshold=0.5))
    facts = {"embedder": f"{embedder.spec.model}@{embedder.spec.revision[:12]}", "checker": chosen.name}
    if generator is not None:
        scorers += llm_scorers(generator)
        facts["judge"] = generator.name
    return (*scorers, *baseline_scorers(embedder)), facts


def _judged(
    labelled: "LabelledSet",
    scorers: "tuple[Scorer, ...]",
    home: Path,
    progress: Progress,
    *,
    concurrency: int,
    timeout_s: float,
) -> "Judged":
    from eval.judge import trust
    from eval.judge_report import Judged
    from eval.score_cache import ScoreCache
    from eval.scorers import pair_sample
    from eval.scoring import score_samples

    samples = [pair_sample(pair, name=f"{labelled.name}-{n}") for n, pair in enumerate(labelled.pairs, 1)]
    task = progress.add_task(labelled.name, total=len(samples))
    items = asyncio.run(
        score_samples(
            [scorer.metric for scorer in scorers],
            samples,
            cache=ScoreCache(home / "cache" / "scores"),
            concurrency=concurrency,
            timeout_s=timeout_s,
            on_item=lambda _: progress.advance(task),
        )
    )
    trusts = (trust(scorer, labelled.pairs, items) for scorer in scorers)
    return Judged(labelled=labelled, items=items, trusts=tuple(one for one in trusts if one is not None))


__all__ = ["Judge", "judge", "judge_scorers"]
