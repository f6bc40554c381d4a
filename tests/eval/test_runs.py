"""Run folders, the page, comparison and gate over runs."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.compare import changed_facts, compare_rows
from eval.floors import load_floors
from eval.page import Grid, Section, Sheet, html, markdown
from eval.plots import binned, calibration, cumulative, differences, histogram, shares
from eval.runs import Outcome, list_runs, new_folder, read_run, write_outcome
from rag.errors import RunError, SettingsError

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def row(name: str, hits: float, total: int = 1) -> dict[str, object]:
    return {"question_id": name, "tallies": {"recall": [hits, total]}}


def outcome(kind: str = "gold", rows: tuple[dict[str, object], ...] = (), **values: float) -> Outcome:
    sheet = Sheet(title="A run", sections=(Section(title="Part", lines=("a < b",)),))
    return Outcome(kind=kind, values=values, n_failed=0, details={"more": 1}, rows=rows, sheet=sheet)


def written(parent: Path, name: str, made: Outcome) -> Path:
    return write_outcome(made, new_folder(parent, name), now=NOW)


def test_a_run_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    folder = written(tmp_path, "one", outcome(rows=(row("q", 1),), mrr=0.5))
    run = read_run(folder)
    assert (run.kind, run.values, run.rows) == ("gold", {"mrr": 0.5}, (row("q", 1),))
    assert run.report["more"] == 1
    assert list_runs(tmp_path) == (folder,)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema": 99}',
        '{"schema": 1, "kind": "gold", "title": "t", "n_failed": 0}',
        '{"schema": 1, "kind": "gold", "title": "t", "n_failed": 0, "values": {"mrr": null}}',
        '{"schema": 1, "kind": "gold", "title": "t", "n_failed": null, "values": {}}',
    ],
)
def test_what_is_no_report_is_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "report.json").write_text(text, encoding="utf-8")
    with pytest.raises(RunError):
        read_run(tmp_path)


def test_texts_with_strange_line_ends_are_read_back(tmp_path: Path) -> None:
    rows = (row("q", 1) | {"text": "one\u2028two\x85three\x0bfour\x1cfive"}, row("r", 0))
    assert read_run(written(tmp_path, "one", outcome(rows=rows))).rows == rows


def test_the_page_holds_all_it_shows_and_loads_nothing() -> None:
    interval = {"a": (50.0, 40.0, 60.0)}
    plots = (
        shares(interval, caption="s"),
        differences({"a": (1.0, 0.5, 2.0)}, caption="d", sure={"a"}),
        histogram({"x": [0.1, 0.9]}, caption="h", label="l"),
        cumulative({"x": [0.1, 0.9]}, caption="c", label="l"),
        calibration({"x": binned([0.1, 0.9], [False, True])}, caption="k"),
    )
    grid = Grid(head=("name",), rows=(("<script>alert(1)</script>",),))
    page = html(Sheet(title="<b>", sections=(Section(title="x", grids=(grid,), plots=plots),)))
    assert page.count("<svg") == 5
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    # Names of XML vocabularies are no addresses that anything is loaded from.
    loaded = re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?(?!#)[^"'\s)]+""", page)
    assert loaded == []


def test_the_same_numbers_give_the_same_plot() -> None:
    assert shares({"a": (1, 0, 2)}, caption="s") == shares({"a": (1, 0, 2)}, caption="s")


def test_a_bar_in_a_cell_does_not_break_the_markdown_table() -> None:
    grid = Grid(head=("a", "b"), rows=(("x|y", "line\nbreak"),))
    assert "| x¦y | line break |" in markdown(Sheet(title="t", sections=(Section(title="s", grids=(grid,)),)))


def test_calibration_bins_hold_every_item_once() -> None:
    points = binned([0.0, 0.05, 0.5, 1.0], [False, True, True, True])
    assert [n for _, _, n in points] == [2, 1, 1]
    assert points[0][:2] == (0.025, 0.5)


def test_a_change_in_every_question_is_beyond_noise_and_one_in_forty_is_not() -> None:
    before = [row(f"q{n}", 0) for n in range(40)]
    after = [row(f"q{n}", 1) for n in range(40)]
    (sure,) = compare_rows(before, after).changes
    assert (sure.a, sure.b, sure.sure, sure.n) == (0, 100, True, 40)
    found = compare_rows(before, [row("q0", 1), *before[1:]])
    assert not found.changes[0].sure
    assert [(moved.question_id, moved.a, moved.b) for moved in found.moved] == [("q0", 0, 100)]


@pytest.mark.parametrize(
    ("n", "moved", "sure"), [(1, 1, False), (5, 5, False), (40, 5, False), (6, 6, True), (40, 8, True)]
)
def test_a_handful_of_questions_is_never_beyond_noise(n: int, moved: int, sure: bool) -> None:
    before = [row(f"q{k}", 0) for k in range(n)]
    after = [row(f"q{k}", int(k < moved)) for k in range(n)]
    (change,) = compare_rows(before, after).changes
    assert (change.n_moved, change.sure) == (moved, sure)


def test_equal_runs_differ_in_nothing_and_lonely_questions_are_named() -> None:
    found = compare_rows([row("a", 1), row("b", 0)], [row("b", 0), row("c", 1)])
    assert (found.n_both, found.only_a, found.only_b, found.moved) == (1, ("a",), ("c",), ())
    assert (found.changes[0].low, found.changes[0].high) == (0, 0)


def test_a_run_beside_itself_has_no_difference(tmp_path: Path) -> None:
    written(tmp_path, "a", outcome(rows=tuple(row(f"q{n}", n % 2) for n in range(10))))
    result = CliRunner().invoke(app, ["compare", "a", "a", "--out", str(tmp_path)])
    assert result.exit_code == 0
    assert "no difference: every question came out the same in both" in result.stdout


def test_runs_without_a_question_in_common_cannot_be_compared(tmp_path: Path) -> None:
    written(tmp_path, "a", outcome(rows=(row("one", 1),)))
    written(tmp_path, "b", outcome(rows=(row("two", 1),)))
    result = CliRunner().invoke(app, ["compare", "a", "b", "--out", str(tmp_path)])
    assert isinstance(result.exception, RunError)
    assert "no question in common" in str(result.exception)


def test_another_question_under_the_same_id_is_left_out_and_named() -> None:
    asked = {"question": "What is LoRA?"}
    found = compare_rows(
        [row("q", 0) | asked, row("r", 0), row("s", 0) | asked],
        [row("q", 1) | {"question": "What is a kernel?"}, row("r", 0) | asked, row("s", 1) | asked],
    )
    assert (found.n_both, found.reworded) == (2, ("q",))
    assert [one.question_id for one in found.moved] == ["s"]


def test_what_was_due_in_no_run_is_no_division_by_zero() -> None:
    assert compare_rows([row("q", 0, 0)], [row("q", 0, 0)]).changes == ()


def test_a_comparison_tells_what_the_runs_record_otherwise() -> None:
    a = {"questions": "dev.jsonl", "provenance": {"settings_digest": "aa", "index_id": "x"}}
    b = {"questions": "dev.jsonl", "provenance": {"settings_digest": "bb", "index_id": "x"}}
    assert changed_facts(a, b) == ("settings digest: aa → bb",)
    assert changed_facts(a, a) == ()


def test_suites_are_compared_part_by_part(tmp_path: Path) -> None:
    for name, hits in (("one", 0), ("two", 1)):
        folder = new_folder(tmp_path, name)
        written(folder, "gold-dev", outcome(rows=tuple(row(f"q{n}", hits) for n in range(40))))
        written(folder, "judge" if hits else "ragas", outcome())
        write_outcome(outcome(kind="suite"), folder, now=NOW)
    result = CliRunner().invoke(app, ["compare", "one", "two", "--out", str(tmp_path)])
    assert result.exit_code == 0, result.output
    assert "## gold-dev: Runs" in result.stdout
    assert "beyond noise (95 %): recall +100.0" in result.stdout
    assert "only in one of them: judge" in result.stdout


def test_compare_writes_a_page_and_refuses_runs_of_two_kinds(tmp_path: Path) -> None:
    rows = tuple(row(f"q{n}", n % 2) for n in range(20))
    written(tmp_path, "a", outcome(rows=rows))
    written(tmp_path, "b", outcome(rows=tuple(row(f"q{n}", 1) for n in range(20))))
    written(tmp_path, "c", outcome(kind="judge"))
    page = tmp_path / "page.html"
    result = CliRunner().invoke(app, ["compare", "a", "b", "--out", str(tmp_path), "--page", str(page)])
    assert "beyond noise (95 %): recall +50.0" in result.stdout
    assert "<svg" in page.read_text(encoding="utf-8")
    mixed = CliRunner().invoke(app, ["compare", "a", "c", "--out", str(tmp_path)])
    assert isinstance(mixed.exception, RunError)


@pytest.mark.parametrize(
    ("values", "n_failed", "code"),
    [
        ({"mrr": 0.9}, 0, 0),
        ({"mrr": 0.1}, 0, 1),
        ({}, 0, 1),
        ({"mrr": float("nan")}, 0, 1),
        ({"mrr": 0.9}, 2, 1),
    ],
)
def test_the_gate_breaks_on_a_low_a_missing_no_number_and_a_failed_item(
    tmp_path: Path, values: dict[str, float], n_failed: int, code: int
) -> None:
    floors = tmp_path / "gate.toml"
    floors.write_text("[floors]\nmrr = 0.5\n", encoding="utf-8")
    folder = written(tmp_path / "runs", "run", outcome())
    report = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    report |= {"n_failed": n_failed, "values": values}
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    result = CliRunner().invoke(app, ["gate", "--floors", str(floors), "--out", str(tmp_path / "runs")])
    assert result.exit_code == code, result.output


@pytest.mark.parametrize(
    "text",
    [
        "[floors]\nmrr = nan\n",
        "[floors]\nmrrr = 1\n",
        "[floor]\nmrr = 1\n",
        "[floors]\nmrr = 1\n[ragsa]\nx = 1\n",
    ],
)
def test_floors_that_would_hold_nothing_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as told:
        load_floors(path)
    assert (
        "configs/gate.toml" in told.value.hint
        or "Tables:" in told.value.hint
        or "Metrics:" in told.value.hint
    )


def test_a_gate_without_runs_says_what_to_run(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["gate", "--out", str(tmp_path)])
    assert isinstance(result.exception, RunError)
