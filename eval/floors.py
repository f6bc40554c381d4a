"""Floors that a release must not fall below: read from a TOML file, held against what a run measured.

Each kind of run has a table of its own: `[floors]` for the gold questions, one of its own name for every other kind.
A floor is the least value of a metric, or its greatest where less is better.
"""

import math
import tomllib
from collections.abc import Mapping
from pathlib import Path

from eval.gold import MEDIAN_WORDS, METRICS
from rag.errors import SettingsError

LOWER_IS_BETTER = frozenset({MEDIAN_WORDS})
TABLES = {
    "gold": "floors",
    "ragas": "ragas",
    "judge": "judge",
    "chunking": "chunking",
}  # kind of run -> table of the file
_READ = "The gate reads its floors from this file; configs/gate.toml shows the form."
_KNOWN = f"Tables: {', '.join(f'[{table}]' for table in TABLES.values())}."


def load_floors(path: Path, *, kind: str = "gold") -> dict[str, float]:
    """The floors for a kind of run: metric name to bound.

    Raises:
        SettingsError: The file cannot be read, lacks the table, has one of no known kind, or a bound is no number.
    """
    table = TABLES[kind]
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{path}: {error}", hint=_READ) from error
    if unknown := sorted(set(tables) - set(TABLES.values())):
        raise SettingsError(f"{path}: [{unknown[0]}] is no table of floors", hint=_KNOWN)
    floors = tables.get(table)
    if not isinstance(floors, dict) or not floors:
        raise SettingsError(f"{path}: there is no [{table}] table", hint=_KNOWN)
    for name, value in floors.items():
        if kind == "gold" and name not in METRICS:
            raise SettingsError(f"{path}: {name} is no metric", hint=f"Metrics: {', '.join(METRICS)}.")
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise SettingsError(f"{path}: {name} = {value!r} is no number", hint=_READ)
    return {name: float(value) for name, value in floors.items()}


def check_values(values: Mapping[str, float], floors: Mapping[str, float]) -> tuple[str, ...]:
    """One sentence for each floor that is broken; a metric that has no number breaks its floor."""
    broken = []
    for name, floor in floors.items():
        bound = "at most" if name in LOWER_IS_BETTER else "at least"
        value = values.get(name)
        if value is None or math.isnan(value):
            broken.append(f"{name}: nothing was measured, {bound} {floor:g} is wanted")
        elif (value > floor) if name in LOWER_IS_BETTER else (value < floor):
            broken.append(f"{name}: {value:.2f}, {bound} {floor:g} is wanted")
    return tuple(broken)


def check_failed(n: int, what: str = "items that failed") -> tuple[str, ...]:
    """The sentence for a run in which something failed: no floor allows that."""
    return (f"{what}: {n}, none is wanted",) if n else ()
