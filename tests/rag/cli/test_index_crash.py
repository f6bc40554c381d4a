"""The real pipeline, killed at every step of writing: the next reader finds the old index or the new one, whole.

As in tests/rag/index/test_crash.py the steps to kill at are taken from a run that nobody disturbs. Here the files are
real ones: chunks, vectors and terms of a small roadmap.
"""

import os
import random
import resource
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingest.library import Library, write_library
from ingest.pipeline import IndexReport, index_corpus
from rag.errors import IndexLocked, IndexMissing, StorageError
from rag.index import files
from rag.index.generations import Generations
from rag.index.reader import Index
from rag.testing import FakeEmbedder
from tests.children import answer, child, copy, fork, wait

OLD = """The Roadmap

Part I: Foundations

Section 1: Mathematics

1.1. Linear Algebra

Vectors hold data. Matrices map vectors to vectors. An old sentence stands here.

1.2. Calculus

The gradient points to the steepest ascent. Descent goes the other way.
"""
NEW = OLD.replace("An old sentence stands here.", "A new sentence came instead, and one more. It is this.")
LONG = NEW + "".join(f"\n2.{n}. Topic {n}\n\nSentence {n} says what {n} is.\n" for n in range(1, 40))
AT_ONCE = 4  # children


def _index(home: Path, text: str = NEW, embedder: FakeEmbedder | None = None) -> IndexReport:
    # Beside the data folder; the document's name and place are no part of the index.
    roadmap = home.with_name(f"{home.name}.{os.getpid()}.txt")
    roadmap.write_text(text, encoding="utf-8")
    return index_corpus(home, embedder=embedder or FakeEmbedder(), roadmap=roadmap)


def _state(home: Path) -> tuple[str | None, tuple[str, ...]]:
    """The text that the index serves, read through every file of it, and its warnings; None without an index."""
    try:
        index = Index.open(home, embedder=FakeEmbedder().spec)
    except IndexMissing:
        return None, ()
    try:
        chunks = index.chunks(range(len(index)))
        text = index.document(chunks[0].source_id).text
        assert all(chunk.span.cut(text) == chunk.text for chunk in chunks)
        assert all(len(vectors) for _, vectors in index.chunks_with_vectors(range(len(index))))
        assert text.endswith("Descent goes the other way.")
        stem = "old" if "An old sentence stands here." in text else "new"
        assert ("A new sentence came instead, and one more. It is this." in text) == (stem == "new")
        assert index.lexical.document_frequency(stem) == 1
        return stem, index.warnings
    finally:
        index.close()


def _hidden(home: Path) -> list[str]:
    """What only a killed writer leaves in the index."""
    found = (*home.glob("*"), *home.glob("generations/**/*"))
    return [str(path) for path in found if path.name.startswith(".") or path.suffix == ".tmp"]


# --- What runs in the child ---------------------------------------------------------------------------------------


def child_kills(base: Path, out: Path) -> list[str]:
    """One copy of `base` for each step of indexing, in which a child was killed at that step."""
    out.mkdir()
    steps: list[str] = []
    files.step = steps.append
    copy(base, out / "clean")
    _index(out / "clean")
    os.fsync = lambda _: None  # a kill, unlike a power cut, loses nothing that was written

    def killed_at(step: int) -> Callable[[], None]:
        def run() -> None:
            calls = iter(range(1_000_000))
            files.step = lambda _: os.kill(os.getpid(), signal.SIGKILL) if next(calls) == step else None
            _index(out / str(step))

        return run

    for first in range(0, len(steps), AT_ONCE):
        some = range(first, min(first + AT_ONCE, len(steps)))
        for step in some:
            copy(base, out / str(step))
        assert {wait(pid) for pid in [fork(killed_at(step)) for step in some]} == {-signal.SIGKILL}
    return steps


def child_kill_while_embedding(home: Path, after: int) -> int:
    """How a run over the long roadmap ends that is killed at a passage."""

    class Mortal(FakeEmbedder):
        def _embed(self, *given: Any, **options: Any) -> Any:
            if len(self.seen) == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return super()._embed(*given, **options)

    return wait(fork(lambda: _index(home, LONG, Mortal())))


def child_random_kills(home: Path, times: int) -> list[list[Any]]:
    """Kill runs that go from one roadmap to the other and back, with a long document of one's own beside it.

    What is served after each: stem, warnings, and the longest time that opening took.
    """
    delay = random.Random(7)  # noqa: S311
    own = home.with_name("own.md")
    write_library(home, Library().with_items(own.as_posix()))
    states: list[list[Any]] = []

    def run(n: int) -> None:
        own.write_text("".join(f"# Part {m}\n\nSentence {m} of try {n}.\n\n" for m in range(150)))
        _index(home, NEW if n % 2 else OLD)

    for n in range(times):
        pid = fork(lambda n=n: run(n))  # type: ignore[misc]
        time.sleep(delay.uniform(0.0, 0.4))
        os.kill(pid, signal.SIGKILL)
        killed = wait(pid) == -signal.SIGKILL
        began = time.monotonic()
        states.append([*_state(home), killed, time.monotonic() - began])
    return states


def child_size_limits(base: Path, out: Path, limits: list[int]) -> list[int]:
    """The exit code of an indexing run while no file may grow beyond each limit."""
    out.mkdir()
    codes = []
    for limit in limits:
        home = out / str(limit)
        copy(base, home)

        def run(home: Path = home, limit: int = limit) -> None:
            _index(home.with_name("roadmap"), NEW)  # all that is loaded late is loaded
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
            index_corpus(home, embedder=FakeEmbedder(), roadmap=out.with_name("new.txt"))

        codes.append(wait(fork(run)))
    return codes


def child_race(home: Path) -> list[int]:
    """The exit codes of two that index at the same time."""
    gate, opened = os.pipe()

    def run() -> None:
        os.read(gate, 1)
        _index(home, embedder=FakeEmbedder(delay_s=0.2))

    pids = [fork(run), fork(run)]
    os.write(opened, b"..")
    return sorted(wait(pid) for pid in pids)


if __name__ == "__main__":
    answer(globals())


# --- The tests ----------------------------------------------------------------------------------------------------

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes"),
]


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A data folder with the old roadmap in it."""
    _index(tmp_path / "base", OLD)
    return tmp_path / "base"


def _check_kills(steps: list[str], out: Path, before: str | None) -> None:
    assert {"lock taken", "manifest written", "generation in place", "CURRENT swapped"} <= set(steps)
    assert steps.count("before write") >= 10  # every file of a generation
    swapped = steps.index("CURRENT swapped") - 1  # "after rename" lies between the rename and its name
    in_place = (
        swapped if before else steps.index("generation in place") - 3
    )  # with none before it, it serves at once
    for n, step in enumerate(steps):
        home = out / str(n)
        state, warnings = _state(home)
        assert state == (before if n < in_place else "new"), (n, step)
        assert bool(warnings) == (in_place <= n < swapped), (n, step)
        report = _index(home)
        assert report.changed == (n < swapped), (n, step)
        assert _state(home) == ("new", ()), (n, step)
        if report.changed:
            assert _hidden(home) == [], (n, step)
        if n >= steps.index("before write"):  # the first file of the generation: all is embedded by then
            assert report.n_embedded == 0, (n, step)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the disk: nobody cuts the power here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def test_a_kill_at_any_step_of_the_first_index_leaves_nothing_or_all(tmp_path: Path, quick: None) -> None:
    steps = child(__file__, "kills", tmp_path / "none", tmp_path / "out")
    _check_kills(steps, tmp_path / "out", None)


def test_a_kill_at_any_step_of_a_re_index_leaves_the_old_or_the_new(
    base: Path, tmp_path: Path, quick: None
) -> None:
    steps = child(__file__, "kills", base, tmp_path / "out")
    _check_kills(steps, tmp_path / "out", "old")


def test_kills_at_random_times_leave_the_one_or_the_other_and_nothing_behind(base: Path) -> None:
    states = child(__file__, "random_kills", base, 25)
    assert sum(killed for _, _, killed, _ in states) >= 15
    assert all(warnings == [] for _, warnings, _, _ in states)
    assert max(seconds for *_, seconds in states) < 5
    report = _index(base)
    assert (_state(base), report.n_documents) == (("new", ()), 2)
    _index(base, OLD)  # a writer has swept
    assert _hidden(base) == []
    assert not (base / "quarantine").exists()


def test_a_disk_that_is_full_at_any_point_is_told_and_the_old_index_answers(
    base: Path, tmp_path: Path
) -> None:
    (tmp_path / "new.txt").write_text(NEW, encoding="utf-8")
    limits = [0, 20, 100, 500, 2_000, 8_000, 20_000, 30_000, 40_000]
    codes = child(__file__, "size_limits", base, tmp_path / "out", [*limits, 10_000_000])
    assert codes[-1] == 0
    assert set(codes[: len(limits)]) == {StorageError.exit_code}
    for limit in limits:
        home = tmp_path / "out" / str(limit)
        assert _state(home) == ("old", ())
        assert _hidden(home) == []
        assert _index(home).changed
        assert _state(home) == ("new", ())


def test_what_was_embedded_before_a_kill_is_not_embedded_again(tmp_path: Path) -> None:
    whole = _index(tmp_path / "whole", LONG).n_embedded
    assert whole > 30
    home = tmp_path / "killed"
    assert child(__file__, "kill_while_embedding", home, 30) == -signal.SIGKILL
    assert whole - 30 <= _index(home, LONG).n_embedded <= whole - 24  # eight at a time are kept


def test_a_run_after_an_edit_embeds_only_what_changed(base: Path) -> None:
    report = _index(base)
    assert 0 < report.n_embedded < report.n_chunks
    assert (_index(base).n_embedded, _index(base).changed) == (0, False)


def test_of_two_runs_at_once_one_indexes_and_the_other_says_why(base: Path) -> None:
    assert child(__file__, "race", base) == [0, IndexLocked.exit_code]
    assert _state(base) == ("new", ())


def _indexed_files(home: Path) -> list[str]:
    [*_, newest] = Generations(home).ids()
    folder = Generations(home).folder(newest)
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_flipped_bit_in_any_file_lets_the_previous_index_serve_with_a_warning(
    base: Path, tmp_path: Path
) -> None:
    _index(base)
    assert _state(base) == ("new", ())
    names = _indexed_files(base)
    assert {"manifest.json", "dense.faiss", "chunks.sqlite", "sentences.npy"} < set(names)
    for n, name in enumerate(names):
        home = tmp_path / str(n)
        shutil.copytree(base, home)
        file = Generations(home).folder(Generations(home).ids()[-1]) / name
        data = bytearray(file.read_bytes())
        data[len(data) // 2] ^= 1
        file.write_bytes(data)
        state, warnings = _state(home)
        assert state == "old", name
        assert "is damaged" in warnings[0], name
        assert "serves instead" in warnings[-1], name
        report = _index(home)  # mends it
        assert (report.changed, report.n_embedded) == (True, 0), name
        assert _state(home) == ("new", ()), name
        assert len(list((home / "quarantine").iterdir())) == 1, name


def test_a_truncated_or_emptied_file_counts_as_damage_too(base: Path) -> None:
    _index(base)
    folder = Generations(base).folder(Generations(base).ids()[-1])
    (folder / "dense.faiss").write_bytes(b"")
    state, warnings = _state(base)
    assert state == "old"
    assert "dense.faiss" in warnings[0]
