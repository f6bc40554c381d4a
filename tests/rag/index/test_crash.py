"""Killed writers, failing disks and rival processes: a reader finds what was before or what came after, exactly.

Processes are killed for good, with SIGKILL (`tests.children`). The steps at which to kill are taken from a run that
nobody disturbs, so a new step is covered from the day it is written.
"""

import errno
import os
import random
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.errors import IndexLocked, IndexMissing, StorageError
from rag.index import files
from rag.index.generations import Generations
from rag.index.manifest import Manifest
from tests.children import answer, child, command, copy, environment, fork, wait
from tests.rag.index.stored import DRAFT

BEFORE, AFTER, NEXT = 1, 2, 3
LARGEST = 20_000  # bytes of the largest file


def _contents(n: int) -> dict[str, bytes]:
    return {
        "dense.faiss": f"{n:10d}".encode() * (LARGEST // 10),
        "lexical/data.npy": f"{n:10d}".encode(),
        "empty": b"",
    }


def _commit(home: Path, n: int) -> None:
    with Generations(home).writer() as writer:
        writer.commit(_contents(n), DRAFT)


def _recover(home: Path) -> None:
    with Generations(home).writer():
        pass


def _state(home: Path) -> int | None:
    """Which contents are served: all files whole and of one commit; None if there is no index yet."""
    loaded: dict[str, bytes] = {}

    def load(folder: Path, manifest: Manifest) -> None:
        loaded.update({entry.name: (folder / entry.name).read_bytes() for entry in manifest.files})

    try:
        Generations(home).open_current(load)
    except IndexMissing:
        return None
    n = int(loaded["lexical/data.npy"])
    assert loaded == _contents(n)
    return n


def _hidden(home: Path) -> list[str]:
    """What only a killed writer leaves."""
    return [str(path) for path in home.rglob("*") if path.name.startswith(".") or path.suffix == ".tmp"]


# --- What runs in the child ---------------------------------------------------------------------------------------


def _act(name: str, home: Path) -> None:
    if name == "commit":
        _commit(home, AFTER)
    elif name == "rollback":
        Generations(home).rollback()
    else:
        _recover(home)


def _killed_at(step: int, act: str, home: Path) -> Callable[[], None]:
    def run() -> None:
        calls = iter(range(1_000_000))
        files.step = lambda _: os.kill(os.getpid(), signal.SIGKILL) if next(calls) == step else None
        _act(act, home)

    return run


def child_kills(act: str, base: Path, out: Path) -> list[str]:
    """One copy of `base` for each step of the act, in which a child was killed at that step."""
    steps: list[str] = []
    out.mkdir()
    files.step = steps.append
    copy(base, out / "clean")
    _act(act, out / "clean")
    for n in range(len(steps)):
        copy(base, out / str(n))
        assert wait(fork(_killed_at(n, act, out / str(n)))) == -signal.SIGKILL
    return steps


def child_random_kills(home: Path, times: int) -> list[int]:
    """Kill a process that commits without end, again and again in the same folder. What was served after each."""
    delay = random.Random(7)  # noqa: S311
    states = []

    def commit_on() -> None:
        for n in range(_state(home) or 0, 1_000_000):
            _commit(home, n + 1)

    for _ in range(times):
        pid = fork(commit_on)
        time.sleep(delay.uniform(0.0, 0.06))
        os.kill(pid, signal.SIGKILL)
        assert wait(pid) == -signal.SIGKILL
        states.append(_state(home) or 0)
    return states


def child_race(home: Path, times: int) -> list[list[float]]:
    """Two processes that write at the same time: the exit code of each, and how long both took together."""
    results = []
    for _ in range(times):
        began = time.monotonic()
        gate, open_gate = os.pipe()
        held, hold = os.pipe()

        def write(gate: int = gate, held: int = held) -> None:
            os.read(gate, 1)
            with Generations(home).writer() as writer:
                os.read(held, 1)  # until the other one has given up
                writer.commit(_contents(AFTER), DRAFT)

        pids = [fork(write), fork(write)]
        os.write(open_gate, b"..")
        first, status = os.wait()
        os.write(hold, b".")
        pids.remove(first)
        results.append([os.waitstatus_to_exitcode(status), wait(pids[0]), time.monotonic() - began])
        for descriptor in (gate, open_gate, held, hold):
            os.close(descriptor)
    return results


def child_hold(home: Path) -> None:
    with Generations(home).writer():
        sys.stdout.write("held\n")
        sys.stdout.flush()
        time.sleep(60)


def child_size_limits(base: Path, out: Path, limits: list[int]) -> list[int]:
    """The exit code of a commit while no file may grow beyond each limit."""

    def limited(limit: int, home: Path) -> Callable[[], None]:
        def run() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            _commit(home, AFTER)

        return run

    codes = []
    out.mkdir()
    for limit in limits:
        copy(base, out / str(limit))
        codes.append(wait(fork(limited(limit, out / str(limit)))))
    return codes


def child_read_only(home: Path) -> list[int]:
    """Exit codes of reading, committing and going back as a user who may only read."""
    _state(home)  # all imports are done before rights are given up
    os.chdir(home)

    def as_guest(act: Callable[[Path], object]) -> Callable[[], None]:
        def run() -> None:
            if os.geteuid() == 0:
                os.setegid(65534)
                os.seteuid(65534)
            act(Path())

        return run

    acts = (_state, lambda here: _commit(here, AFTER), lambda here: Generations(here).rollback())
    return [wait(fork(as_guest(act))) for act in acts]


if __name__ == "__main__":
    answer(globals())


# --- The tests ----------------------------------------------------------------------------------------------------

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes"),
]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A home with one generation."""
    _commit(tmp_path / "base", BEFORE)
    return tmp_path / "base"


def test_a_kill_at_any_step_of_a_commit_leaves_before_or_after(base: Path, tmp_path: Path) -> None:
    steps = child(__file__, "kills", "commit", base, tmp_path / "out")
    assert {"lock taken", "manifest written", "generation in place", "old generations removed"} <= set(steps)
    swapped = steps.index("CURRENT swapped")
    for n, step in enumerate(steps):
        home = tmp_path / "out" / str(n)
        opened = Generations(home).open_current()
        assert opened.warnings == (), (n, step)
        # The rename of CURRENT is the step before its name is called, and "after rename" lies between the two.
        assert _state(home) == (BEFORE if n < swapped - 1 else AFTER), (n, step)
        _commit(home, NEXT)
        assert (_state(home), _hidden(home)) == (NEXT, []), (n, step)


def test_a_kill_at_any_step_of_the_very_first_commit_leaves_nothing_or_all(tmp_path: Path) -> None:
    steps = child(__file__, "kills", "commit", tmp_path / "none", tmp_path / "out")
    states = []
    for n, step in enumerate(steps):
        home = tmp_path / "out" / str(n)
        states.append(_state(home))
        _commit(home, NEXT)
        assert (_state(home), _hidden(home)) == (NEXT, []), (n, step)
    assert set(states) == {None, AFTER}
    assert states == sorted(states, key=lambda state: state is not None)


def test_a_kill_at_any_step_of_a_rollback_leaves_before_or_after(base: Path, tmp_path: Path) -> None:
    _commit(base, AFTER)
    steps = child(__file__, "kills", "rollback", base, tmp_path / "out")
    states = [_state(tmp_path / "out" / str(n)) for n in range(len(steps))]
    assert states == sorted(states, reverse=True)
    assert set(states) == {AFTER, BEFORE}


def test_a_kill_during_recovery_is_recovered_from(base: Path, tmp_path: Path) -> None:
    _commit(base, AFTER)
    store = Generations(base)
    shutil.copytree(store.folder(store.ids()[0]), store.folder(f".{store.ids()[0]}"))  # half removed
    (base / "CURRENT.0a.tmp").write_bytes(b"2026")
    (store.folder(store.ids()[1]) / "dense.faiss").write_bytes(b"?")
    steps = child(__file__, "kills", "recover", base, tmp_path / "out")
    assert steps.count("leftover removed") == 2
    assert "swept" in steps
    for n, step in enumerate(steps):
        home = tmp_path / "out" / str(n)
        assert _state(home) == BEFORE, (n, step)
        _recover(home)
        assert (len(list((home / "quarantine").iterdir())), _hidden(home)) == (1, []), (n, step)
        _commit(home, NEXT)
        assert _state(home) == NEXT, (n, step)


def test_kills_at_random_times_never_lose_a_commit(base: Path) -> None:
    states = child(__file__, "random_kills", base, 30)
    assert states == sorted(states)
    assert states[0] >= BEFORE
    assert states[-1] > BEFORE
    _recover(base)
    assert _hidden(base) == []
    assert not (base / "quarantine").exists()


class Disk:
    """Counts what is asked of the disk, and refuses the `n`-th of it: once, or from then on."""

    KINDS = ("write", "fsync", "rename", "mkdir")

    def __init__(self, kind: str, n: int, persistent: bool) -> None:
        self._left, self._kind, self._persistent = n, kind, persistent
        self.refused = False

    def ask(self, kind: str) -> None:
        if self._kind not in (kind, "any"):
            return
        self._left -= 1
        if self._left == 0 or (self._left < 0 and self._persistent):
            self.refused = True
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    def under(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for owner, name, kind in (
            (os, "fsync", "fsync"),
            (Path, "replace", "rename"),
            (Path, "mkdir", "mkdir"),
        ):
            monkeypatch.setattr(owner, name, self._asking(kind, getattr(owner, name)))
        monkeypatch.setattr(files, "step", lambda name: self.ask("write") if name == "before write" else None)

    def _asking(self, kind: str, act: Callable[..., object]) -> Callable[..., object]:
        def asked(*arguments: object, **options: object) -> object:
            self.ask(kind)
            return act(*arguments, **options)

        return asked


@pytest.mark.parametrize("persistent", [False, True], ids=["once", "persistent"])
@pytest.mark.parametrize("kind", [*Disk.KINDS, "any"])
@pytest.mark.parametrize("before", [None, BEFORE], ids=["first", "second"])
def test_whatever_the_disk_refuses_the_commit_fails_and_changes_nothing_or_is_complete(
    tmp_path: Path, kind: str, persistent: bool, before: int | None
) -> None:
    if before:
        _commit(tmp_path / "base", before)
    told: list[str] = []
    for n in range(1, 200):
        home = tmp_path / str(n)
        copy(tmp_path / "base", home)
        disk = Disk(kind, n, persistent)
        with pytest.MonkeyPatch.context() as monkeypatch:
            disk.under(monkeypatch)
            try:
                _commit(home, AFTER)
                expected: int | None = AFTER
            except StorageError as error:
                expected = before
                told.append(str(error))
        assert _state(home) == expected, n
        if not disk.refused:
            break
        _commit(home, NEXT)
        assert (_state(home), _hidden(home)) == (NEXT, []), n
        shutil.rmtree(home)
    assert not disk.refused
    assert len(told) >= 2
    assert all(str(tmp_path) in message for message in told)


def test_a_disk_that_fills_up_at_any_size_is_told_and_the_old_index_answers(
    base: Path, tmp_path: Path
) -> None:
    limits = [0, 1, 20, *(LARGEST * part // 100 for part in range(5, 100, 5)), LARGEST - 1]
    codes = child(__file__, "size_limits", base, tmp_path / "out", [*limits, LARGEST])
    assert codes == [StorageError.exit_code] * len(limits) + [0]
    for limit in limits:
        home = tmp_path / "out" / str(limit)
        assert _state(home) == BEFORE
        assert _hidden(home) == []
        _commit(home, NEXT)
        assert _state(home) == NEXT


@pytest.fixture
def read_only(base: Path) -> Iterator[Path]:
    _commit(base, AFTER)
    _chmod(base, 0o555, 0o444)
    yield base
    _chmod(base, 0o755, 0o644)


def _chmod(home: Path, folder: int, file: int) -> None:
    for path in [home, *home.rglob("*")]:
        path.chmod(folder if stat.S_ISDIR(path.stat().st_mode) else file)


def test_a_read_only_home_is_read_and_refuses_to_be_written(read_only: Path) -> None:
    listed = sorted(map(str, read_only.rglob("*")))
    codes = child(__file__, "read_only", read_only)
    assert codes == [0, StorageError.exit_code, StorageError.exit_code]
    assert sorted(map(str, read_only.rglob("*"))) == listed


def test_of_two_writers_exactly_one_wins_and_the_other_says_why(base: Path) -> None:
    for loser, winner, seconds in child(__file__, "race", base, 5):
        assert (loser, winner) == (IndexLocked.exit_code, 0)
        assert seconds < 5
    assert _state(base) == AFTER


def test_a_killed_holder_frees_the_lock_at_once(base: Path) -> None:
    with subprocess.Popen(
        command(__file__, "hold", base), env=environment(), stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(IndexLocked, match=f"process {holder.pid}"):
            _commit(base, AFTER)
        assert _state(base) == BEFORE
        holder.kill()
        holder.wait()
    began = time.monotonic()
    _commit(base, AFTER)
    assert time.monotonic() - began < 1
    assert _state(base) == AFTER
