"""`waymark eval judge` with a language model behind an OpenAI-compatible server whose verdicts are known."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.labelled import REWORDED, WRITTEN_SETS, roadmap_set, written_set
from eval.pairs import ORIGINAL
from eval.runs import list_runs, read_run
from rag.scripted_server import Reply, ScriptedServer

pytestmark = pytest.mark.slow
MOST = 10  # originals


class Copyist(ScriptedServer):
    """Supports what stands word for word in the text; through Ragas it supports everything."""

    def next_reply(self, request: dict[str, Any], headers: dict[str, str]) -> Reply:
        super().next_reply(request, headers)
        prompt = request["messages"][1]["content"]
        if "Does the text state the statement?" in prompt:
            text, _, rest = prompt.partition("\n\nStatement:\n")
            statement = rest.partition("\n\nReply as JSON")[0]
            return Reply(json.dumps({"reason": "told", "supported": 0.9 if statement in text else 0.1}))
        if "Break down each sentence" in prompt:
            return Reply(json.dumps({"statements": ["it"]}))
        return Reply(json.dumps({"statements": [{"statement": "it", "reason": "told", "verdict": 1}]}))


def n_written() -> int:
    return sum(len(written_set(path).pairs) for path in WRITTEN_SETS)


def test_a_judge_that_answers_rubbish_is_counted_and_breaks_the_gate(tmp_path: Path) -> None:
    with ScriptedServer(Reply("I would rather not say."), models=("judge",)) as server:
        arguments = ["--judge", "openai:judge", "--judge-url", server.url, "--most", str(MOST), "--gate"]
        result = CliRunner().invoke(app, ["judge", *arguments, "--out", str(tmp_path / "runs")])
    assert result.exit_code == 1, result.output
    (folder,) = list_runs(tmp_path / "runs")
    n, more = len(roadmap_set(most=MOST).pairs), n_written()
    assert read_run(folder).report["n_failed"] == 2 * (n + more)  # asked outright, and through Ragas
    assert f"llm failed on {n} of {n} pairs, so it has no figure" in result.stdout
    assert f"scores that failed: {2 * (n + more)}, none is wanted" in result.stderr


def test_known_verdicts_give_the_known_trust(tmp_path: Path) -> None:
    with Copyist(models=("judge",)) as server:
        arguments = ["--judge", "openai:judge", "--judge-url", server.url, "--most", str(MOST)]
        result = CliRunner().invoke(app, ["judge", *arguments, "--out", str(tmp_path / "runs")])
    assert result.exit_code == 0, result.output
    (folder,) = list_runs(tmp_path / "runs")
    run = read_run(folder)
    pairs = roadmap_set(most=MOST).pairs
    n_copied, n_reworded = (sum(one.kind == kind for one in pairs) for kind in (ORIGINAL, REWORDED))
    scorers = run.report["sets"]["roadmap"]["scorers"]
    # Copies rank above every unsupported pair, reworded ones beside them.
    assert scorers["llm"]["auroc"] == pytest.approx((n_copied + n_reworded / 2) / (n_copied + n_reworded))
    assert (scorers["ragas"]["auroc"], scorers["ragas"]["balanced_accuracy"]) == (0.5, 0.5)
    assert {"embedded", "length", "word overlap", "cosine"} <= set(scorers)
    assert run.report["n_failed"] == 0
    assert len(run.rows) == len(pairs) + n_written()
