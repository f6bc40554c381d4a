"""Everything that is wanted in the index: the roadmap, the works cited that were fetched, and what a person added.

Looks at disks and hashes bytes; parses nothing but the roadmap's list of works. A source is named by its path or URL,
the roadmap by a name of its own wherever its file lies. The same bytes in several places are one source. What cannot
be taken is passed on with its reason, never dropped; a work that was never fetched is simply not there.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.fetch.kind import page_type
from ingest.fetch.snapshots import Snapshots
from ingest.library import Library
from ingest.loaders import ROADMAP
from ingest.loaders.detect import named_type, not_read
from ingest.loaders.roadmap import load_roadmap
from ingest.loaders.walk import LINK_INSIDE, Skipped, find_files
from ingest.plan import Found
from rag.errors import StorageError
from rag.index.manifest import SkippedSource
from rag.works import page_url

ROADMAP_PATH = "corpus/roadmap.txt"
MOST_BYTES = 50 * 1024 * 1024  # of one source


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A source and how to get at its bytes. `media_type` is None where its name tells it."""

    found: Found
    read: Callable[[], bytes]
    media_type: str | None = None


def gather(
    library: Library, *, roadmap: Path, snapshots: Snapshots
) -> tuple[tuple[Wanted, ...], tuple[SkippedSource, ...]]:
    """All sources by path, each once, and what cannot be taken.

    Raises:
        DocumentError: the roadmap cannot be read.
    """
    wanted = {ROADMAP_PATH: _from_file(roadmap, name=ROADMAP_PATH, media_type=ROADMAP)}
    refused: dict[str, SkippedSource] = {}
    for one in (*_cited(roadmap, snapshots), *_added(library, snapshots)):
        if isinstance(one, Wanted):
            wanted.setdefault(one.found.path, one)
        else:
            refused.setdefault(one.path, one)
    ordered = sorted(_once(wanted.values()), key=lambda one: one.found.path)
    return tuple(ordered), tuple(refused[path] for path in sorted(refused) if path not in wanted)


def _cited(roadmap: Path, snapshots: Snapshots) -> Iterator[Wanted | SkippedSource]:
    """The works cited of which there is a readable snapshot."""
    if not snapshots.folder.is_dir():
        return
    works = load_roadmap(roadmap.read_bytes(), path=ROADMAP_PATH).works
    for url in sorted({page_url(work.url) for work in works}):
        one = _from_snapshot(url, snapshots)
        if one is not None:
            yield one


def _added(library: Library, snapshots: Snapshots) -> Iterator[Wanted | SkippedSource]:
    for item in library.items:
        if "://" in item:
            page = _from_snapshot(item, snapshots)
            yield page or SkippedSource(path=item, reason="the page was not fetched; add it again")
        else:
            yield from _below(Path(item))


def _below(root: Path) -> Iterator[Wanted | SkippedSource]:
    if not root.exists():
        yield SkippedSource(path=root.as_posix(), reason="it is not there any more")
        return
    for one in find_files(root):
        path = one.path.as_posix()
        if isinstance(one, Skipped):
            yield SkippedSource(path=path, reason=one.reason)
        elif not named_type(path):  # its bytes are not even hashed
            yield SkippedSource(path=path, reason=not_read(path))
        elif one.size > MOST_BYTES:
            yield SkippedSource(path=path, reason=f"{one.size:,} bytes; at most {MOST_BYTES:,} are read")
        else:
            yield _taken(one.path)


def is_passed_over(skipped: SkippedSource, library: Library) -> bool:
    """Whether it only lies in an added folder and was not meant: hidden, or a link to what is read anyway."""
    if skipped.path in library.items or "://" in skipped.path:
        return False
    return Path(skipped.path).name.startswith(".") or skipped.reason == LINK_INSIDE


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


def _from_snapshot(url: str, snapshots: Snapshots) -> Wanted | SkippedSource | None:
    """The newest readable snapshot of a page; None if there never was one."""
    try:
        visit = snapshots.read(url).last_readable()
    except StorageError as error:
        return SkippedSource(path=url, reason=str(error))
    if visit is None:
        return None
    path = snapshots.path(url, visit.sha256)
    if path is None:
        return SkippedSource(path=url, reason="its snapshot is missing or damaged; fetch it again")
    return Wanted(
        found=Found(path=url, sha256=visit.sha256, size_bytes=visit.size_bytes),
        read=path.read_bytes,
        media_type=page_type(path, url=visit.url, content_type=visit.content_type),
    )


def _once(wanted: Iterable[Wanted]) -> list[Wanted]:
    """The same bytes, read in the same way, are one source: the first of them, which knows where the others are."""
    places: dict[tuple[str, str], list[Wanted]] = {}
    roadmap = ""
    for one in wanted:
        sha = one.found.sha256
        roadmap = roadmap or sha  # it comes first; a copy of it is no document of its own, whatever its name
        kind = "" if sha == roadmap else one.media_type or named_type(one.found.path)
        places.setdefault((sha, kind), []).append(one)
    return [
        replace(first, found=replace(first.found, also_at=tuple(sorted(one.found.path for one in others))))
        for first, *others in places.values()
    ]
