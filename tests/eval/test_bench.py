"""Ratios, turns and children of the benchmarks; the figures themselves are nobody's to assert on a busy machine."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from eval.bench import LANGCHAIN, WAYMARK, Spread, compare, in_turns, run_child
from eval.bench_cli import app
from eval.bench_growth import measure, sizes
from rag.errors import RunError


def test_a_ratio_above_one_says_that_waymark_is_better_whichever_way_the_figure_goes() -> None:
    speed = compare("speed", "characters/s", [(30.0, 10.0), (20.0, 20.0)], more_is_better=True)
    assert speed.ratio == Spread(median=2.0, least=1.0, greatest=3.0, n=2)
    time = compare("time", "s", [(1.0, 4.0), (2.0, 4.0), (2.0, 12.0)], more_is_better=False)
    assert time.ratio == Spread(median=4.0, least=2.0, greatest=6.0, n=3)
    assert (time.waymark.median, time.langchain.median) == (2.0, 4.0)


def test_ratios_are_of_pairs_so_that_a_slow_spell_counts_for_both() -> None:
    spells = compare("time", "s", [(1.0, 2.0), (10.0, 20.0)], more_is_better=False)
    assert spells.ratio.least == spells.ratio.greatest == 2.0


def test_both_ways_take_turns_in_going_first() -> None:
    called: list[str] = []

    def measured(way: str) -> Mapping[str, str]:
        called.append(way)
        return {"way": way}

    pairs = list(in_turns(3, measured))
    assert called == [WAYMARK, LANGCHAIN, LANGCHAIN, WAYMARK, WAYMARK, LANGCHAIN]
    assert all((ours["way"], theirs["way"]) == (WAYMARK, LANGCHAIN) for ours, theirs in pairs)


@pytest.mark.slow
def test_a_child_that_fails_is_an_error_with_its_last_line(tmp_path: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
    with pytest.raises(RunError, match=r"waymark failed at “cold”: .*IndexMissing"):
        run_child("cold", WAYMARK, str(tmp_path), environ=environ)


@pytest.mark.parametrize(
    ("largest", "steps"),
    [(1000, (1000,)), (5000, (1000, 5000)), (100_000, (1000, 10_000, 100_000))],
)
def test_sizes_grow_tenfold_up_to_the_largest(largest: int, steps: tuple[int, ...]) -> None:
    assert sizes(largest) == steps


@pytest.mark.slow
def test_growth_builds_opens_and_searches_an_index_of_that_size() -> None:
    step = measure(1200, questions=2)
    assert step.chunks == 1200
    assert step.waymark_ms.n == step.langchain_ms.n == 2
    assert min(step.build_s, step.open_s, step.mib, step.waymark_ms.least, step.ratio) > 0
    assert json.loads(json.dumps(step.to_dict()))["ratio"] == pytest.approx(step.ratio)
    assert len(step.cells()) == 7


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_cold_start_is_timed_both_ways_from_the_command_line(home: Path) -> None:
    done = CliRunner().invoke(app, ["cold", "-n", "1", "--home", str(home), "--json"])
    assert done.exit_code == 0, done.output
    [figure] = json.loads(done.stdout)["figures"]
    assert figure["unit"] == "s"
    assert figure["ratio"]["n"] == 1
    assert figure["ratio"]["median"] == pytest.approx(
        figure["langchain"]["median"] / figure["waymark"]["median"]
    )
