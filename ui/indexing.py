"""The jobs that change what is indexed: functions of the settings that report progress and outcomes. Knows no page."""

from collections.abc import Sequence
from pathlib import PurePath

from ingest.additions import add_items, remove_items
from ingest.fetch.classify import READABLE
from ingest.fetch.fetcher import fetch_works
from ingest.fetch.network import Network
from ingest.fetch.snapshots import Snapshots
from ingest.fetch.supply import supply_bytes, this_person
from ingest.fetch.targets import targets_of
from ingest.gather import is_passed_over
from ingest.library import read_library
from ingest.overview import cited_works
from ingest.pipeline import index_corpus
from rag.embed import open_embedder
from rag.index.generations import Generations
from rag.settings import Settings
from ui.jobs import Outcome, Progress
from ui.uploads import drop_upload


def index(settings: Settings, progress: Progress) -> tuple[Outcome, ...]:
    """Bring the index up to date.

    Raises:
        IndexLocked, StorageError, EmbedderError, DocumentError: nothing changed.
    """
    progress("open", 0, 0)
    embedder = open_embedder(settings.embedder, home=settings.home)
    report = index_corpus(settings.home, embedder=embedder, progress=progress)
    library = read_library(settings.home)
    failed = {one.path: one.reason for one in report.skipped if not is_passed_over(one, library)}
    changed = [one for one in report.plan if one.change in ("added", "changed", "removed")]
    return (
        *(
            Outcome(name=short_name(one.path), good=True, what=str(one.change))
            for one in changed
            if one.path not in failed
        ),
        *(Outcome(name=short_name(path), good=False, what=reason) for path, reason in failed.items()),
    )


def add(settings: Settings, arguments: Sequence[str], progress: Progress) -> tuple[Outcome, ...]:
    """Add files, folders and URLs, and index them.

    Raises:
        DocumentError, AddressRefused, Offline: nothing was added.
    """
    network = Network(allow_loopback=settings.fetch_allow_loopback)
    added = add_items(
        settings.home,
        arguments,
        network=network,
        progress=lambda step, done, total: progress("fetch", done, total),
    )
    not_added = tuple(Outcome(name=url, good=False, what=reason) for url, reason in added.failed)
    return (*not_added, *index(settings, progress))


def remove(settings: Settings, item: str, progress: Progress) -> tuple[Outcome, ...]:
    """Take something off the library and out of the index; a file that was dropped on the page is deleted."""
    remove_items(settings.home, [item])
    outcomes = index(settings, progress)
    drop_upload(settings.home, item)
    return outcomes


def fetch_cited(settings: Settings, progress: Progress) -> tuple[Outcome, ...]:
    """Fetch the works cited and index what came.

    Raises:
        Offline: no host could be reached.
    """
    report = fetch_works(
        cited_works(),
        snapshots=Snapshots(settings.home),
        network=Network(allow_loopback=settings.fetch_allow_loopback),
        progress=lambda step, done, total: progress("fetch", done, total),
    )
    visited = tuple(
        Outcome(
            name=target.url,
            good=visit.outcome in READABLE,
            what=f"{visit.outcome.replace('_', ' ')}{f': {visit.reason}' if visit.reason else ''}",
        )
        for target, visit in report.visits
    )
    return (*visited, *index(settings, progress))


def supply(
    settings: Settings, number: int, name: str, data: bytes, progress: Progress
) -> tuple[Outcome, ...]:
    """Take a file for a work cited that cannot be fetched, and index it.

    Raises:
        DocumentError: the file is of a kind that is not read; nothing changed.
    """
    progress("fetch", 0, 1)
    (target,) = targets_of(cited_works(), {number})
    visit = supply_bytes(target.url, name, data, snapshots=Snapshots(settings.home), by=this_person())
    outcomes = index(settings, progress)
    unread = [one for one in outcomes if one.name == target.url and not one.good]
    supplied = Outcome(name=target.url, good=not unread, what=f"supplied ({visit.reason})")
    return (supplied, *(one for one in outcomes if one.name != target.url or not one.good))


def roll_back(settings: Settings, generation_id: str, progress: Progress) -> tuple[Outcome, ...]:
    """Let an earlier generation serve."""
    progress("write", 0, 1)
    serving = Generations(settings.home).rollback(generation_id)
    return (Outcome(name=serving, good=True, what="serves now"),)


def short_name(path: str) -> str:
    """How a source is called in a list: a URL as it is, a file by its name.

    >>> short_name("docs/notes.md"), short_name("https://a.example/b")
    ('notes.md', 'https://a.example/b')
    """
    return path if "://" in path else PurePath(path).name
