"""The real pipeline, killed at every step of writing: the next reader finds the old index or the new one, whole.

As in tests/rag/index/test_crash.py this file is its own child, and the steps to kill at are taken from a run that
nobody disturbs. Here the files are real ones: chunks, vectors and terms of a small roadmap.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import rag
from ingest.pipeline import IndexReport, index_corpus
from rag.errors import IndexLocked, IndexMissing, WaymarkError
from rag.index import files
from rag.index.generations import Generations
from rag.index.reader import Index
from rag.testing import FakeEmbedder

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


def _fork(act: Callable[[], object]) -> int:
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


def _wait(pid: int) -> int:
    """Its exit code; negative is the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _copy(source: Path, target: Path) -> None:
    if source.exists():
        shutil.copytree(source, target)


def child_kills(base: Path, out: Path) -> list[str]:
    """One copy of `base` for each step of indexing, in which a child was killed at that step."""
    out.mkdir()
    steps: list[str] = []
    files.step = steps.append
    _copy(base, out / "clean")
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
            _copy(base, out / str(step))
        assert {_wait(pid) for pid in [_fork(killed_at(step)) for step in some]} == {-signal.SIGKILL}
    return steps


def child_kill_while_embedding(home: Path, after: int) -> int:
    """How a run over the long roadmap ends that is killed at a passage."""

    class Mortal(FakeEmbedder):
        def _embed(self, *given: Any, **options: Any) -> Any:
            if len(self.seen) == after:
                os.kill(os.getpid(), signal.SIGKILL)
            return super()._embed(*given, **options)

    return _wait(_fork(lambda: _index(home, LONG, Mortal())))


def child_race(home: Path) -> list[int]:
    """The exit codes of two that index at the same time."""
    gate, opened = os.pipe()

    def run() -> None:
        os.read(gate, 1)
        _index(home, embedder=FakeEmbedder(delay_s=0.2))

    pids = [_fork(run), _fork(run)]
    os.write(opened, b"..")
    return sorted(_wait(pid) for pid in pids)


if __name__ == "__main__":
    name, *arguments = json.loads(sys.argv[1])
    paths = [Path(one) if isinstance(one, str) else one for one in arguments]
    sys.stdout.write(json.dumps(globals()[f"child_{name}"](*paths)))
    sys.exit()


# --- The tests ----------------------------------------------------------------------------------------------------

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forked processes"),
]


def _child(name: str, *arguments: object) -> Any:
    """What `child_<name>` returned in a fresh process."""
    plain = [str(one) if isinstance(one, Path) else one for one in arguments]
    done = subprocess.run(
        [sys.executable, __file__, json.dumps([name, *plain])],
        env=os.environ | {"PYTHONPATH": str(Path(rag.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


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
        if n > steps.index("lock taken") + 5:  # the folder of the cache, and that of the generation
            assert report.n_embedded == 0, (n, step)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waiting for the disk: nobody cuts the power here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


def test_a_kill_at_any_step_of_the_first_index_leaves_nothing_or_all(tmp_path: Path, quick: None) -> None:
    steps = _child("kills", tmp_path / "none", tmp_path / "out")
    _check_kills(steps, tmp_path / "out", None)


def test_a_kill_at_any_step_of_a_re_index_leaves_the_old_or_the_new(
    base: Path, tmp_path: Path, quick: None
) -> None:
    steps = _child("kills", base, tmp_path / "out")
    _check_kills(steps, tmp_path / "out", "old")


def test_what_was_embedded_before_a_kill_is_not_embedded_again(tmp_path: Path) -> None:
    whole = _index(tmp_path / "whole", LONG).n_embedded
    assert whole > 30
    home = tmp_path / "killed"
    assert _child("kill_while_embedding", home, 30) == -signal.SIGKILL
    assert whole - 30 <= _index(home, LONG).n_embedded <= whole - 24  # eight at a time are kept


def test_a_run_after_an_edit_embeds_only_what_changed(base: Path) -> None:
    report = _index(base)
    assert 0 < report.n_embedded < report.n_chunks
    assert (_index(base).n_embedded, _index(base).changed) == (0, False)


def test_of_two_runs_at_once_one_indexes_and_the_other_says_why(base: Path) -> None:
    assert _child("race", base) == [0, IndexLocked.exit_code]
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
