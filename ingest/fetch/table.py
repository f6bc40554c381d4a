"""The table of works and what is known of each: for people as lines, for programs as plain data. Pure."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from ingest.fetch.snapshots import Record
from ingest.fetch.targets import Target, url_of
from rag.schema import Work

NEVER = "not fetched"
_TITLE = 48  # characters shown
_HEAD = ("n", "title", "host", "outcome", "date", "size", "snapshots")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One work. Date, outcome and reason are those of the last visit, size and hash those of the newest snapshot."""

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
    same_as: tuple[int, ...]  # other works of the same page


def rows_of(works: Iterable[Work], records: Mapping[str, Record]) -> tuple[Row, ...]:
    """One row per work, in their order. `records` by URL without fragment; a missing one was never fetched."""
    works = tuple(works)
    citing: dict[str, list[int]] = {}
    for work in works:
        citing.setdefault(url_of(work), []).append(work.number)
    return tuple(_row(work, records.get(url_of(work)), citing[url_of(work)]) for work in works)


def as_data(rows: Iterable[Row]) -> list[dict[str, object]]:
    """For JSON."""
    return [asdict(row) | {"same_as": list(row.same_as)} for row in rows]


def as_lines(rows: Iterable[Row]) -> list[str]:
    """Aligned columns under a head, then a line of totals."""
    rows = tuple(rows)
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in cells]
    counts = Counter(row.outcome for row in rows)
    totals = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
    return [*(line.rstrip() for line in lines), "", f"{len(rows)} works: {totals or 'none'}"]


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
        same_as=tuple(number for number in citing if number != work.number),
    )


def _cells(row: Row) -> tuple[str, ...]:
    title = row.title if len(row.title) <= _TITLE else row.title[: _TITLE - 1] + "…"
    size = "" if row.size_bytes is None else f"{row.size_bytes / 1000:.0f} kB"
    outcome = f"{row.outcome} ({row.reason})" if row.reason and len(row.reason) <= 40 else row.outcome
    return str(row.n), title, row.host, outcome.replace("_", " "), row.date[:10], size, str(row.snapshots)
