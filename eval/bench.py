"""Waymark and LangChain's default pipeline timed in turns, each repetition in a process of its own.

A repetition is a pair: first one way, then the other, and the other way round in the next, so that a machine that is
slow for a while is slow for both. Ratios are taken pair by pair; their median, least and greatest are told.
"""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from rag.errors import RunError

WAYMARK, LANGCHAIN = "waymark", "langchain"
_LONGEST_S = 1800.0  # of one child


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Of `n` repetitions."""

    median: float
    least: float
    greatest: float
    n: int

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        return cls(median=statistics.median(values), least=min(values), greatest=max(values), n=len(values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One figure of both ways. `ratio` is above 1 where Waymark is better."""

    name: str
    unit: str
    waymark: Spread
    langchain: Spread
    ratio: Spread

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


def compare(
    name: str, unit: str, pairs: Sequence[tuple[float, float]], *, more_is_better: bool
) -> Comparison:
    """Waymark's and LangChain's values, pair by pair."""
    ratios = [ours / theirs if more_is_better else theirs / ours for ours, theirs in pairs]
    return Comparison(
        name=name,
        unit=unit,
        waymark=Spread.of([ours for ours, _ in pairs]),
        langchain=Spread.of([theirs for _, theirs in pairs]),
        ratio=Spread.of(ratios),
    )


def in_turns(
    repetitions: int, measure: Callable[[str], Mapping[str, Any]]
) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """Pairs of what both ways gave; every second pair begins with the other way."""
    for n in range(repetitions):
        order = (WAYMARK, LANGCHAIN) if n % 2 == 0 else (LANGCHAIN, WAYMARK)
        found = {way: measure(way) for way in order}
        yield found[WAYMARK], found[LANGCHAIN]


def run_child(step: str, way: str, *arguments: str, environ: Mapping[str, str]) -> dict[str, Any]:
    """What `eval.bench_child` printed, and as `wall_s` the seconds from its start to that line.

    Raises:
        RunError: it failed or took longer than half an hour.
    """
    command = [sys.executable, "-m", "eval.bench_child", step, way, *arguments]
    began = time.perf_counter()
    try:
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=dict(environ)
        ) as child:
            assert child.stdout is not None  # noqa: S101 (it is a pipe)
            line = child.stdout.readline()
            wall = time.perf_counter() - began
            _, errors = child.communicate(timeout=_LONGEST_S)
    except subprocess.TimeoutExpired as error:
        raise RunError(f"{step} took longer than {_LONGEST_S:.0f} s", hint="Give it less to do.") from error
    if child.returncode or not line:
        last = (errors.strip().splitlines() or ["nothing was printed"])[-1]
        raise RunError(f"{way} failed at “{step}”: {last}", hint="`waymark doctor` says what is missing.")
    return {**json.loads(line), "wall_s": wall}
