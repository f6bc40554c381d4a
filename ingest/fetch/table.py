"""The table of works and what is known of each: what was fetched of it and what of that is indexed. Pure.

For people as lines, for programs as plain data.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace

from ingest.fetch.snapshots import Record
from ingest.fetch.targets import Target, url_of
from rag.index.manifest import SkippedSource, SourceEntry
from rag.schema import Work
from rag.works import sources_of

NEVER = "not fetched"
_TITLE = 48  # characters shown
_HEAD = ("n", "title", "host", "outcome", "date", "size", "snapshots", "indexed")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One work. Date, outcome and reason are those of the last visit; what is about the newest readable snapshot has
    no value where there is none, and what is about the index none where that snapshot's page is not indexed.
    """

    n: int
    title: str
    url: str
    host: str
    outcome: str  # or NEVER
    reason: str
    date: str  # ISO, UTC; "" if never visited
    final_url: str
    content_type: str
    size_bytes: int | None
    sha256: str | None
    snapshots: int
    snapshot_outcome: str  # of the newest readable one: ok, changed or supplied; "" if there is none
    snapshot_date: str
    same_as: tuple[int, ...]  # other works of the same page
    indexed: bool
    source_id: str | None
    chunks: int
    pages: int  # 0 where the source has none
    skipped: str  # why it is not indexed although there is a snapshot; "" if it is, or was not tried


def rows_of(
    works: Iterable[Work],
    records: Mapping[str, Record],
    *,
    sources: Iterable[SourceEntry] = (),
    skipped: Iterable[SkippedSource] = (),
) -> tuple[Row, ...]:
    """One row per work, in their order.

    Args:
        records: by URL without fragment; a missing one was never fetched.
        sources, skipped: of the generation that serves.
    """
    works = tuple(works)
    citing: dict[str, list[int]] = {}
    for work in works:
        citing.setdefault(url_of(work), []).append(work.number)
    indexed = sources_of(works, sources)
    reasons = {one.path: one.reason for one in skipped}
    rows = (_row(work, records.get(url_of(work)), citing[url_of(work)]) for work in works)
    return tuple(
        _with_index(row, indexed.get(row.n), reasons.get(url_of(work), ""))
        for work, row in zip(works, rows, strict=True)
    )


def as_data(rows: Iterable[Row]) -> list[dict[str, object]]:
    """For JSON."""
    return [asdict(row) | {"same_as": list(row.same_as)} for row in rows]


def as_lines(rows: Iterable[Row]) -> list[str]:
    """Aligned columns under a head, then why some are fetched and not indexed, then a line of totals."""
    rows = tuple(rows)
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    counts = Counter(row.outcome for row in rows)
    totals = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    n_indexed = sum(row.indexed for row in rows)
    return [
        *(line.rstrip() for line in lines),
        "",
        *(f"{row.n} is fetched and not indexed: {row.skipped}" for row in rows if row.skipped),
        f"{len(rows)} works: {totals or 'none'}; {n_indexed} indexed",
    ]


def _row(work: Work, record: Record | None, citing: list[int]) -> Row:
    last = record.last() if record else None
    kept = record.last_readable() if record else None
    return Row(
        n=work.number,
        title=work.title,
        url=work.url,
        host=Target(url=url_of(work), numbers=()).host,
        outcome=last.outcome.value if last else NEVER,
        reason=last.reason if last else "",
        date=last.at if last else "",
        final_url=last.url if last else "",
        content_type=kept.content_type if kept else "",
        size_bytes=kept.size_bytes if kept else None,
        sha256=kept.sha256 if kept else None,
        snapshots=len(record.snapshots()) if record else 0,
        snapshot_outcome=kept.outcome.value if kept else "",
        snapshot_date=kept.at if kept else "",
        same_as=tuple(number for number in citing if number != work.number),
        indexed=False,
        source_id=None,
        chunks=0,
        pages=0,
        skipped="",
    )


def _with_index(row: Row, entry: SourceEntry | None, skipped: str) -> Row:
    if entry is None:
        return replace(row, skipped=skipped)
    return replace(row, indexed=True, source_id=entry.source_id, chunks=entry.n_chunks, pages=entry.n_pages)


def _cells(row: Row) -> tuple[str, ...]:
    title = row.title if len(row.title) <= _TITLE else row.title[: _TITLE - 1] + "…"
    size = "" if row.size_bytes is None else f"{row.size_bytes / 1000:.0f} kB"
    outcome = f"{row.outcome} ({row.reason})" if row.reason and len(row.reason) <= 40 else row.outcome
    pages = f", {row.pages} pages" if row.pages else ""
    indexed = f"{row.chunks} chunks{pages}" if row.indexed else row.skipped[:40]
    shown = outcome.replace("_", " ")
    return str(row.n), title, row.host, shown, row.date[:10], size, str(row.snapshots), indexed
