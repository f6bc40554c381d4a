"""The model that judges: closed however a run ends, and its scores kept apart from those of another server."""

import asyncio
import importlib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval import judging
from eval.cli import app
from eval.judging import JudgeModel, opened_judge
from eval.pairs import Pair
from eval.score_cache import ScoreCache
from eval.scorers import llm_scorers, pair_sample
from eval.scoring import Pace, score_samples
from rag.errors import QuestionSetError
from rag.testing import ScriptedGenerator

ONE, OTHER = "http://127.0.0.1:1/v1", "http://127.0.0.1:2/v1?key=secret"


class Closing(ScriptedGenerator):
    """Counts how often it is closed."""

    n_closed = 0

    def close(self) -> None:
        self.n_closed += 1


@pytest.fixture
def generator(monkeypatch: pytest.MonkeyPatch) -> Closing:
    made = Closing(*['{"reason": "said", "supported": 1}'] * 4)
    monkeypatch.setattr(judging, "open_generator", lambda settings: made)
    return made


def test_without_a_name_there_is_no_judge(tmp_path: Path) -> None:
    with opened_judge(None, None, tmp_path) as model:
        assert model is None


def test_a_judge_is_closed_where_the_run_fails(generator: Closing, tmp_path: Path) -> None:
    def fail() -> None:
        with opened_judge("openai:m", ONE, tmp_path) as model:
            assert (model is not None, generator.n_closed) == (True, 0)
            raise QuestionSetError("broken")

    with pytest.raises(QuestionSetError):
        fail()
    assert generator.n_closed == 1


@pytest.mark.parametrize("command", ["ragas", "suite", "judge"])
def test_each_command_closes_its_judge_where_it_fails(
    generator: Closing, tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise QuestionSetError("broken")

    # The package has a function of the module's name.
    monkeypatch.setattr(importlib.import_module("rag.cli.ask"), "opened", fail)
    monkeypatch.setattr("eval.judge_cli.judge_scorers", fail)
    arguments = ["--judge", "openai:m", "--judge-url", ONE, "--home", str(tmp_path)]
    result = CliRunner().invoke(app, [command, *arguments])
    assert isinstance(result.exception, QuestionSetError)
    assert generator.n_closed == 1


def _setup(url: str, home: Path) -> JudgeModel:
    with opened_judge("openai:m", url, home) as model:
        assert model is not None
        return model


def test_scores_of_another_server_are_not_taken_for_this_ones(generator: Closing, tmp_path: Path) -> None:
    pair = Pair(statement="It is so.", evidence=("It is so.",), supported=True, kind="original", of=0)
    samples = [pair_sample(pair, name="1")]
    for url in (ONE, ONE, OTHER):
        outright = llm_scorers(_setup(url, tmp_path))[0].metric
        asyncio.run(score_samples([outright], samples, cache=ScoreCache(tmp_path), pace=Pace()))
    assert len(generator.seen) == 2  # the second time the first server's score was kept


def test_an_address_with_a_key_is_not_kept(generator: Closing, tmp_path: Path) -> None:
    assert "secret" not in _setup(OTHER, tmp_path).key
