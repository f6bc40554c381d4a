"""What a person sees of a data folder's sources: a row for each work cited, and one for each document of their own.

Reads the roadmap, the library, the snapshots and the manifest of the generation that serves; changes nothing, opens
no vectors and no embedder, and works before anything was fetched or indexed.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ingest.fetch.snapshots import Snapshots
from ingest.fetch.table import Row, rows_of
from ingest.fetch.targets import targets_of
from ingest.gather import ROADMAP_PATH
from ingest.library import read_library
from ingest.loaders.roadmap import load_roadmap
from rag.bundled import roadmap_path
from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.generations import Generations
from rag.index.manifest import Manifest, SourceEntry
from rag.schema import Work
from rag.works import sources_of

NOT_YET = "not indexed yet; run `waymark index`"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRow:
    """One document of one's own, or one that was wanted and is not indexed; then `skipped` says why."""

    path: str  # or URL
    title: str  # "" if it is not indexed
    item: str  # what was added: the file or page itself, or a folder above it
    indexed: bool
    source_id: str | None
    media_type: str
    size_bytes: int
    chunks: int
    pages: int
    also_at: tuple[str, ...]  # copies of the same bytes
    date: str  # ISO, UTC: when a page was fetched; "" for files
    skipped: str


def cited_works() -> tuple[Work, ...]:
    """The works that the bundled roadmap cites."""
    path = roadmap_path()
    return _works_in(path.read_bytes(), path.name)


@lru_cache(maxsize=1)
def _works_in(data: bytes, name: str) -> tuple[Work, ...]:
    """Kept for whoever asks again: a page does at each drawing, and reading the roadmap takes 20 ms."""
    return load_roadmap(data, path=name).works


def work_rows(home: Path) -> tuple[Row, ...]:
    """One row for each work cited.

    Raises:
        StorageError: the record of a page is damaged.
    """
    works, snapshots, manifest = cited_works(), Snapshots(home), _manifest(home)
    records = {target.url: snapshots.read(target.url) for target in targets_of(works)}
    if manifest is None:
        return rows_of(works, records)
    return rows_of(works, records, sources=manifest.sources, skipped=manifest.skipped)


def roadmap_row(home: Path) -> OwnRow | None:
    """The row of the roadmap itself, which nobody added and nobody removes; None before it is indexed."""
    manifest = _manifest(home)
    entries = [entry for entry in manifest.sources if entry.path == ROADMAP_PATH] if manifest else []
    return _indexed(entries[0], item="", date="") if entries else None


def own_rows(home: Path) -> tuple[OwnRow, ...]:
    """One row for each document of one's own that is indexed or was skipped, by path; of added things that were never
    looked at, one row each.

    Raises:
        StorageError: the library or the record of a page is damaged.
    """
    items, manifest, snapshots = read_library(home).items, _manifest(home), Snapshots(home)
    sources, skipped = (manifest.sources, manifest.skipped) if manifest else ((), ())
    cited = {entry.path for entry in sources_of(cited_works(), sources).values()}
    rows = [
        _indexed(entry, item=_item(entry.path, items), date=_date(entry.path, snapshots))
        for entry in sources
        if entry.path != ROADMAP_PATH and (entry.path not in cited or entry.path in items)
    ]
    reasons = {one.path: one.reason for one in skipped if _item(one.path, items)}
    known = {row.item for row in rows} | {_item(path, items) for path in reasons}
    reasons |= {item: NOT_YET for item in items if item not in known}
    rows += [_left_out(path, reason, _item(path, items)) for path, reason in reasons.items()]
    return tuple(sorted(rows, key=lambda row: row.path))


def _indexed(entry: SourceEntry, *, item: str, date: str) -> OwnRow:
    return OwnRow(
        path=entry.path,
        title=entry.title,
        item=item,
        indexed=True,
        source_id=entry.source_id,
        media_type=entry.media_type,
        size_bytes=entry.size_bytes,
        chunks=entry.n_chunks,
        pages=entry.n_pages,
        also_at=entry.also_at,
        date=date,
        skipped="",
    )


def _left_out(path: str, reason: str, item: str) -> OwnRow:
    return OwnRow(
        path=path,
        title="",
        item=item,
        indexed=False,
        source_id=None,
        media_type="",
        size_bytes=0,
        chunks=0,
        pages=0,
        also_at=(),
        date="",
        skipped=reason,
    )


def _item(path: str, items: tuple[str, ...]) -> str:
    """The added thing that brings a path in; "" if none does any more."""
    above = [item for item in items if path == item or path.startswith(item.rstrip("/") + "/")]
    return max(above, key=len, default="")


def _date(path: str, snapshots: Snapshots) -> str:
    kept = snapshots.read(path).last_readable() if "://" in path else None
    return kept.at if kept else ""


def _manifest(home: Path) -> Manifest | None:
    try:
        return Generations(home).open_current().manifest
    except (IndexMissing, IndexMismatch, IndexCorrupt):
        return None
