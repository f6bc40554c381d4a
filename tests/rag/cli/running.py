"""What tests of the command line share: one run of it, and what an error has to look like."""

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import rag

CODE = Path(rag.__file__).parents[1]


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Waymark = Callable[..., Done]


def assert_told(done: Done, error: type[Any], *, about: str) -> None:
    """One line, one hint, the exit code, nothing on standard output."""
    assert done.out == ""
    told, hint = [line for line in done.err.splitlines() if line.strip()][-2:]
    assert told.startswith("waymark: ")
    assert about in told
    assert hint.startswith("hint: ")
    assert len(hint) > 20
    assert "Traceback" not in done.err
    assert done.code == error.exit_code


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "rag.cli", *map(str, arguments)]


def environment(**variables: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(CODE), "PYTHONDONTWRITEBYTECODE": "1"} | variables


def files(home: Path) -> list[tuple[str, int, int]]:
    found = [home, *home.rglob("*")]
    return sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in found)
