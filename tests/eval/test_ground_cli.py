"""The commands that measure checking, run on the real sets; the floors that a release must hold."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.cli import app
from ingest.pipeline import index_corpus
from rag.embed import PACKAGED, open_embedder
from rag.errors import QuestionSetError


def _report(*arguments: str) -> object:
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("command", ["clapnq", "checker", "sources", "fit-checker"])
def test_without_a_folder_of_evaluation_sets_the_setting_is_named(command: str) -> None:
    result = CliRunner().invoke(app, [command])
    assert isinstance(result.exception, QuestionSetError)
    assert "WAYMARK_EVAL_DATA" in result.exception.hint


@pytest.mark.shared
@pytest.mark.slow
def test_statements_of_another_section_are_rejected(
    shared: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_EVAL_DATA", str(shared))
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    report = _report("checker")
    assert isinstance(report, dict)
    (kind,) = report["sentences of the roadmap against another section"]["kinds"]
    assert kind["n"] >= 400
    assert kind["right"] >= 0.97


@pytest.mark.shared
@pytest.mark.slow
def test_sources_do_not_agree_wrongly(shared: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_EVAL_DATA", str(shared))
    asked = _report("sources")
    assert isinstance(asked, list)
    said = [one for one in asked if one["says"]["verdict"] == "agrees"]
    labelled = [one for one in said if one["kind"] == "labelled"]
    assert len(labelled) >= 5
    assert all(one["wanted"] == "agrees" for one in labelled)
    assert not [one for one in said if one["kind"] == "another field"]
    changed = [one for one in asked if one["kind"] == "changed"]
    assert sum(one["says"]["verdict"] == "agrees" for one in changed) <= 0.05 * len(changed)
