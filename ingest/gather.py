"""Everything that is wanted in the index: the roadmap, what a person added, and what was fetched.

Looks at disks and hashes bytes; parses nothing. A source is named by its path or URL, the roadmap by a name of its
own wherever its file lies. What cannot be taken is passed on with its reason, never dropped.
"""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ingest.library import Library
from ingest.loaders import ROADMAP
from ingest.loaders.walk import Skipped, find_files
from ingest.plan import Found
from rag.index.manifest import SkippedSource

ROADMAP_PATH = "corpus/roadmap.txt"
MOST_BYTES = 50 * 1024 * 1024  # of one source


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A source and how to get at its bytes. `media_type` is None where its name tells it."""

    found: Found
    read: Callable[[], bytes]
    media_type: str | None = None


def gather(library: Library, *, roadmap: Path) -> tuple[tuple[Wanted, ...], tuple[SkippedSource, ...]]:
    """All sources by path, each once, and what cannot be taken."""
    wanted = {ROADMAP_PATH: _from_file(roadmap, name=ROADMAP_PATH, media_type=ROADMAP)}
    refused: dict[str, SkippedSource] = {}
    for item in library.items:
        for one in _of_item(item):
            if isinstance(one, Wanted):
                wanted.setdefault(one.found.path, one)
            else:
                refused.setdefault(one.path, one)
    ordered = tuple(wanted[path] for path in sorted(wanted))
    return ordered, tuple(refused[path] for path in sorted(refused) if path not in wanted)


def _of_item(item: str) -> Iterator[Wanted | SkippedSource]:
    if "://" in item:
        yield SkippedSource(path=item, reason="pages are not fetched in this version")
        return
    root = Path(item)
    if not root.exists():
        yield SkippedSource(path=item, reason="it is not there any more")
        return
    for one in find_files(root):
        path = one.path.as_posix()
        if isinstance(one, Skipped):
            yield SkippedSource(path=path, reason=one.reason)
        elif one.size > MOST_BYTES:
            yield SkippedSource(path=path, reason=f"{one.size:,} bytes; at most {MOST_BYTES:,} are read")
        else:
            yield _taken(one.path)


def _taken(path: Path) -> Wanted | SkippedSource:
    try:
        return _from_file(path, name=path.as_posix())
    except OSError as error:
        return SkippedSource(path=path.as_posix(), reason=f"it cannot be read: {error.strerror}")


def _from_file(path: Path, *, name: str, media_type: str | None = None) -> Wanted:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = file.tell()
    return Wanted(
        found=Found(path=name, sha256=digest, size_bytes=size), read=path.read_bytes, media_type=media_type
    )
