"""The suite: several runs in one folder, with one page over all, and the gate that looks inside."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.page import Section, Sheet
from eval.runs import Outcome, list_runs, read_run
from eval.suite import combine, write_suite

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def part(kind: str, *, n_failed: int = 0, questions: str = "dev.jsonl", **values: float) -> Outcome:
    sheet = Sheet(title=f"A {kind}", sections=(Section(title="Run", lines=("told",)),))
    details = {"questions": questions} if kind == "gold" else {}
    return Outcome(kind=kind, values=values, n_failed=n_failed, details=details, rows=(), sheet=sheet)


def test_a_suite_shows_all_parts_and_adds_up_their_failures() -> None:
    whole = combine({"gold-dev": part("gold", mrr=0.5, n_failed=1), "ragas": part("ragas", n_failed=2)})
    assert (whole.n_failed, whole.values) == (3, {"gold-dev.mrr": 0.5})
    assert [section.title for section in whole.sheet.sections] == ["gold-dev: Run", "ragas: Run"]


def test_each_part_is_a_run_of_its_own_inside_the_suites_folder(tmp_path: Path) -> None:
    folder = write_suite({"gold-dev": part("gold", mrr=0.5), "judge": part("judge")}, tmp_path, now=NOW)
    assert folder.name == "20260102T030405Z-suite"
    assert read_run(folder).report["parts"]["judge"] == {"kind": "judge", "title": "A judge"}
    assert read_run(folder / "gold-dev").values == {"mrr": 0.5}
    assert list_runs(tmp_path) == (folder,)
    assert (folder / "page.html").is_file()


@pytest.mark.parametrize(("mrr", "code"), [(0.9, 0), (0.1, 1)])
def test_the_gate_looks_into_a_suite_and_only_at_the_development_questions(
    tmp_path: Path, mrr: float, code: int
) -> None:
    floors = tmp_path / "gate.toml"
    floors.write_text("[floors]\nmrr = 0.5\n", encoding="utf-8")
    other = part("gold", mrr=0.0, questions="documents.jsonl")
    write_suite({"gold-dev": part("gold", mrr=mrr), "gold-sources": other}, tmp_path / "runs", now=NOW)
    result = CliRunner().invoke(app, ["gate", "--floors", str(floors), "--out", str(tmp_path / "runs")])
    assert result.exit_code == code, result.output
    assert (
        json.loads((tmp_path / "runs" / "20260102T030405Z-suite" / "report.json").read_text())["schema"] == 1
    )
