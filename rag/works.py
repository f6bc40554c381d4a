"""Which indexed sources stand for which works cited. Pure but for the index's own rows.

A work and a source belong together where the work's URL is the source's path, or one of the other places at which the
same bytes were found. Nothing is kept about it anywhere: a new fetch or a supplied file changes it by itself.
"""

from collections.abc import Iterable, Mapping

from rag.index.manifest import SourceEntry
from rag.index.reader import Index
from rag.schema import Work


def page_url(url: str) -> str:
    """The URL that is fetched: without its fragment, which is for browsers."""
    return url.split("#", maxsplit=1)[0]


def indexed_works(index: Index) -> dict[int, str]:
    """Number of a work that the roadmap cites → id of the source that stands for it; unindexed works are not in it."""
    works = [work for source_id in index.titles for work in index.outline(source_id).works]
    return {number: entry.source_id for number, entry in sources_of(works, index.manifest.sources).items()}


def sources_of(works: Iterable[Work], sources: Iterable[SourceEntry]) -> Mapping[int, SourceEntry]:
    """Number of a work → the source that stands for it."""
    by_place = {place: entry for entry in sources for place in (entry.path, *entry.also_at)}
    return {work.number: by_place[url] for work in works if (url := page_url(work.url)) in by_place}
