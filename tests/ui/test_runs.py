"""Evaluation runs read by the form of their files; what is no whole run is left out."""

import json
from pathlib import Path
from typing import Any

import pytest

from ui.runs import list_runs, measurements, row_scores, rows

INTERVAL = {"mean": 85.0, "low": 80.0, "high": 90.0, "n": 112}
GOLD = {
    "schema": 1,
    "kind": "gold",
    "at": "2026-01-01T00:00:00+00:00",
    "title": "Gold",
    "values": {"mrr": 0.8, "evidence_recall_150w": 85.0},
    "overall": {"name": "all", "measured": {"evidence_recall_150w": {"unit": "%", "interval": INTERVAL}}},
    "by_type": [{"name": "table", "measured": {"evidence_recall_150w": {"interval": INTERVAL}}}],
}
RAGAS = {
    "schema": 1,
    "kind": "ragas",
    "values": {"groundedness": 0.9},
    "overall": {"groundedness": {"n_due": 9, "mean": 0.9, "low": 0.8, "high": 1.0}},
    "by_type": {"list": {"groundedness": {"n_due": 2, "mean": None, "low": None, "high": None}}},
}


def _write(folder: Path, name: str, report: Any, lines: str = "") -> None:
    (folder / name).mkdir(parents=True)
    text = report if isinstance(report, str) else json.dumps(report)
    (folder / name / "report.json").write_text(text, encoding="utf-8")
    (folder / name / "rows.jsonl").write_text(lines, encoding="utf-8")


def test_runs_are_listed_newest_first_and_only_whole_ones(tmp_path: Path) -> None:
    _write(tmp_path, "20260101T000000Z-gold", GOLD)
    _write(tmp_path, "20260102T000000Z-ragas", RAGAS)
    _write(tmp_path, "20260103T000000Z-gold", "{")
    _write(tmp_path, "20260104T000000Z-gold", GOLD | {"schema": 2})
    _write(tmp_path, "20260105T000000Z-gold", [])
    (tmp_path / "20260106T000000Z-gold").mkdir()
    assert [run.kind for run in list_runs(tmp_path)] == ["ragas", "gold"]
    assert list_runs(tmp_path / "nowhere") == ()


def test_both_forms_of_a_report_are_read_with_their_intervals(tmp_path: Path) -> None:
    _write(tmp_path, "1", GOLD)
    _write(tmp_path, "2", RAGAS)
    ragas, gold = list_runs(tmp_path)
    found = [(one.name, one.question_type, one.value, one.low, one.n) for one in measurements(gold)]
    assert found == [
        ("evidence_recall_150w", "all", 85.0, 80.0, 112),
        ("evidence_recall_150w", "table", 85.0, 80.0, 112),
        ("mrr", "all", 0.8, None, None),
    ]
    assert [(one.name, one.n, one.group) for one in measurements(ragas)] == [
        ("groundedness", 9, "Faithfulness")
    ]


def test_the_parts_of_a_run_are_listed_behind_it_and_held_against_what_measures_the_same(
    tmp_path: Path,
) -> None:
    of_dev = GOLD | {"questions": "dev.jsonl"}
    suite = {"schema": 1, "kind": "suite", "values": {"dev.mrr": 0.8, "judge.embedded.auroc": 0.9}}
    _write(tmp_path, "20260103T000000Z-suite", suite)
    _write(tmp_path / "20260103T000000Z-suite", "dev", of_dev)
    _write(tmp_path / "20260103T000000Z-suite", "own", GOLD | {"questions": "own.jsonl"})
    _write(tmp_path, "20260101T000000Z-gold", of_dev)
    whole, dev, own, gold = list_runs(tmp_path)
    assert [one.name for one in (whole, dev, own, gold)] == [
        "suite",
        "2026-01-01 00:00 · gold · dev",
        "2026-01-01 00:00 · gold · own",
        "2026-01-01 00:00 · gold",
    ]
    assert [one.like(gold) for one in (whole, dev, own, gold)] == [False, True, False, False]
    assert [one.group for one in measurements(whole)] == ["Retrieval", "Scorers"]


def test_rows_that_are_no_records_are_left_out(tmp_path: Path) -> None:
    _write(tmp_path, "1", GOLD, '{"question_id": "a"}\nnot json\n[1]\n\n{"question_id": "b"}\n')
    (run,) = list_runs(tmp_path)
    assert [row["question_id"] for row in rows(run)] == ["a", "b"]


@pytest.mark.parametrize(
    ("tallies", "scores"),
    [
        ({"mrr": [0.5, 1], "recall": [1, 2], "none": [0, 0]}, {"mrr": 0.5, "recall": 0.5}),
        (None, {}),
        ({"odd": 3}, {}),
        ({"cited": [True, True]}, {"cited": 1.0}),
    ],
)
def test_scores_of_a_question(tallies: object, scores: dict[str, float]) -> None:
    assert row_scores({"tallies": tallies}) == scores
