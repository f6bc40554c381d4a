"""A store of immutable generations: named files of bytes that appear together or not at all.

    <home>/CURRENT              one line: the id of the generation that serves
           writer.lock          held by the one process that writes; writer.pid says which
           generations/<id>/    the files of one generation, `manifest.json` among them
           generations/.new/    the one being written, .scratch/ what it is made of, .<id>/ one being removed:
                                no reader looks there, the next writer sweeps them
           quarantine/<id>/     damaged ones, moved there by a writer and never deleted

Readers take no lock and write nothing. They check every byte they are about to trust; if a generation is
damaged, the one before it serves and a warning says so. Files that the manifest does not name are never opened.
A writer builds beside the others and then replaces `CURRENT`: before that moment nothing has changed, after it
all has. Knows nothing about chunks, vectors or FAISS.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing, StorageError
from rag.index import files, manifest
from rag.index.files import Content
from rag.index.manifest import Counts, Draft, FileEntry, Manifest

_NEW, _SCRATCH = ".new", ".scratch"
KEPT = 3  # generations; the newest of them is the one that a commit has just made current

_log = logging.getLogger(__name__)


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
    counts: Counts | None  # None if the manifest cannot be read
    current: bool  # `CURRENT` names it
    problems: tuple[str, ...]

    @property
    def created_at(self) -> str:  # UTC, ISO 8601
        moment = manifest.moment_of(self.generation_id)
        return manifest.written(moment) if moment else ""

    @property
    def ok(self) -> bool:
        return not self.problems


class Generations:
    """The generations of one data folder. Cheap to make; the folder need not exist."""

    def __init__(self, home: Path, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self.home = home
        self.clock = clock
        self.pointer = home / "CURRENT"

    def open_current(self, check: Callable[[Path, Manifest], None] = lambda *_: None) -> Opened:
        """Find the generation to serve, and verify it.

        `check(folder, manifest)` runs last and may read the files: what it keeps in memory or holds open
        outlives the generation's removal. It raises `IndexCorrupt` to let the previous generation serve.

        Raises:
            IndexMissing: nothing was ever written here.
            IndexMismatch: the current generation has another format (or `check` says so).
            IndexCorrupt: there are generations, and none is whole.
        """
        while True:
            named = self.named()
            try:
                opened = self._first_good(named, check)
                if not opened.warnings or self.named() == named:
                    return opened
            except (IndexMissing, IndexCorrupt):
                if self.named() == named:
                    raise
            # A writer moved on and pruned what was being read: that was no damage.

    def _first_good(self, named: str | None, check: Callable[[Path, Manifest], None]) -> Opened:
        ids = self.ids()
        if not ids and not named:
            raise IndexMissing(f"There is no index in {self.home} yet.")
        present = named in ids
        warnings = [] if present else [f"{self.pointer} does not name a generation that is here."]
        # The named one first, then older ones from the newest on, then newer ones.
        for generation_id in sorted(ids, key=lambda one: (present and one <= str(named), one), reverse=True):
            folder = self.folder(generation_id)
            try:
                found = manifest.verified(folder)
                check(folder, found)
            except IndexMismatch as error:
                if generation_id == named:
                    raise
                warnings.append(f"Generation {generation_id} does not fit: {error}")
            except (IndexCorrupt, OSError) as error:
                warnings.append(f"Generation {generation_id} is damaged: {error}.")
            else:
                if warnings:
                    warnings.append(f"Generation {generation_id} serves instead.")
                return Opened(folder=folder, manifest=found, warnings=tuple(warnings))
        raise IndexCorrupt(f"No generation in {self.home} is whole. {' '.join(warnings)}")

    def versions(self) -> tuple[Version, ...]:
        """All generations, newest first. Reads and checks every file, as `verify` does."""
        named, versions = self.named(), []
        for one in reversed(self.ids()):
            try:
                found, problems = manifest.inspect(self.folder(one))
                counts = found.counts
            except (IndexCorrupt, IndexMismatch) as error:
                counts, problems = None, (str(error),)
            current = one == named
            versions.append(Version(generation_id=one, counts=counts, current=current, problems=problems))
        return tuple(versions)

    def verify(self) -> dict[str, tuple[str, ...]]:
        """Each generation's problems, newest first; () means whole. "CURRENT" is a key if it misleads."""
        report = {version.generation_id: version.problems for version in self.versions()}
        if report and self.named() not in report:
            report["CURRENT"] = ("CURRENT does not name a generation that is here",)
        return report

    def rollback(self, generation_id: str | None = None) -> str:
        """Let the generation of this id serve, or the newest whole one before the current. Returns its id.

        Raises `IndexMissing` if there is no such generation, and what `open_current` and `writer` raise.
        """
        with self.writer() as writer:
            chosen = generation_id or self._earlier()
            if chosen not in self.ids():
                raise IndexMissing(f"There is no generation {chosen} in {self.home}.")
            manifest.verified(self.folder(chosen))
            writer.point_at(chosen)
            return chosen

    def _earlier(self) -> str:
        named = self.named() or "~"  # sorts after any id
        for version in self.versions():
            if version.ok and version.generation_id < named:
                return version.generation_id
        raise IndexMissing(
            f"There is no earlier generation in {self.home} to go back to.",
            hint="`waymark versions` lists those that are there and which of them can serve.",
        )

    @contextmanager
    def writer(self) -> Iterator["Writer"]:
        """Be the one writer: take the lock, clear up after a writer that was killed, and give the lock back.

        Raises `IndexLocked` if another process has the lock, `StorageError` if the folder cannot be written.
        """
        with files.exclusive(self.home / "writer.lock"):
            Writer(self).sweep()
            yield Writer(self)

    def named(self) -> str | None:
        """The id in `CURRENT`; None if the file is missing or holds something else."""
        name = files.line(self.pointer)
        return name if manifest.moment_of(name) else None

    def ids(self) -> list[str]:
        """The ids of all generations in place, whole or not, oldest first."""
        folder = self.home / "generations"
        with files.storage(folder):
            names = [path.name for path in folder.iterdir()] if folder.exists() else []
        return sorted(filter(manifest.moment_of, names))

    def folder(self, name: str) -> Path:
        return self.home / "generations" / name


@dataclass(frozen=True, slots=True)
class Writer:
    """What the holder of the lock may do. Made by `Generations.writer`, of no use after it."""

    store: Generations

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder beside the generations for what is too large for memory; gone afterwards."""
        folder = self.store.folder(_SCRATCH)
        files.make_folder(folder)
        try:
            yield folder
        finally:
            files.discard(folder)

    def commit(self, contents: Mapping[str, Content], draft: Draft) -> str:
        """Write a complete new generation and let it serve; the oldest ones go. Returns its id.

        Raises `StorageError` if the disk refuses: nothing has changed for readers then.
        """
        staging = self.store.folder(_NEW)
        final: Path | None = None
        try:
            entries = [self._write(staging, name, content) for name, content in contents.items()]
            sealed = manifest.seal(draft, files=entries, created_at=self._next_moment())
            files.write_durable(staging / manifest.MANIFEST_NAME, manifest.encode(sealed))
            files.step("manifest written")
            final = self.store.folder(sealed.generation_id)
            files.rename(staging, final)
            files.sync_folder(final.parent)
            files.step("generation in place")
            self.point_at(final.name)
        except BaseException:
            if final is None or self.store.named() != final.name:
                files.discard(staging)
                if final is not None:
                    files.discard(final)
            raise
        with suppress(StorageError):  # It serves by now; what is not removed goes next time.
            for generation_id in self.store.ids()[:-KEPT]:
                files.discard(self.store.folder(generation_id))
        files.step("old generations removed")
        return final.name

    def _write(self, folder: Path, name: str, content: Content) -> FileEntry:
        path = folder / FileEntry.checked(name)
        written = files.write_durable(path, content)
        return FileEntry(name=name, sha256=written.sha256, size_bytes=written.size_bytes)

    def point_at(self, generation_id: str) -> None:
        """Replace `CURRENT`: the one moment at which the answer of `open_current` changes."""
        pointer = self.store.pointer
        files.rename(files.stage(pointer, f"{generation_id}\n".encode()).path, pointer)
        files.step("CURRENT swapped")
        try:
            files.sync_folder(pointer.parent)
        except StorageError as error:
            # Readers see the new one already. A power cut can at most bring back the old one, also whole.
            _log.warning("Generation %s serves, but may not survive a power cut: %s", generation_id, error)

    def sweep(self) -> None:
        """Remove what a killed writer left, and put damaged generations into quarantine."""
        home = self.store.home
        for folder in sorted(home.glob("generations/.*")):
            if folder.name in (_NEW, _SCRATCH) or manifest.moment_of(folder.name[1:]):
                files.discard(folder)
                files.step("leftover removed")
        for temporary in sorted(home.glob("CURRENT.*.tmp")):
            files.remove(temporary)
            files.step("leftover removed")
        for folder in map(self.store.folder, self.store.ids()):
            try:
                manifest.verified(folder)
            except IndexMismatch:
                pass  # Whole, but of another version of Waymark, which may want it back.
            except IndexCorrupt as damage:
                aside = files.move_aside(folder, home / "quarantine")
                _log.warning("Generation %s is damaged (%s); it is kept in %s.", folder.name, damage, aside)
        files.step("swept")

    def _next_moment(self) -> datetime:
        """Now, or just after the newest generation if the clock was set back: ids sort by age."""
        newest = manifest.moment_of(next(reversed(self.store.ids()), ""))
        now = self.store.clock()
        return max(now, newest + timedelta(microseconds=1)) if newest else now
