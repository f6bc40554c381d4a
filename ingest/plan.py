"""What an indexing run would do, worked out before anything is loaded.

Pure: what was found on one side, what the present generation holds on the other. Freshness is the content hash, never
the clock. A file that was skipped before and has not changed is skipped again without being read.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.index.manifest import SkippedSource, SourceEntry


class Change(StrEnum):
    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    SKIPPED = "skipped"
    DUPLICATE = "duplicate"  # the same bytes as another source, which stands for both


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A source that could be indexed. `sha256` is of its bytes; `also_at` are other paths and URLs of the same."""

    path: str
    sha256: str
    size_bytes: int
    also_at: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One source and what becomes of it. `reason` says why it is skipped, or what it is a duplicate of."""

    path: str
    change: Change
    reason: str = ""


def make_plan(
    found: Sequence[Found],
    refused: Sequence[SkippedSource],
    *,
    indexed: Sequence[SourceEntry],
    skipped_before: Sequence[SkippedSource],
) -> tuple[Planned, ...]:
    """Every source with its change, by path.

    Args:
        refused: what was not even read: too large, no file, unsupported.
        indexed, skipped_before: what the present generation holds; empty if all must be rebuilt.
    """
    known = {entry.path: entry.content_sha256 for entry in indexed}
    unreadable = {(skipped.path, skipped.content_sha256): skipped.reason for skipped in skipped_before}
    planned = [
        Planned(path=skipped.path, change=Change.SKIPPED, reason=skipped.reason) for skipped in refused
    ]
    for source in found:
        reason = unreadable.get((source.path, source.sha256))
        if reason is not None:
            places = (source.path, *source.also_at)
            planned += [Planned(path=place, change=Change.SKIPPED, reason=reason) for place in places]
            continue
        if source.path not in known:
            planned.append(Planned(path=source.path, change=Change.ADDED))
        else:
            same = known[source.path] == source.sha256
            planned.append(Planned(path=source.path, change=Change.UNCHANGED if same else Change.CHANGED))
        planned += _duplicates(source.path, source.also_at)
    wanted = {one.path for one in planned}
    planned += [Planned(path=path, change=Change.REMOVED) for path in known if path not in wanted]
    return tuple(sorted(planned, key=lambda one: one.path))


def duplicates(indexed: Sequence[SourceEntry]) -> tuple[Planned, ...]:
    """The duplicates that a generation knows of."""
    return tuple(one for entry in indexed for one in _duplicates(entry.path, entry.also_at))


def _duplicates(path: str, also_at: Sequence[str]) -> list[Planned]:
    reason = f"the same bytes as {path}"
    return [Planned(path=other, change=Change.DUPLICATE, reason=reason) for other in also_at]
