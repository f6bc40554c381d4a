"""From sources to a new generation of the index: gather, plan, load what is new, chunk, embed, commit.

The effects of ingest in one place; what it calls is pure but for disks and the embedder. An unchanged corpus is
recognised by content hashes before anything is loaded, chunked or embedded, and then nothing is written. Unchanged
documents keep their rows. One bad source never stops a run: it is skipped, with its reason in the manifest.
"""

import hashlib
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.chunking import CHUNKER_VERSION, ChunkLimits
from ingest.fetch.snapshots import Snapshots
from ingest.gather import ROADMAP_PATH, Wanted, gather
from ingest.generation import NewGeneration
from ingest.library import read_library
from ingest.loaders.confined import ConfinedLoader
from ingest.plan import Change, Planned, duplicates, make_plan
from ingest.vectors import Progress
from rag import __version__
from rag.bundled import roadmap_path
from rag.embed import Embedder
from rag.errors import DocumentError, IndexCorrupt, IndexMismatch, IndexMissing
from rag.index.generations import Generations, Opened
from rag.index.manifest import ChunkerSpec, Draft, SkippedSource


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexReport:
    """What an indexing run did."""

    generation_id: str
    changed: bool  # a new generation was written
    n_documents: int
    n_chunks: int
    n_embedded: int  # passages whose vectors had to be computed
    seconds: float
    plan: tuple[Planned, ...]
    skipped: tuple[SkippedSource, ...]


def index_corpus(
    home: Path,
    *,
    embedder: Embedder,
    limits: ChunkLimits | None = None,
    progress: Progress = lambda step, done, total: None,
    roadmap: Path | None = None,
) -> IndexReport:
    """Bring the index up to date with its sources.

    Args:
        limits: sizes of chunks; never more than the embedder reads.
        roadmap: another file in the place of the bundled roadmap.

    Raises:
        DocumentError: the roadmap cannot be read, or there is no text in any source.
        IndexLocked, StorageError: nothing can be written; what served before still serves.
    """
    began = time.monotonic()
    limits = _within_window(limits or ChunkLimits(), embedder)
    chunker = _chunker(limits)
    generations = Generations(home)
    current = _current(generations, embedder, chunker)
    wanted, refused = gather(read_library(home), roadmap=roadmap or roadmap_path(), snapshots=Snapshots(home))
    plan = _plan(wanted, refused, current)
    if current is not None and _is_settled(plan, current):
        return _unchanged(current, plan, seconds=time.monotonic() - began)
    with ExitStack() as held:
        writer = held.enter_context(generations.writer())
        scratch = held.enter_context(writer.scratch())
        making = held.enter_context(NewGeneration(scratch, current, embedder=embedder, limits=limits))
        with ConfinedLoader() as loader:
            failed = _take_all(making, plan, wanted, loader=loader, progress=progress)
        if not making.sources:
            raise DocumentError("There is no text to index.")
        n_embedded = making.embed(home, progress=progress)
        progress("write", 0, 1)
        draft = Draft(
            built_by=__version__,
            embedder=embedder.spec,
            chunker=chunker,
            counts=making.counts,
            sources=making.sources,
            skipped=tuple(sorted((*refused, *failed), key=lambda one: one.path)),
        )
        generation_id = writer.commit(making.files(), draft)
        progress("write", 1, 1)
    return IndexReport(
        generation_id=generation_id,
        changed=True,
        n_documents=draft.counts.documents,
        n_chunks=draft.counts.chunks,
        n_embedded=n_embedded,
        seconds=time.monotonic() - began,
        plan=plan,
        skipped=draft.skipped,
    )


def plan_corpus(
    home: Path, *, embedder: Embedder, limits: ChunkLimits | None = None, roadmap: Path | None = None
) -> tuple[Planned, ...]:
    """What `index_corpus` would do; loads, embeds and writes nothing. Files that were never loaded may still fail."""
    chunker = _chunker(_within_window(limits or ChunkLimits(), embedder))
    wanted, refused = gather(read_library(home), roadmap=roadmap or roadmap_path(), snapshots=Snapshots(home))
    return _plan(wanted, refused, _current(Generations(home), embedder, chunker))


def _chunker(limits: ChunkLimits) -> ChunkerSpec:
    return ChunkerSpec(
        name="section-sentences",
        version=CHUNKER_VERSION,
        target_tokens=limits.target_tokens,
        max_tokens=limits.max_tokens,
    )


def _within_window(limits: ChunkLimits, embedder: Embedder) -> ChunkLimits:
    return replace(limits, max_tokens=min(limits.max_tokens, embedder.spec.max_tokens))


def _current(generations: Generations, embedder: Embedder, chunker: ChunkerSpec) -> Opened | None:
    """The generation that serves, if its rows can be used again: whole, by the same embedder and chunker."""
    try:
        opened = generations.open_current()
    except (IndexMissing, IndexCorrupt, IndexMismatch):
        return None
    same = opened.manifest.embedder == embedder.spec and opened.manifest.chunker == chunker
    return opened if same and not opened.warnings else None


def _plan(
    wanted: Sequence[Wanted], refused: Sequence[SkippedSource], current: Opened | None
) -> tuple[Planned, ...]:
    return make_plan(
        [one.found for one in wanted],
        refused,
        indexed=current.manifest.sources if current else (),
        # another version may read what this one could not
        skipped_before=current.manifest.skipped
        if current and current.manifest.built_by == __version__
        else (),
    )


def _is_settled(plan: Sequence[Planned], current: Opened) -> bool:
    """Nothing to add, change or remove, and nothing skipped that was not skipped before."""
    if any(one.change in (Change.ADDED, Change.CHANGED, Change.REMOVED) for one in plan):
        return False
    if {one for one in plan if one.change is Change.DUPLICATE} != set(duplicates(current.manifest.sources)):
        return False
    skipped = {(one.path, one.reason) for one in plan if one.change is Change.SKIPPED}
    return skipped == {(one.path, one.reason) for one in current.manifest.skipped}


def _unchanged(current: Opened, plan: tuple[Planned, ...], *, seconds: float) -> IndexReport:
    manifest = current.manifest
    return IndexReport(
        generation_id=manifest.generation_id,
        changed=False,
        n_documents=manifest.counts.documents,
        n_chunks=manifest.counts.chunks,
        n_embedded=0,
        seconds=seconds,
        plan=plan,
        skipped=manifest.skipped,
    )


def _take_all(
    making: NewGeneration,
    plan: Sequence[Planned],
    wanted: Sequence[Wanted],
    *,
    loader: ConfinedLoader,
    progress: Progress,
) -> list[SkippedSource]:
    """Unchanged documents from the rows that serve, the others from their bytes; what fails, with its reason."""
    changes = {one.path: one for one in plan}
    failed: list[SkippedSource] = []
    for done, one in enumerate(wanted):
        planned, is_roadmap = changes[one.found.path], one.found.path == ROADMAP_PATH
        progress("load", done, len(wanted))
        data: bytes | None = None
        try:
            if planned.change is Change.SKIPPED:
                failed += _skipped(one, planned.reason, sha256=one.found.sha256)
            elif planned.change is Change.UNCHANGED:
                making.copy(one.found, is_roadmap=is_roadmap)
            else:
                data = one.read()
                document = loader.load(data, path=one.found.path, media_type=one.media_type)
                making.add(document, is_roadmap=is_roadmap, also_at=one.found.also_at)
        except (DocumentError, OSError) as error:
            if is_roadmap:
                raise
            # Of the bytes that were read: they may be others than those found. What could not be read is tried again.
            sha256 = "" if data is None else hashlib.sha256(data).hexdigest()
            failed += _skipped(one, getattr(error, "reason", "") or str(error), sha256=sha256)
    progress("load", len(wanted), len(wanted))
    return failed


def _skipped(one: Wanted, reason: str, *, sha256: str) -> list[SkippedSource]:
    """The source, and every other place of the same bytes."""
    places = (one.found.path, *one.found.also_at)
    return [SkippedSource(path=place, reason=reason, content_sha256=sha256) for place in places]
