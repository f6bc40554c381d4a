"""`waymark eval ragas` from the command line against an OpenAI-compatible server whose verdicts are known.

The assistant, its index and its embedder are the real ones; the judge is the scripted server of `rag.testing`.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.options import DEV
from eval.ragas_metrics import EMBEDDED, JUDGED
from eval.runs import read_run
from ingest.pipeline import index_corpus
from rag.embed import PACKAGED, open_embedder
from rag.scripted_server import Reply, ScriptedServer, Timing

pytestmark = pytest.mark.slow
N_QUESTIONS = 2  # the first two of the development set; both are answered


class JudgingServer(ScriptedServer):
    """Gives each of Ragas' prompts a verdict: 3 of 4 statements faithful, every passage useful, 1 of 2 recalled."""

    def __init__(self, spoil: Callable[[dict[str, Any]], Reply] | None = None) -> None:
        super().__init__(models=("judge",))
        self._spoil = spoil or (lambda verdict: Reply(json.dumps(verdict)))

    def next_reply(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        super().next_reply(request, headers)
        return self._spoil(verdict(request["messages"][1]["content"]))


def verdict(prompt: str) -> dict[str, Any]:
    if "Break down each sentence" in prompt:
        return {"statements": ["a", "b", "c", "d"]}
    if "faithfulness of a series" in prompt:
        values = zip("abcd", (1, 1, 0, 1), strict=True)
        return {"statements": [{"statement": s, "reason": "told", "verdict": v} for s, v in values]}
    if "Generate a question" in prompt:
        return {"question": "Something else entirely?", "noncommittal": 1}
    if "was useful in arriving" in prompt:
        return {"reason": "told", "verdict": 1}
    told = [{"statement": s, "reason": "told", "attributed": v} for s, v in (("a", 1), ("b", 0))]
    return {"classifications": told}


@pytest.fixture
def run(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[Any, Any]]:
    """Runs the command on the first questions; gives the result and the run."""
    home = tmp_path_factory.getbasetemp() / "roadmap"  # built already where other tests ran before
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    monkeypatch.setenv("WAYMARK_HOME", str(home))

    def invoke(server: ScriptedServer, *arguments: str) -> tuple[Any, Any]:
        out = tmp_path / f"runs-{len(list(tmp_path.iterdir()))}"
        command = ["ragas", "--questions", str(DEV), "--limit", str(N_QUESTIONS), "--contexts", "2"]
        judge = ["--judge", "openai:judge", "--judge-url", server.url, "--out", str(out)]
        result = CliRunner().invoke(app, [*command, *judge, *arguments])
        (folder,) = out.iterdir()
        return result, read_run(folder)

    return invoke


def test_known_verdicts_give_the_known_scores_and_rubbish_fails_the_gate(
    run: Callable[..., tuple[Any, Any]], tmp_path: Path
) -> None:
    with JudgingServer(lambda _: Reply("I would rather not say.")) as server:
        rubbish, failed = run(server, "--gate")
    assert rubbish.exit_code == 1, rubbish.output
    assert "questions with failed items: 2, none is wanted" in rubbish.stderr
    for name in JUDGED:
        assert failed.report["overall"][name]["n_failed"] == N_QUESTIONS
        assert failed.report["overall"][name]["mean"] is None
        assert failed.values[name] == 0.0
    assert failed.report["overall"]["groundedness"]["n_failed"] == 0

    with JudgingServer() as server:
        result, good = run(server, "--gate")
        asked = len(server.requests)
        again, repeated = run(server)
        assert len(server.requests) == asked  # every score was kept
    assert result.exit_code == 0, result.output
    expected = {
        "faithfulness": 0.75,
        "response_relevancy": 0.0,
        "context_precision": 1.0,
        "context_recall": 0.5,
    }
    assert {name: good.values[name] for name in JUDGED} == pytest.approx(expected)
    assert set(good.values) == {*JUDGED, *EMBEDDED}
    assert (again.exit_code, repeated.values) == (0, good.values)
    assert good.report["facts"]["judge"] == "openai:judge"
    page = (good.folder / "page.html").read_text(encoding="utf-8")
    assert "faithfulness" in page
    assert "<script" not in page


def test_a_judge_that_times_out_gives_counted_failures(run: Callable[..., tuple[Any, Any]]) -> None:
    with JudgingServer(lambda _: Reply("{}", timing=Timing(head_s=20.0))) as server:
        result, slow = run(server, "--timeout-s", "0.5", "--gate", "--contexts", "1")
    assert result.exit_code == 1, result.output
    assert slow.report["overall"]["faithfulness"] | {"low": 0, "high": 0} == {
        "n_due": N_QUESTIONS,
        "n_failed": N_QUESTIONS,
        "mean": None,
        "low": 0,
        "high": 0,
        "mean_with_failed_as_0": 0.0,
    }
    assert "no score within 0.5 s" in (slow.folder / "summary.md").read_text(encoding="utf-8")


def test_a_judge_that_is_not_there_fails_every_item_and_ends(run: Callable[..., tuple[Any, Any]]) -> None:
    with JudgingServer() as server:
        gone = server.url
    stopped = type("Gone", (), {"url": gone})()
    result, run_of = run(stopped, "--gate", "--contexts", "3")  # other samples: nothing is kept of them
    assert result.exit_code == 1
    assert run_of.report["n_failed"] == N_QUESTIONS
