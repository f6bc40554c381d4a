import threading
import time

import httpx
import pytest

from ingest.fetch.network import Failure, FetchFailed, Response
from ingest.fetch.robots import Robots, RobotsRules, RobotsUnavailable, parse_robots


def _rules(*lines: str) -> Robots:
    return parse_robots("\n".join(("User-agent: *", *lines)).encode())


@pytest.mark.parametrize(
    ("lines", "target", "allowed"),
    [
        ((), "/a", True),
        (("Disallow:",), "/a", True),
        (("Disallow: /",), "/a", False),
        (("Disallow: /a",), "/abc", False),
        (("Disallow: /a",), "/b/a", True),
        (("Disallow: /", "Allow: /a"), "/a/b", True),  # the longer rule, wherever it stands
        (("Allow: /a", "Disallow: /a/private"), "/a/private/x", False),
        (("Disallow: /a", "Allow: /a"), "/a", True),  # a tie
        (("Disallow: /*?",), "/a?b=c", False),
        (("Disallow: /*?",), "/a", True),
        (("Disallow: /*.pdf$",), "/a/b.pdf", False),
        (("Disallow: /*.pdf$",), "/a/b.pdf?c", True),
        (("Disallow: /a$",), "/a", False),
        (("Disallow: /a$",), "/ab", True),
        (("Disallow: /*a*b*c",), "/xaybzc", False),
        (("Disallow: /*a*b*c",), "/xbyazc", True),
        (("disallow : /a # why",), "/a", False),
        (("Disallow: /%7Eann/",), "/~ann/x", False),
        (("Disallow: /ü",), "/%C3%BC", False),
        (("Disallow: /a%2fb",), "/a%2Fb", False),
        (("Disallow: /a%2fb",), "/a/b", True),
    ],
)
def test_the_longest_rule_that_fits_decides(lines: tuple[str, ...], target: str, allowed: bool) -> None:
    assert _rules(*lines).allows(target) == allowed


def test_a_group_of_our_own_counts_instead_of_the_one_for_everyone() -> None:
    text = b"""User-agent: *
Disallow: /

User-agent: otherbot
User-agent: WAYMARK/2
Disallow: /private
Crawl-delay: 2.5

User-agent: waymark
Disallow: /also
"""
    robots = parse_robots(text)
    assert [robots.allows(path) for path in ("/", "/private", "/also")] == [True, False, False]
    assert robots.pause_s == 2.5
    assert not parse_robots(text, product="somebody").allows("/")


def test_a_delay_is_bounded_and_nonsense_is_no_delay() -> None:
    assert _rules("Crawl-delay: 86400").pause_s == 10
    assert _rules("Crawl-delay: soon").pause_s == 0


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xfe\x00", b"<!doctype html><title>404</title>", b"Disallow: /\n" * 5]
)
def test_what_is_no_rules_for_us_allows_everything(data: bytes) -> None:
    assert parse_robots(data).allows("/a")


def test_hostile_rules_are_read_and_matched_in_no_time() -> None:
    began = time.monotonic()
    rules = parse_robots(
        b"User-agent: *\nDisallow: /" + b"*a" * 200_000 + b"b\n" + b"Disallow: /*x$\n" * 30_000
    )
    rules.allows("/" + "a" * 2000)
    assert time.monotonic() - began < 3


URL = httpx.URL("https://site.example/a?b")


def _answer(status: int, body: bytes = b"User-agent: *\nDisallow: /") -> Response:
    return Response(status=status, url="https://site.example/robots.txt", headers={}, body=body)


@pytest.mark.parametrize(("status", "allowed"), [(200, False), (404, True), (403, True), (410, True)])
def test_absent_rules_allow_everything(status: int, allowed: bool) -> None:
    assert RobotsRules(lambda url: _answer(status)).of(URL).allows("/a") == allowed


def test_failing_rules_allow_nothing_and_are_asked_for_once() -> None:
    asked = []

    def fetch(url: str) -> Response:
        asked.append(url)
        if len(asked) == 1:
            return _answer(503)
        raise FetchFailed("No connection.", why=Failure.UNREACHABLE)

    rules = RobotsRules(fetch)
    for url, why in (
        (URL, Failure.UNUSABLE),
        (URL, Failure.UNUSABLE),
        (httpx.URL("http://b.example:81/"), Failure.UNREACHABLE),
    ):
        with pytest.raises(RobotsUnavailable) as caught:
            rules.of(url)
        assert caught.value.why is why
    assert asked == ["https://site.example/robots.txt", "http://b.example:81/robots.txt"]


def test_threads_that_ask_together_fetch_the_rules_once() -> None:
    asked = []

    def fetch(url: str) -> Response:
        asked.append(url)
        time.sleep(0.05)
        return _answer(404)

    rules = RobotsRules(fetch)
    threads = [threading.Thread(target=rules.of, args=(URL,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asked) == 1
