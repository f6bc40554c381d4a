"""One's own documents from a program: what `waymark add`, `remove` and `index` do, as functions.

from ingest.documents import add_documents

report = add_documents(["notes/", "paper.pdf"])
print(report.n_documents, [skipped.reason for skipped in report.skipped])
"""

from collections.abc import Sequence
from pathlib import Path

from ingest.additions import add_items, remove_items
from ingest.fetch.network import Network
from ingest.pipeline import IndexReport, index_corpus
from rag.embed import open_embedder
from rag.errors import DocumentError
from rag.settings import Settings, load_settings


def add_documents(sources: Sequence[str | Path], *, settings: Settings | None = None) -> IndexReport:
    """Add files, folders and URLs, and index them. An assistant that is open keeps the index that it opened.

    Raises:
        DocumentError: a file is not there, or a page could not be fetched; nothing was indexed.
        AddressRefused, Offline, IndexLocked, StorageError: nothing was added.
    """
    settings = settings or load_settings().settings
    network = Network(allow_loopback=settings.fetch_allow_loopback)
    added = add_items(settings.home, list(map(str, sources)), network=network)
    for url, why in added.failed:
        raise DocumentError(f"{url} was not added: {why}", hint="Save the page and add the file.")
    return update_index(settings=settings)


def remove_documents(sources: Sequence[str | Path], *, settings: Settings | None = None) -> IndexReport:
    """Take out of the index what was added under these names; the files stay where they are.

    Raises:
        DocumentError: one of them was not added as such; nothing was removed.
        IndexLocked, StorageError: nothing can be written.
    """
    settings = settings or load_settings().settings
    remove_items(settings.home, list(map(str, sources)))
    return update_index(settings=settings)


def update_index(*, settings: Settings | None = None) -> IndexReport:
    """Build the index or bring it up to date. What could not be read stands in the report.

    Raises:
        DocumentError, EmbedderError, IndexLocked, StorageError: what served before still serves.
    """
    settings = settings or load_settings().settings
    embedder = open_embedder(settings.embedder, home=settings.home)
    return index_corpus(settings.home, embedder=embedder)
