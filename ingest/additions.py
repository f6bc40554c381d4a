"""What a person adds and takes away: files and folders as they lie, pages fetched and frozen.

Changes the library and the snapshots, never the index; that is brought up to date afterwards. A page is fetched when
it is added and when it is added again, at no other time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from ingest.fetch.classify import READABLE, Outcome
from ingest.fetch.fetcher import Options, Progress, fetch_pages
from ingest.fetch.network import Network
from ingest.fetch.snapshots import Snapshots, Visit
from ingest.library import item_of, read_library, write_library
from rag.errors import AddressRefused, DocumentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Additions:
    """What was added: items as the library names them, and of the pages among them how the visit went.

    `failed` are pages that were not added, or not refreshed, with the reason.
    """

    items: tuple[str, ...]
    visits: tuple[tuple[str, Visit], ...]
    failed: tuple[tuple[str, str], ...]


def add_items(
    home: Path,
    arguments: Sequence[str],
    *,
    network: Network,
    options: Options | None = None,
    progress: Progress = lambda step, done, total: None,
) -> Additions:
    """Add files, folders, URLs, and what matches a pattern (`docs/**/*.md`) to the library.

    Raises:
        DocumentError: a file or folder is not there; nothing was added.
        AddressRefused: a URL, or one that it leads to, is not to be fetched; nothing was added.
        Offline, IndexLocked, StorageError: no page could be fetched; nothing was added.
    """
    items = [item_of(place) for argument in arguments for place in _places(argument)]
    urls = [item for item in items if "://" in item]
    snapshots = Snapshots(home)
    visits: list[tuple[str, Visit]] = []
    if urls:
        report = fetch_pages(urls, snapshots=snapshots, network=network, options=options, progress=progress)
        visits = [(target.url, visit) for target, visit in report.visits]
    if refused := [visit for _, visit in visits if visit.outcome is Outcome.REFUSED]:
        raise AddressRefused(f"{refused[0].reason}.")
    came = {url: visit for url, visit in visits if visit.outcome in READABLE}
    failed = [(url, _why(dict(visits).get(url))) for url in dict.fromkeys(urls) if url not in came]
    library = read_library(home)
    added = [item for item in items if "://" not in item or item in came]
    write_library(home, library.with_items(*added))
    return Additions(items=tuple(added), visits=tuple(visits), failed=tuple(failed))


def _places(argument: str) -> list[str]:
    """A URL or path as it is; what matches a pattern where the shell left that to us.

    Raises:
        DocumentError: there is nothing.
    """
    if not argument.strip():
        raise DocumentError("An empty name is no document", hint="Is a variable of your shell unset?")
    if "://" in argument or Path(argument).expanduser().exists():
        return [argument]
    pattern = str(Path(argument).expanduser())
    if found := sorted(glob(pattern, recursive=True)):  # noqa: PTH207 (it may be absolute)
        return found
    raise DocumentError(f"{argument} does not exist", hint="Check the path.")


def remove_items(home: Path, arguments: Sequence[str]) -> None:
    """Take files, folders and URLs off the library; files and snapshots stay where they are.

    Raises:
        DocumentError: one of them was not added as such; nothing was removed.
    """
    library = read_library(home)
    items = [item_of(argument) for argument in arguments]
    for argument, item in zip(arguments, items, strict=True):
        if item not in library.items:
            listed = ", ".join(library.items) or "nothing"
            raise DocumentError(f"{argument} was not added as such", hint=f"Added so far: {listed}.")
    write_library(home, library.without(*items))


def _why(visit: Visit | None) -> str:
    if visit is None:
        return "there was no time to fetch it"
    outcome = visit.outcome.replace("_", " ")
    return f"{outcome}: {visit.reason}" if visit.reason else outcome
