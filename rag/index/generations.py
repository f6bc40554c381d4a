"""A store of immutable generations: named files of bytes that appear together or not at all.

    <home>/CURRENT              one line: the id of the generation that serves
           writer.lock          held by the one process that writes; writer.pid says which
           generations/<id>/    the files of one generation, `manifest.json` among them
           generations/.<id>/   one being written or removed: no reader looks there, the next writer sweeps it
           quarantine/<id>/     damaged ones, moved there by a writer and never deleted

Readers take no lock and write nothing. They check every byte they are about to trust; if a generation is damaged,
the one before it serves and a warning says so. Files that the manifest does not name are never opened.
A writer builds beside the others and then replaces `CURRENT`: before that moment nothing has changed, after it all
has. Knows nothing about chunks, vectors or FAISS.
"""

import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout

from rag.errors import IndexCorrupt, IndexLocked, IndexMismatch, IndexMissing, StorageError
from rag.index import files
from rag.index.manifest import (
    MANIFEST_NAME,
    Counts,
    Draft,
    FileEntry,
    Manifest,
    decode,
    encode,
    moment_of,
    seal,
    written,
)

KEPT = 3  # generations; the current one is kept even if it is older
LOCK_WAIT_S = 0.5

_log = logging.getLogger(__name__)

Check = Callable[[Path, Manifest], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A generation whose every file matched its manifest when it was opened."""

    folder: Path
    manifest: Manifest
    warnings: tuple[str, ...] = ()  # sentences for people: why another generation serves than the one wanted


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One generation as `versions` lists it."""

    generation_id: str
    created_at: str  # UTC, ISO 8601
    counts: Counts | None  # None if the manifest cannot be read
    current: bool  # `CURRENT` names it
    problems: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.problems


def _now() -> datetime:
    return datetime.now(UTC)


def _accept(folder: Path, manifest: Manifest) -> None:
    pass


class Generations:
    """The generations of one data folder. Cheap to make; the folder need not exist."""

    def __init__(self, home: Path, *, clock: Callable[[], datetime] = _now) -> None:
        self.home = home
        self.clock = clock
        self.pointer = home / "CURRENT"

    def open_current(self, check: Check = _accept) -> Opened:
        """Find the generation to serve, and verify it.

        `check(folder, manifest)` runs last and may read the files: what it keeps in memory or holds open stays
        readable after the generation is pruned. It raises `IndexCorrupt` to let the previous generation serve.

        Raises:
            IndexMissing: nothing was ever written here.
            IndexMismatch: the current generation has another format (or `check` says so).
            IndexCorrupt: there are generations, and none is whole.
        """
        while True:
            named = self.named()
            try:
                opened = self._first_good(named, check)
            except (IndexMissing, IndexCorrupt):
                if self.named() == named:
                    raise
            else:
                if not opened.warnings or self.named() == named:
                    return opened
            # A writer moved on and pruned what was being read: that was no damage.

    def _first_good(self, named: str | None, check: Check) -> Opened:
        ids = self.ids()
        if named is None and not ids:
            raise IndexMissing(f"There is no index in {self.home} yet.")
        warnings = [] if named else [f"{self.pointer} does not name a generation."]
        for generation_id in _by_preference(named, ids):
            folder = self.folder(generation_id)
            try:
                manifest = _verified(folder)
                check(folder, manifest)
            except IndexMismatch as error:
                if generation_id == named:
                    raise
                warnings.append(f"Generation {generation_id} does not fit: {error}")
            except (IndexCorrupt, OSError) as error:
                warnings.append(f"Generation {generation_id} is damaged: {error}.")
            else:
                if warnings:
                    warnings.append(f"Generation {generation_id} serves instead.")
                return Opened(folder=folder, manifest=manifest, warnings=tuple(warnings))
        raise IndexCorrupt(f"No generation in {self.home} is whole. {' '.join(warnings)}")

    def versions(self) -> tuple[Version, ...]:
        """All generations, newest first. Reads and checks every file, as `verify` does."""
        named = self.named()
        return tuple(self._version(generation_id, named) for generation_id in reversed(self.ids()))

    def _version(self, generation_id: str, named: str | None) -> Version:
        moment = moment_of(generation_id)
        manifest, problems = _inspect(self.folder(generation_id))
        return Version(
            generation_id=generation_id,
            created_at=written(moment) if moment else "",
            counts=manifest.counts if manifest else None,
            current=generation_id == named,
            problems=problems,
        )

    def verify(self) -> dict[str, tuple[str, ...]]:
        """The problems of each generation, newest first; () means whole. "CURRENT" is a key if it misleads."""
        report = {version.generation_id: version.problems for version in self.versions()}
        if report and self.named() not in report:
            report["CURRENT"] = ("It does not name a generation that is here.",)
        return report

    def rollback(self, generation_id: str | None = None) -> str:
        """Let an earlier generation serve: the named one, or the newest whole one before the current.

        Raises:
            IndexMissing: there is no such generation.
            IndexCorrupt, IndexMismatch, IndexLocked, StorageError: it cannot serve, or nothing can be written.
        """
        with self.writer() as writer:
            chosen = generation_id or self._earlier()
            if chosen not in self.ids():
                raise IndexMissing(f"There is no generation {chosen} in {self.home}.")
            _verified(self.folder(chosen))
            writer.point_at(chosen)
            return chosen

    def _earlier(self) -> str:
        named = self.named()
        for generation_id in reversed(self.ids()):
            if (named is None or generation_id < named) and not _inspect(self.folder(generation_id))[1]:
                return generation_id
        raise IndexMissing(f"There is no earlier generation in {self.home} to go back to.")

    @contextmanager
    def writer(self) -> Iterator["Writer"]:
        """Be the one writer: take the lock, clear up after a writer that was killed, and give the lock back.

        Raises:
            IndexLocked: another process has the lock.
            StorageError: the folder cannot be written.
        """
        files.make_folder(self.home)
        lock = FileLock(self.home / "writer.lock")
        holder = self.home / "writer.pid"
        with files.storage(self.home):
            try:
                lock.acquire(timeout=LOCK_WAIT_S)
            except Timeout:
                raise IndexLocked(f"{_read(holder) or 'Another process'} is writing to {self.home}.") from None
        try:
            files.step("lock taken")
            with files.storage(self.home):
                holder.write_text(f"Process {os.getpid()} (since {written(self.clock())})")
            writer = Writer(self)
            writer.sweep()
            yield writer
        finally:
            with suppress(OSError):
                holder.unlink(missing_ok=True)
            lock.release()

    def named(self) -> str | None:
        """The id in `CURRENT`; None if the file is missing or holds something else."""
        name = _read(self.pointer)
        return name if moment_of(name) else None

    def ids(self) -> list[str]:
        """The ids of all generations that are in place, oldest first; whether they are whole is not looked at."""
        folder = self.home / "generations"
        if not folder.is_dir():
            return []
        with files.storage(folder):
            return sorted(name for name in os.listdir(folder) if moment_of(name))

    def folder(self, generation_id: str) -> Path:
        return self.home / "generations" / generation_id


class Writer:
    """What the holder of the lock may do. Made by `Generations.writer`, of no use after it."""

    def __init__(self, store: Generations) -> None:
        self._store = store

    def commit(self, contents: Mapping[str, bytes], draft: Draft) -> str:
        """Write a complete new generation and let it serve; the oldest ones go. Returns its id.

        Raises:
            StorageError: nothing has changed for readers.
        """
        entries = tuple(
            FileEntry(name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))
            for name, data in contents.items()
        )
        manifest = seal(draft, files=entries, created_at=self._next_moment())
        generation_id = manifest.generation_id
        final, staging = self._store.folder(generation_id), self._store.folder(f".{generation_id}")
        try:
            for entry in manifest.files:
                files.write_durable(staging / entry.name, contents[entry.name])
            files.write_durable(staging / MANIFEST_NAME, encode(manifest))
            files.step("manifest written")
            files.rename(staging, final)
            files.sync_folder(final.parent)
            files.step("generation in place")
            self.point_at(generation_id)
        except BaseException:
            if self._store.named() != generation_id:
                files.discard(staging)
                files.discard(final)
            raise
        self._prune(generation_id)
        return generation_id

    def point_at(self, generation_id: str) -> None:
        """Replace `CURRENT`: the one moment at which the answer of `open_current` changes."""
        pointer = self._store.pointer
        files.rename(files.stage(pointer, f"{generation_id}\n".encode()), pointer)
        files.step("CURRENT swapped")
        try:
            files.sync_folder(pointer.parent)
        except StorageError as error:  # Readers see it already; all that a power cut can bring back is the last one.
            _log.warning("Generation %s serves, but may not survive a power cut: %s", generation_id, error)

    def sweep(self) -> None:
        """Remove what a killed writer left, and put damaged generations into quarantine."""
        folder = self._store.home / "generations"
        with files.storage(self._store.home):
            for name in sorted(os.listdir(folder)) if folder.is_dir() else ():
                if name.startswith(".") and moment_of(name[1:]):
                    files.discard(folder / name)
                    files.step("leftover removed")
            for temporary in sorted(self._store.home.glob("CURRENT.*.tmp")):
                temporary.unlink()
                files.step("leftover removed")
        for generation_id in self._store.ids():
            try:
                _verified(self._store.folder(generation_id))
            except IndexMismatch:
                pass  # Whole, but of another version of Waymark, which may want it back.
            except IndexCorrupt as damage:
                self._quarantine(generation_id, damage)
        files.step("swept")

    def _quarantine(self, generation_id: str, damage: IndexCorrupt) -> None:
        target = self._store.home / "quarantine" / generation_id
        while target.exists():
            target = target.with_name(f"{target.name}+")
        files.make_folder(target.parent)
        files.rename(self._store.folder(generation_id), target)
        files.sync_folder(target.parent)
        _log.warning("Generation %s is damaged and now in %s: %s", generation_id, target, damage)

    def _next_moment(self) -> datetime:
        """Now, or just after the newest generation if the clock was set back: ids sort by age."""
        newest = [moment for moment in map(moment_of, self._store.ids()[-1:]) if moment]
        return max([self._store.clock(), *(moment + timedelta(microseconds=1) for moment in newest)])

    def _prune(self, current: str) -> None:
        for generation_id in self._store.ids()[:-KEPT]:
            if generation_id != current:
                files.discard(self._store.folder(generation_id))
        files.step("old generations removed")


def _by_preference(named: str | None, ids: list[str]) -> list[str]:
    """The named generation, then older ones from the newest on, then newer ones."""
    if named is None:
        return ids[::-1]
    older = [one for one in ids if one < named]
    newer = [one for one in ids if one > named]
    return [named, *reversed(older), *reversed(newer)]


def _verified(folder: Path) -> Manifest:
    """The manifest of a generation, every file of which is as it was written."""
    manifest = _manifest(folder)
    if problems := _file_problems(folder, manifest):
        raise IndexCorrupt("; ".join(problems))
    return manifest


def _inspect(folder: Path) -> tuple[Manifest | None, tuple[str, ...]]:
    try:
        manifest = _manifest(folder)
    except (IndexCorrupt, IndexMismatch) as error:
        return None, (str(error),)
    return manifest, _file_problems(folder, manifest)


def _manifest(folder: Path) -> Manifest:
    try:
        manifest = decode((folder / MANIFEST_NAME).read_bytes())
    except OSError as error:
        raise IndexCorrupt(f"{MANIFEST_NAME} cannot be read ({error.strerror})") from error
    if manifest.generation_id != folder.name:
        raise IndexCorrupt(f"{MANIFEST_NAME} belongs to generation {manifest.generation_id}")
    return manifest


def _file_problems(folder: Path, manifest: Manifest) -> tuple[str, ...]:
    return tuple(problem for entry in manifest.files if (problem := _file_problem(folder, entry)))


def _file_problem(folder: Path, entry: FileEntry) -> str:
    path = folder / entry.name
    try:
        if not path.is_file():
            return f"{entry.name} is missing"
        size = path.stat().st_size
        if size != entry.size_bytes:
            return f"{entry.name} has {size} bytes, not {entry.size_bytes}"
        return "" if files.sha256(path) == entry.sha256 else f"{entry.name} does not match its SHA-256"
    except OSError as error:
        return f"{entry.name} cannot be read ({error.strerror})"


def _read(path: Path) -> str:
    """The line of a small text file; "" if there is none."""
    try:
        return path.read_bytes().decode("ascii", errors="replace").strip()
    except OSError:
        return ""
