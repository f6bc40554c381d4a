"""A child process that reads what may be hostile: how it is started, and what it gives up before it begins.

Knows no format. The parent passes no keys and no settings; the child limits its memory, processor time, files and
processes, and then, in Python, the network and writing.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

MEMORY_BYTES = 2**30
# A child may take so many times its processor time by the clock, since a machine that is busy with other things is no
# fault of a file; where the system does not limit processor time, the clock alone does.
CLOCK_FACTOR = 1 if sys.platform == "win32" else 4
OUT_OF_TIME = -getattr(signal, "SIGXCPU", 0) or None  # how a child ends that used its processor time up
_OUTPUT_BYTES = 64 * 2**20
_PACKAGES = Path(__file__).resolve().parents[2]  # the folder that holds the package `ingest`
_DENIED = ("socket.", "subprocess.", "os.exec", "os.fork", "os.posix_spawn", "os.spawn", "os.system", "os.startfile",
           "ctypes.dlopen", "shutil.", "os.remove", "os.rename", "os.mkdir", "os.link", "os.symlink")  # fmt: skip


def child_command(module: str, *arguments: str) -> list[str]:
    """The command line of a module of ours as a child; it writes no byte code."""
    return [sys.executable, "-B", "-P", "-m", module, *arguments]


def bare_environment() -> dict[str, str]:
    """No keys and no settings reach the child."""
    kept = {name: os.environ[name] for name in ("SYSTEMROOT", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "PYTHONPATH": str(_PACKAGES), "PYTHONUTF8": "1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a child ended; `spent_s` is its processor time, where the system tells it, else time by the clock."""

    code: int
    is_late: bool  # killed because it took too long
    spent_s: float


def run_child(command: Sequence[str], *, source: IO[bytes], answer: IO[bytes], most_s: float) -> Ended:
    """Run a child from one file into another; it is killed after so many seconds by the clock."""
    began = time.monotonic()
    child = subprocess.Popen(
        command, stdin=source, stdout=answer, stderr=subprocess.DEVNULL, env=bare_environment()
    )
    late = threading.Event()

    def kill() -> None:
        late.set()
        child.kill()

    timer = threading.Timer(most_s, kill)
    timer.start()
    try:
        code, spent = _wait(child)
    except BaseException:
        child.kill()
        child.wait()
        raise
    finally:
        timer.cancel()
    return Ended(
        code=code, is_late=late.is_set(), spent_s=time.monotonic() - began if spent is None else spent
    )


def _wait(child: subprocess.Popen[bytes]) -> tuple[int, float | None]:
    """The child's exit code and its own processor time: of others that end meanwhile nothing is counted."""
    if sys.platform == "win32":
        return child.wait(), None
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    return child.returncode, used.ru_utime + used.ru_stime


def limit_process() -> None:
    """From here on this process gets only so much of the machine."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (not on Windows)

    wanted = (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, _OUTPUT_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_NPROC, 0),
    )
    for limit, value in wanted:
        hard = resource.getrlimit(limit)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with contextlib.suppress(OSError, ValueError):  # not every system knows every limit
            resource.setrlimit(limit, (most, most))


def limit_time(seconds: float | None) -> None:
    """From here on this process gets so many more seconds of processor time, give or take half of one, then it ends.

    None lifts that limit again.
    """
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 (not on Windows)

    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = hard if seconds is None else max(1, round(time.process_time() + seconds))
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def forbid_effects() -> None:
    """From here on Python opens nothing for writing, starts nothing and calls nobody."""

    def refuse(event: str, values: tuple[Any, ...]) -> None:
        writes = event == "open" and isinstance(values[1], str) and bool(set(values[1]) & set("wax+"))
        if writes or event.startswith(_DENIED):
            raise PermissionError(f"{event} is not allowed while a document is read")

    sys.addaudithook(refuse)
