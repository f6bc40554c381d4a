"""`waymark index --watch` as a process of its own: follows its files, survives a bad one, ends on Ctrl-C."""

import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from ingest.library import Library, write_library
from ingest.watch import until_interrupted, watch_library

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


class Watcher:
    """The process and the lines that it printed."""

    def __init__(self, home: Path) -> None:
        command = [sys.executable, "-m", "rag.cli", "index", "--watch", "--home", str(home)]
        environ = os.environ | {"PYTHONPATH": str(ROOT), "WAYMARK_WATCH_DEBOUNCE_S": "0.2"}
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environ
        )
        self.lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)

    def until(self, words: str) -> str:
        """The next line that holds the words."""
        while True:
            line = self.lines.get(timeout=60)
            if words in line:
                return line

    def end(self) -> tuple[int, str]:
        self.process.send_signal(signal.SIGINT)
        code = self.process.wait(timeout=60)
        assert self.process.stderr is not None
        return code, self.process.stderr.read()

    def close(self) -> None:
        """Whatever came of it: no process and no pipe is left to the tests that follow."""
        self.process.kill()
        self.process.wait()
        self._reader.join(timeout=5)
        for pipe in (self.process.stdout, self.process.stderr):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def own(tmp_path: Path, home: Path) -> Path:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "note.md").write_text("# Note\n\nThe first thing.\n")
    write_library(home, Library().with_items(folder.as_posix()))
    return folder


@pytest.fixture
def watcher(home: Path, own: Path) -> Iterator[Watcher]:
    started = Watcher(home)
    yield started
    started.close()


def test_a_process_follows_its_files_and_ends_on_interrupt(watcher: Watcher, home: Path, own: Path) -> None:
    assert "2 added" in watcher.until("documents indexed")
    (own / "note.md").write_text("# Note\n\nThe second thing.\n")
    assert "1 changed" in watcher.until("documents indexed")
    (own / "bad.pdf").write_bytes(b"%PDF-1.7\nnothing\n")
    assert "1 skipped" in watcher.until("skipped")
    (own / "more.md").write_text("# More\n\nThe third thing.\n")
    line = watcher.until("1 added")
    assert "3 documents indexed" in line
    assert "1 skipped" in line
    (own / "more.md").unlink()
    assert "1 removed" in watcher.until("1 removed")

    single = own.parent / "single.md"
    single.write_text("# Single\n\nThe fourth thing.\n")
    write_library(home, Library().with_items(own.as_posix(), single.as_posix()))
    assert "1 added" in watcher.until("1 added")
    replacement = own.parent / "replacement.md"
    replacement.write_text("# Single\n\nThe fifth thing.\n")
    replacement.replace(single)  # as editors do
    assert "1 changed" in watcher.until("1 changed")

    code, said = watcher.end()
    assert code == 130
    assert "Traceback" not in said


def test_many_changes_at_once_are_one_run(home: Path, own: Path) -> None:
    runs: list[int] = []
    stop, ran = threading.Event(), threading.Event()

    def update() -> None:
        runs.append(len(list(own.iterdir())))
        ran.set()

    thread = threading.Thread(
        target=watch_library, args=(home, update), kwargs={"debounce_s": 0.5, "stop": stop}
    )
    thread.start()
    assert ran.wait(10)
    ran.clear()
    for n in range(20):
        (own / f"{n}.md").write_text(str(n))
    assert ran.wait(10)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()
    assert runs == [1, 21]


def test_it_waits_where_nothing_was_added_yet(home: Path) -> None:
    stop, ran = threading.Event(), threading.Event()
    thread = threading.Thread(
        target=watch_library, args=(home, ran.set), kwargs={"debounce_s": 0.1, "stop": stop}
    )
    thread.start()
    assert ran.wait(10)
    stop.set()
    thread.join(timeout=10)
    assert not thread.is_alive()


def test_an_interrupt_that_is_lost_on_the_way_still_ends_it(home: Path) -> None:
    runs: list[int] = []

    def update() -> None:
        with suppress(KeyboardInterrupt):  # as Python does where it comes while an object is cleaned up
            signal.raise_signal(signal.SIGINT)
        runs.append(1)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), until_interrupted() as stop:
        watch_library(home, update, debounce_s=0.1, stop=stop)
    assert runs == [1]
    assert signal.getsignal(signal.SIGINT) is before
