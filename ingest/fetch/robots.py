"""What a site's robots.txt lets us fetch, by RFC 9309.

`urllib.robotparser` takes the first rule that fits and reads `*` and `$` as letters; the RFC asks for the longest
rule and for both wildcards, and sites rely on them. Absent (any 4xx): everything is allowed. Failing (5xx, no
answer): nothing is, until it answers.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote

import httpx

from ingest.fetch.network import PRODUCT, Failure, FetchFailed, Response

MOST_BYTES = 512 * 1024  # read; the RFC asks for at least 500 KiB
MOST_PAUSE_S = 10.0  # of a Crawl-delay

_LINE = re.compile(r"\s*([A-Za-z-]+)\s*:\s*([^#]*)")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_UNRESERVED = frozenset(b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~")
_ASCII = "".join(map(chr, range(0x21, 0x7F)))


class RobotsUnavailable(FetchFailed):
    """The site's robots.txt cannot be read now, so nothing of the site is fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    pattern: str  # normal form; "*" and a final "$" are wildcards
    allow: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Robots:
    """The rules for us on one site."""

    rules: tuple[Rule, ...] = ()
    pause_s: float = 0.0

    def allows(self, target: str) -> bool:
        """Whether a path with its query may be fetched: the longest rule that fits decides, allow on a tie."""
        path = _normal(target)
        fitting = [rule for rule in self.rules if _fits(rule.pattern, path)]
        best = max(fitting, key=lambda rule: (len(rule.pattern), rule.allow), default=None)
        return best is None or best.allow


def parse_robots(data: bytes, *, product: str = PRODUCT) -> Robots:
    """The rules of all groups that name `product`, or of those for everyone if none does."""
    text = data[:MOST_BYTES].decode("utf-8-sig", errors="replace")
    rules: dict[str, list[Rule]] = {}
    pauses: dict[str, float] = {}
    agents: list[str] = []
    in_rules = True
    for match in filter(None, map(_LINE.match, text.splitlines())):
        name, value = match[1].lower(), match[2].strip()
        if name == "user-agent":
            agents = [*([] if in_rules else agents), value.split("/")[0].lower()]
            rules.setdefault(agents[-1], [])
            in_rules = False
        elif name in ("allow", "disallow"):
            in_rules = True
            if value:
                for agent in agents:
                    rules[agent].append(Rule(pattern=_normal(value), allow=name == "allow"))
        elif name == "crawl-delay" and re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value):
            pauses |= dict.fromkeys(agents, min(float(value), MOST_PAUSE_S))
    agent = product.lower() if product.lower() in rules else "*"
    return Robots(rules=tuple(rules.get(agent, ())), pause_s=pauses.get(agent, 0.0))


class RobotsRules:
    """The rules of every site asked about, each fetched once per run. `fetch` gets a URL, retries included."""

    def __init__(self, fetch: Callable[[str], Response]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._known: dict[str, Robots | RobotsUnavailable] = {}

    def of(self, url: httpx.URL) -> Robots:
        """The rules of the URL's site.

        Raises:
            RobotsUnavailable: they cannot be read now.
        """
        site = f"{url.scheme}://{url.netloc.decode('ascii')}"
        with self._lock:
            lock = self._locks.setdefault(site, threading.Lock())
        with lock:
            if site not in self._known:
                self._known[site] = self._read(site)
            known = self._known[site]
        if isinstance(known, RobotsUnavailable):
            raise RobotsUnavailable(str(known), why=known.why)
        return known

    def _read(self, site: str) -> Robots | RobotsUnavailable:
        try:
            answer = self._fetch(f"{site}/robots.txt")
        except FetchFailed as error:
            return RobotsUnavailable(f"{site}/robots.txt: {error}", why=error.why)
        if answer.status >= 500:
            return RobotsUnavailable(f"{site}/robots.txt answers {answer.status}.", why=Failure.UNUSABLE)
        return parse_robots(answer.body) if 200 <= answer.status < 300 else Robots()


def _normal(pattern: str) -> str:
    """One spelling per path: letters and digits bare, everything that is not ASCII escaped."""

    def bare(match: re.Match[str]) -> str:
        code = int(match[1], 16)
        return chr(code) if code in _UNRESERVED else f"%{code:02X}"

    return _ESCAPE.sub(bare, quote(pattern, safe=_ASCII))


def _fits(pattern: str, path: str) -> bool:
    """Whether the pattern fits the beginning of the path, or all of it if it ends in "$"."""
    whole = pattern.endswith("$")
    first, *others = pattern.removesuffix("$").split("*")
    if not path.startswith(first):
        return False
    if not others:
        return not whole or path == first
    at = len(first)
    for part in others[:-1]:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return path.endswith(others[-1], at) if whole else path.find(others[-1], at) >= 0
