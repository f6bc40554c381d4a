"""Durable writes: the one way in which the index puts bytes on a disk, and the lock that admits one writer.

A file appears under its name whole or not at all, even if the process is killed or the power fails: temporary
file in the same folder, fsync, size compared, rename, fsync of the folder. A disk that refuses is a
`StorageError` that names the folder. Knows nothing about what the bytes mean.

`step` is called wherever a crash would leave something different on the disk. Here it does nothing; the tests
put a kill or an error in its place.
"""

import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

from filelock import FileLock, Timeout

from rag.errors import IndexLocked, StorageError

LOCK_WAIT_S = 0.2  # a killed holder frees the lock at once; a live one works for seconds

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


class Sink(Protocol):
    """What the bytes of a file are written to, a block at a time."""

    def write(self, data: bytes, /) -> int: ...


Content = bytes | Callable[[Sink], None]  # the bytes of a file, or what writes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A file as it was meant: counted and hashed on the way to the disk, not read back from it."""

    path: Path
    sha256: str
    size_bytes: int


def _go_on(name: str) -> None:
    pass


step: Callable[[str], None] = _go_on


@contextmanager
def storage(folder: Path) -> Iterator[None]:
    """Turn what the operating system refuses into a `StorageError` that names the folder."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or type(error).__name__
        if error.errno in _NO_ROOM:
            raise StorageError(f"No room left on the disk that holds {folder}: {reason}.") from error
        raise StorageError(f"Cannot use the folder {folder}: {reason}.") from error


def write_durable(path: Path, content: Content) -> Written:
    """Put a file at `path`, whole or not at all; folders on the way are made.

    Raises:
        StorageError: the disk is full, read-only or failing. What was at `path` before is still there, unless
            only the last step failed, the fsync of the folder: then the new file is there until a power cut.
    """
    make_folder(path.parent)
    written = stage(path, content)
    rename(written.path, path)
    sync_folder(path.parent)
    return written


def stage(path: Path, content: Content) -> Written:
    """Write a temporary file beside `path`, down to the disk; its path is for `rename`."""
    temporary = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with storage(path.parent):
            written = _write_and_sync(temporary, content)
            kept = temporary.stat().st_size
        if kept != written.size_bytes:
            raise StorageError(
                f"The disk of {path.parent} kept {kept} of {written.size_bytes} bytes of {path.name}."
            )
    except BaseException:
        remove(temporary)
        raise
    return written


def _write_and_sync(path: Path, content: Content) -> Written:
    with path.open("xb") as file:
        step("before write")
        measured = _Measured(file)
        if isinstance(content, bytes):
            measured.write(content)
        else:
            content(measured)
        file.flush()
        step("before fsync")
        os.fsync(file.fileno())
    step("after fsync")
    return Written(path=path, sha256=measured.hash.hexdigest(), size_bytes=measured.size_bytes)


class _Measured:
    """A file that is counted and hashed while it is written."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.hash = hashlib.sha256()
        self.size_bytes = 0

    def write(self, data: bytes, /) -> int:
        self._file.write(data)
        self.hash.update(data)
        self.size_bytes += len(data)
        return len(data)


def copy_file(path: Path, sink: Sink) -> None:
    """Write what a file holds."""
    with path.open("rb") as source:
        shutil.copyfileobj(source, sink, 1 << 20)


def rename(source: Path, target: Path) -> None:
    """Move a file or folder within one disk, in one step. `sync_folder` makes the move last."""
    step("before rename")
    with storage(target.parent):
        source.replace(target)
    step("after rename")


def sync_folder(folder: Path) -> None:
    """Make the folder's list of names last. Windows has no such call and orders its metadata itself."""
    if os.name == "nt":
        return
    with storage(folder):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            step("before folder fsync")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    step("after folder fsync")


def make_folder(folder: Path) -> None:
    """Make the folder and those above it, each one down to the disk."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    with storage(folder.parent):
        folder.mkdir(exist_ok=True)
    step("folder made")
    sync_folder(folder.parent)


def remove(path: Path) -> None:
    """Remove a file if that can be done."""
    with suppress(OSError):
        path.unlink()


def discard(folder: Path) -> None:
    """Remove a folder: hide it first (a leading dot), then its files. What resists is left for a later sweep."""
    hidden = folder if folder.name.startswith(".") else folder.with_name(f".{folder.name}")
    try:
        folder.replace(hidden)
    except OSError:
        hidden = folder
    step("hidden")
    shutil.rmtree(hidden, ignore_errors=True)


def move_aside(folder: Path, into: Path) -> Path:
    """Move a folder below `into` under its own name, with a plus for each one that is there already."""
    target = into / folder.name
    while target.exists():
        target = target.with_name(f"{target.name}+")
    make_folder(into)
    rename(folder, target)
    sync_folder(into)
    return target


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Hold the lock file `path`; the system frees it if this process dies. The note beside it names the holder.

    Raises:
        IndexLocked: someone else holds it.
    """
    make_folder(path.parent)
    lock, note = FileLock(path), path.with_suffix(".pid")
    with storage(path.parent):
        try:
            lock.acquire(timeout=LOCK_WAIT_S)
        except Timeout:
            holder = line(note) or "unknown"
            raise IndexLocked(f"Another process ({holder}) is writing to {path.parent}.") from None
    try:
        step("lock taken")
        with storage(path.parent):
            note.write_text(f"process {os.getpid()}\n", encoding="ascii")
        yield
    finally:
        remove(note)
        lock.release()


def line(path: Path) -> str:
    """What a file of one ASCII line says; "" if it cannot be read."""
    try:
        return path.read_bytes().decode("ascii", errors="replace").strip()
    except OSError:
        return ""


def sha256(path: Path) -> str:
    """The SHA-256 of a file's bytes, as 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
