"""The commands `waymark add` and `remove`: one's own documents."""

from typing import Annotated

import typer

from rag.cli.output import print_line
from rag.cli.store import AsJson, Home, build
from rag.errors import DocumentError, SourcesSkipped
from rag.settings import load_settings


def add(
    sources: Annotated[
        list[str], typer.Argument(help="Files, folders with all that is in them, and URLs of pages.")
    ],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Add your own documents to the index: PDF, HTML, Markdown, reStructuredText, notebooks, Word, text.

    A page is fetched and frozen now; add it again to look for a newer version. Nothing else fetches it.
    """
    from ingest.additions import add_items
    from ingest.fetch.network import Network
    from rag.cli.progress import progress_bars

    settings = load_settings({"home": home}).settings
    network = Network(allow_loopback=settings.fetch_allow_loopback)
    with progress_bars() as progress:
        added = add_items(settings.home, sources, network=network, progress=progress)
    if added.failed and not added.items:
        (url, why), *_ = added.failed
        raise DocumentError(
            f"{url} was not added: {why}", hint="Save the page and add the file, or try again later."
        )
    for url, visit in () if as_json else added.visits:
        print_line(f"{url}: {visit.outcome.replace('_', ' ')}{f' ({visit.reason})' if visit.reason else ''}")
    build(settings, say=True, as_json=as_json)
    if added.failed:
        told = "; ".join(f"{url} ({why})" for url, why in added.failed)
        raise SourcesSkipped(f"Not fetched: {told}; the others are indexed.")


def remove(
    sources: Annotated[list[str], typer.Argument(help="Files, folders and URLs as they were added.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take your own documents out of the index; files, and what was frozen of pages, stay where they are."""
    from ingest.additions import remove_items

    settings = load_settings({"home": home}).settings
    remove_items(settings.home, sources)
    build(settings, say=True, as_json=as_json)
