"""Processes that a test forks and kills, hundreds of them, without ever forking pytest and its threads.

A test file that needs them is its own child: run as a script it does what its `child_…` functions say and prints what
they return.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rag.errors import WaymarkError

ROOT = Path(__file__).resolve().parents[1]


def fork(act: Callable[[], object]) -> int:
    """Run in a forked child; its process id. It exits with 0, or with a `WaymarkError`'s own code."""
    if pid := os.fork():
        return pid
    code = 99
    try:
        act()
        code = 0
    except WaymarkError as error:
        code = error.exit_code
    finally:
        os._exit(code)


def wait(pid: int) -> int:
    """Its exit code; negative is the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def copy(source: Path, target: Path) -> None:
    """A copy of a folder; nothing where there is none."""
    if source.exists():
        shutil.copytree(source, target)


def command(file: str, name: str, *arguments: object) -> list[str]:
    """The command that runs `child_<name>` of a test file. A word with a `/` is a path to it."""
    plain = [str(one) if isinstance(one, Path) else one for one in arguments]
    return [sys.executable, file, json.dumps([name, *plain])]


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def answer(children: Mapping[str, Any]) -> None:
    """What a test file does as a script, with its `globals()`."""
    name, *arguments = json.loads(sys.argv[1])
    paths = [Path(one) if isinstance(one, str) and os.sep in one else one for one in arguments]
    sys.stdout.write(json.dumps(children[f"child_{name}"](*paths)))
    sys.exit()


def child(file: str, name: str, *arguments: object) -> Any:
    """What `child_<name>` of a test file returned in a fresh process."""
    done = subprocess.run(
        command(file, name, *arguments),
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
