"""`waymark eval judge`: how far each faithfulness scorer can be trusted, on labelled pairs."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.progress import Progress

from eval.options import (
    FLOORS,
    Concurrency,
    Gate,
    Home,
    Judge,
    JudgeUrl,
    Most,
    Out,
    Timeout,
    bars,
    end_with,
    keep,
    require_extra,
    runs_folder,
)
from rag.errors import QuestionSetError
from rag.settings import Settings, load_settings

if TYPE_CHECKING:  # they load numpy, scikit-learn and matplotlib
    from eval.judge_report import Judged
    from eval.judging import JudgeModel
    from eval.labelled import LabelledSet
    from eval.runs import Outcome
    from eval.scorers import Scorer
    from eval.scoring import Pace


def judge(
    out: Out = None,
    *,
    judge: Judge = None,
    judge_url: JudgeUrl = None,
    home: Home = None,
    most: Most = 300,
    concurrency: Concurrency = 1,
    timeout_s: Timeout = 600.0,
    gate: Gate = False,
) -> None:
    """Measure every faithfulness scorer on labelled pairs: AUROC, balanced accuracy, calibration."""
    require_extra("matplotlib", "sklearn")
    from eval.floors import check_failed, check_values, load_floors
    from eval.judging import opened_judge
    from eval.page import markdown
    from eval.scoring import Pace

    floors = load_floors(FLOORS, kind="judge") if gate else {}
    settings = load_settings({"home": home}).settings
    with opened_judge(judge, judge_url, home) as model:
        pace = Pace(concurrency=concurrency, timeout_s=timeout_s)
        outcome = judge_scorers(settings, model, most=most, pace=pace)
    typer.echo(markdown(outcome.sheet))
    keep(outcome, runs_folder(out, home))
    if gate:
        failed = check_failed(outcome.n_failed, "scores that failed")
        end_with(check_values(outcome.values, floors) + failed)


def judge_scorers(
    settings: Settings,
    judge: "JudgeModel | None",
    *,
    most: int,
    pace: "Pace",
) -> "Outcome":
    """Score all pairs of all sets that are there with all scorers that are there."""
    from eval.judge_report import judge_outcome

    sets, notes = _sets(settings, most=most)
    scorers, facts = _scorers(settings, judge)
    if judge is None:
        notes.append("no judge (--judge): no language model was measured")
    with bars() as progress:
        judged = [_judged(one, scorers, settings.home, progress, pace=pace) for one in sets]
    return judge_outcome(judged, scorers, facts=facts, notes=notes)


def _sets(settings: Settings, *, most: int) -> "tuple[list[LabelledSet], list[str]]":
    """The roadmap's sets always; the others where their data are, else a note."""
    from eval.labelled import WRITTEN_SETS, clapnq_sets, halueval_sets, roadmap_set, written_set

    sets, notes = [roadmap_set(most=most), *map(written_set, WRITTEN_SETS)], []
    if settings.eval_data is None:
        return sets, ["CLAPNQ and HaluEval are left out: the setting `eval_data` names no folder"]
    for load in (clapnq_sets, halueval_sets):
        try:
            sets += load(settings.eval_data, most=most)
        except QuestionSetError as error:
            notes.append(f"left out: {error}")
    return sets, notes


def _scorers(settings: Settings, judge: "JudgeModel | None") -> "tuple[tuple[Scorer, ...], dict[str, str]]":
    from eval.remember import RememberingEmbedder
    from eval.scorers import baseline_scorers, checker_scorer, llm_scorers
    from rag.embed import open_embedder
    from rag.ground import open_checker
    from rag.ground.embedded import EmbeddedChecker, load_model

    embedder = RememberingEmbedder(open_embedder(settings.embedder, home=settings.home))
    threshold = load_model().threshold
    chosen = open_checker(embedder, settings)
    scorers = [checker_scorer(EmbeddedChecker(embedder), threshold=threshold)]
    if chosen.name != EmbeddedChecker.name:  # an entailment model that the settings name
        scorers.append(checker_scorer(chosen, threshold=0.5))
    facts = {"embedder": f"{embedder.spec.model}@{embedder.spec.revision[:12]}", "checker": chosen.name}
    if judge is not None:
        scorers += llm_scorers(judge)
        facts["judge"] = judge.name
    return (*scorers, *baseline_scorers(embedder)), facts


def _judged(
    labelled: "LabelledSet",
    scorers: "tuple[Scorer, ...]",
    home: Path,
    progress: Progress,
    *,
    pace: "Pace",
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
            pace=pace,
            on_item=lambda _: progress.advance(task),
        )
    )
    trusts = (trust(scorer, labelled.pairs, items) for scorer in scorers)
    return Judged(labelled=labelled, items=items, trusts=tuple(one for one in trusts if one is not None))
