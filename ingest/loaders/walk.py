"""The files below a folder, and why each of the others is not read.

Follows no link and opens nothing that is not a plain file, so it cannot leave the folder, run in circles or wait on
a pipe. Knows no format. The order is that of the names, the same on every machine.
"""

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

LINK_INSIDE = "it is a link; what it points to is read by itself"
_DEEPEST = 100  # folders inside one another


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    path: Path
    size: int  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    path: Path
    reason: str


def find_files(root: Path) -> Iterator[Found | Skipped]:
    """Every plain file at or below `root`, and everything that was passed over."""
    root = root.resolve()
    if root.is_dir():
        yield from _below(root, root=root, depth=0)
    else:
        yield _judge(root, root=root)


def _below(folder: Path, *, root: Path, depth: int) -> Iterator[Found | Skipped]:
    if depth > _DEEPEST:
        yield Skipped(path=folder, reason=f"it lies more than {_DEEPEST} folders deep")
        return
    try:
        with os.scandir(folder) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
    except OSError as error:
        yield Skipped(path=folder, reason=f"the folder cannot be read: {error.strerror}")
        return
    for entry in entries:
        path = folder / entry.name
        if reason := _unfit_name(entry.name):
            yield Skipped(path=path, reason=reason)
        elif entry.is_dir(follow_symlinks=False):
            yield from _below(path, root=root, depth=depth + 1)
        else:
            yield _judge(path, root=root)


def _unfit_name(name: str) -> str:
    if name.startswith("."):
        return "it is hidden"
    try:
        name.encode()
    except UnicodeEncodeError:
        return "its name is not UTF-8"
    return ""


def _judge(path: Path, *, root: Path) -> Found | Skipped:
    try:
        status = path.lstat()
    except OSError as error:
        return Skipped(path=path, reason=f"it cannot be looked at: {error.strerror}")
    if stat.S_ISLNK(status.st_mode):
        return Skipped(path=path, reason=_link_reason(path, root))
    if not stat.S_ISREG(status.st_mode):
        return Skipped(path=path, reason=f"it is {_kind(status.st_mode)}, not a file")
    if not os.access(path, os.R_OK):
        return Skipped(path=path, reason="it may not be read")
    return Found(path=path, size=status.st_size)


def _link_reason(path: Path, root: Path) -> str:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):  # before Python 3.13 a loop is the latter
        return "it is a link that leads nowhere"
    return LINK_INSIDE if target.is_relative_to(root) else "it is a link to outside the folder"


def _kind(mode: int) -> str:
    kinds = (
        (stat.S_ISFIFO, "a pipe"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISCHR, "a device"),
        (stat.S_ISBLK, "a device"),
    )
    return next((words for test, words in kinds if test(mode)), "something else")
