"""From works to URLs: several works may cite the same page, and it is fetched once. Pure."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

import httpx

from rag.errors import SettingsError
from rag.schema import Work
from rag.works import page_url


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One URL and the works that cite it."""

    url: str  # without fragment
    numbers: tuple[int, ...]

    @property
    def host(self) -> str:
        """Its host name; "" if the URL is none."""
        try:
            return httpx.URL(self.url).host
        except (httpx.InvalidURL, UnicodeError, ValueError):
            return ""


def targets_of(works: Iterable[Work], only: Collection[int] = ()) -> tuple[Target, ...]:
    """The URLs to fetch, each once, in the order of the works. `only` picks works by number.

    Raises:
        SettingsError: `only` names a number that no work has.
    """
    numbers: dict[str, list[int]] = {}
    for work in works:
        numbers.setdefault(url_of(work), []).append(work.number)
    unknown = sorted(set(only) - {number for cited in numbers.values() for number in cited})
    if unknown:
        raise SettingsError(
            f"There is no work number {unknown[0]} in the list of works cited.",
            hint="`waymark sources` lists them.",
        )
    wanted = ((url, cited) for url, cited in numbers.items() if not only or set(cited) & set(only))
    return tuple(Target(url=url, numbers=tuple(cited)) for url, cited in wanted if url)


def url_of(work: Work) -> str:
    """The URL that is fetched for a work: fragments are for browsers."""
    return page_url(work.url)
