"""`waymark bench ingest`, `ask`, `cold` and `memory`: both ways over the same files, in one run.

LangChain's default reads plain text only, so the files are the bundled roadmap and, if named, other text files.
"""

import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eval.bench import LANGCHAIN, WAYMARK, Comparison, compare, in_turns, run_child
from rag.bundled import roadmap_path
from rag.embed import PACKAGED, open_embedder
from rag.errors import RunError


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where children work. `home` is a data folder whose converted embedder is lent to every new index."""

    folder: Path
    home: Path
    files: tuple[Path, ...] = ()

    @property
    def n_characters(self) -> int:
        return sum(len(path.read_text(encoding="utf-8")) for path in (roadmap_path(), *self.files))

    def fresh(self, way: str) -> Path:
        """An empty folder for an index, with the embedder's converted file in it."""
        folder = Path(tempfile.mkdtemp(prefix=way, dir=self.folder))
        if way == WAYMARK:
            shutil.copytree(self.home / "models", folder / "models")
        return folder

    def child(self, step: str, way: str, folder: Path) -> dict[str, Any]:
        files = [str(path) for path in self.files] if step == "ingest" else []
        environ = {name: value for name, value in os.environ.items() if not name.startswith("WAYMARK_")}
        return run_child(step, way, str(folder), *files, environ=environ)

    def built(self) -> dict[str, Path]:
        """An index of each way, to be asked."""
        folders = {way: self.fresh(way) for way in (WAYMARK, LANGCHAIN)}
        for way, folder in folders.items():
            self.child("ingest", way, folder)
        return folders


@contextmanager
def opened(home: Path, files: Sequence[Path] = ()) -> Iterator[Bench]:
    """A bench in a temporary folder. Converts the embedder once if that has not happened yet."""
    open_embedder(PACKAGED, home=home)
    with tempfile.TemporaryDirectory() as folder:
        yield Bench(folder=Path(folder), home=home, files=tuple(path.resolve() for path in files))


def ingest(bench: Bench, *, repetitions: int) -> tuple[Comparison, ...]:
    """Source characters a second from a loaded embedder to an index on disk, and the whole process."""
    characters = bench.n_characters
    pairs = list(in_turns(repetitions, lambda way: bench.child("ingest", way, bench.fresh(way))))
    return (
        _compared(
            "indexing, embedder loaded", "characters/s", pairs, lambda one: characters / one["seconds"]
        ),
        _compared("the whole process", "characters/s", pairs, lambda one: characters / one["wall_s"]),
        _compared("peak memory", "MiB", pairs, _peak),
    )


def ask(bench: Bench, *, repetitions: int) -> tuple[Comparison, ...]:
    """A warm search: the median of 30 questions in each process, and their slowest tenth."""
    folders = bench.built()
    pairs = list(in_turns(repetitions, lambda way: bench.child("ask", way, folders[way])))
    return (
        _compared("search, median", "ms", pairs, lambda one: 1000 * statistics.median(one["seconds"])),
        _compared("search, 90th percentile", "ms", pairs, lambda one: 1000 * _p90(one["seconds"])),
    )


def cold(bench: Bench, *, repetitions: int) -> tuple[Comparison, ...]:
    """From the start of a process to its first passages, and what memory that took."""
    folders = bench.built()
    pairs = list(in_turns(repetitions, lambda way: bench.child("cold", way, folders[way])))
    return (
        _compared("process start to first passages", "s", pairs, lambda one: float(one["wall_s"])),
        _compared("peak memory", "MiB", pairs, _peak),
    )


def _compared(
    name: str, unit: str, pairs: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]], value: Any
) -> Comparison:
    values = [(value(ours), value(theirs)) for ours, theirs in pairs]
    return compare(name, unit, values, more_is_better=unit.endswith("/s"))


def _peak(one: Mapping[str, Any]) -> float:
    if one["peak_mib"] is None:
        raise RunError("this system does not tell a process's peak memory", hint="Run it on Linux or macOS.")
    return float(one["peak_mib"])


def _p90(seconds: Sequence[float]) -> float:
    return statistics.quantiles(seconds, n=10)[-1]
