"""Whole runs against a real server: the 75 works, each usual accident once, twice over."""

import gzip
import json
import mimetypes
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import chain, repeat
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ingest.fetch.classify import Outcome
from ingest.fetch.fetcher import Options, fetch_works
from ingest.fetch.snapshots import Snapshots
from ingest.fetch.targets import targets_of
from rag.errors import IndexLocked, SettingsError
from rag.schema import Work
from tests.ingest.fetch.fetching import QUICK, by_number, network, run, work

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
CITED = ROOT / "tests/data/works_cited.json"
DUPLICATES = ((6, 7), (8, 9), (31, 33))
# Works that nothing stands for, or whose page is an accident here; and what comes of each.
ACCIDENTS = {
    35: Outcome.GONE,  # 404
    65: Outcome.FAILED,  # 500, for ever
    66: Outcome.OK,  # 429 with Retry-After, then the page
    67: Outcome.FAILED,  # redirects in a circle
    68: Outcome.EMPTY,
    69: Outcome.FAILED,  # gzip bomb
    70: Outcome.WALL,  # cookies
    71: Outcome.FAILED,  # a body without end
    73: Outcome.OK,  # slow
    75: Outcome.BLOCKED,  # robots.txt
}


def moved(url: str) -> tuple[str, str]:
    """Host and path under which the site serves a cited URL."""
    parts = urlsplit(url)
    return f"{parts.hostname}.localhost", (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def cited(site: Any) -> list[Work]:
    return [work(entry["n"], site.url(*moved(entry["url"]))) for entry in json.loads(CITED.read_text())]


def stand_ins(shared: Path) -> dict[int, Path]:
    found: dict[int, Path] = {}
    for entry in json.loads((shared / "sources/manifest.json").read_text()):
        for number in entry["stands_for"]:
            found.setdefault(number, shared / "sources" / entry["path"])
    return found


def _drip(n_bytes: int, delay_s: float) -> Iterator[bytes]:
    for _ in range(n_bytes):
        yield b"x"
        time.sleep(delay_s)


@pytest.fixture
def works(site: Any, page: Any, text_page: Callable[..., bytes], shared: Path) -> list[Work]:
    """The 75 works on the site: stand-ins for the most, accidents for the others."""
    found = cited(site)
    places = {w.number: (urlsplit(w.url).hostname, w.url.split(f":{site.port}", 1)[1]) for w in found}
    files = stand_ins(shared)
    for number, place in places.items():
        if number in files and number not in ACCIDENTS:
            kind = mimetypes.guess_type(files[number].name)[0] or "text/plain"
            data = files[number].read_bytes()
            headers = (
                {"etag": f'"{number}"'},
                {"last-modified": f"Mon, 01 Jan 2024 00:00:{number:02} GMT"},
                {},
            )
            site.put(*place, page(body=data, content_type=kind, headers=headers[number % 3]))
    ok = page(body=text_page("A page"))
    site.put(*places[65], page(status=500))
    site.put(*places[66], page(status=429, headers={"Retry-After": "1"}), ok)
    site.put(*places[67], page(status=302, headers={"Location": places[67][1]}))
    site.put(*places[68], page(body=b"<title>Topics</title><div id=app></div><script>x</script>"))
    site.put(
        *places[69], page(body=gzip.compress(bytes(64 * 2**20), 1), headers={"Content-Encoding": "gzip"})
    )
    wall = b"<title>Before you go on</title>We and our partners use cookies. <button>Accept all</button>"
    site.put(*places[70], page(body=wall))
    site.put(*places[71], page(parts=lambda: _drip(10_000, 0.05)))
    site.put(*places[73], page(content_type="text/plain", parts=lambda: _drip(300, 0.002)))
    rules = b"User-agent: *\nAllow: /robots\nDisallow: /r/*/comments/\n"
    site.put(places[75][0], "/robots.txt", page(body=rules, content_type="text/plain"))
    site.put(*places[75], ok)
    return found


def bodies(home: Path) -> list[Path]:
    return sorted(home.glob("sources/*/*.bin"))


def test_a_run_over_all_works_ends_and_tells_each_one_apart(
    works: list[Work], site: Any, home: Path, shared: Path
) -> None:
    seen: list[tuple[str, int, int]] = []
    began = time.monotonic()
    gentle = replace(QUICK, pause_s=0.05)  # the server counts a request until it has noticed that it is over
    report = run(home, works, gentle, progress=lambda *step: seen.append(step))
    assert time.monotonic() - began < 30
    visits = by_number(report)
    assert sorted(visits) == list(range(1, 76))
    assert report.pending == ()
    expected = dict.fromkeys(range(1, 76), Outcome.OK) | ACCIDENTS
    assert {number: visit.outcome for number, visit in visits.items()} == expected
    assert all(visit.reason for visit in visits.values() if visit.outcome is not Outcome.OK)
    assert seen == [("fetch", n, 72) for n in range(1, 73)]

    asked = site.pages_asked_for()
    for pair in DUPLICATES:
        assert len({visits[n].sha256 for n in pair}) == 1
        assert asked[moved(_url_of(pair[0]))] == 1
    assert asked[moved(_url_of(65))] == 3  # retried
    assert asked[moved(_url_of(66))] == 2
    assert asked[moved(_url_of(75))] == 0  # robots.txt says no
    endless = moved(_url_of(71))[0]  # goes on for a moment after the client has hung up
    assert {host for host, n in site.most_at_once.items() if n > 1} <= {endless}
    assert site.most_hosts_at_once > 1

    snapshots = Snapshots(home)
    for number, path in stand_ins(shared).items():  # raw bytes
        url = next(w.url for w in works if w.number == number)
        if number not in {*ACCIDENTS, *chain(*DUPLICATES)}:
            assert snapshots.body(url, visits[number].sha256) == path.read_bytes()
            assert visits[number].url == url
    assert any(visit.content_type == "application/pdf" for visit in visits.values())
    assert not (home / "sources/unfinished.json").exists()


def _url_of(number: int) -> str:
    return next(entry["url"] for entry in json.loads(CITED.read_text()) if entry["n"] == number)


def test_a_second_run_transfers_and_writes_nothing_that_is_unchanged(
    works: list[Work], site: Any, home: Path
) -> None:
    some = [w for w in works if w.number not in ACCIDENTS]
    first = by_number(run(home, some))
    before = {path: path.stat().st_mtime_ns for path in bodies(home)}
    site.sent.clear()
    again = run(home, some)
    second = by_number(again)
    assert {path: path.stat().st_mtime_ns for path in bodies(home)} == before
    for number, visit in second.items():
        assert (visit.outcome, visit.sha256) == (Outcome.OK, first[number].sha256)
        has_validator = bool(first[number].etag or first[number].last_modified)
        assert visit.status == (304 if has_validator else 200)
        assert (site.sent[moved(_url_of(number))] == 0) == has_validator
    assert {visit.status for visit in second.values()} == {200, 304}
    assert again.unchanged == len(again.visits)
    assert again.not_sent == sum(visit.status == 304 for _, visit in again.visits)
    third = by_number(run(home, some))
    assert {n: v.sha256 for n, v in third.items()} == {n: v.sha256 for n, v in first.items()}


def test_a_page_that_changed_keeps_its_older_snapshots(
    site: Any, page: Any, text_page: Callable[..., bytes], home: Path
) -> None:
    versions = [text_page("First"), text_page("First") + b"<script nonce=1></script>", text_page("Second")]
    answers = [page(body=body, headers={"etag": f'"{n}"'}) for n, body in enumerate(versions)]
    url = site.put(
        "a.localhost", "/p", *answers, page(status=404), page(body=versions[2]), page(body=versions[0])
    )
    outcomes = [by_number(run(home, [work(1, url)]))[1].outcome for _ in range(6)]
    assert outcomes == [Outcome.OK, Outcome.OK, Outcome.CHANGED, Outcome.GONE, Outcome.OK, Outcome.CHANGED]
    snapshots = Snapshots(home)
    record = snapshots.read(url)
    assert [visit.outcome for visit in record.visits] == outcomes
    assert [snapshots.body(url, sha) for sha in record.snapshots()] == [versions[0], versions[2]]
    assert record.visits[1].sha256 == record.visits[0].sha256  # only the nonce changed


def test_a_damaged_snapshot_is_fetched_again(
    site: Any, page: Any, text_page: Callable[..., bytes], home: Path
) -> None:
    body = text_page("Page")
    url = site.put("a.localhost", "/", page(body=body, headers={"etag": '"1"'}))
    run(home, [work(1, url)])
    bodies(home)[0].write_bytes(b"damaged")
    assert by_number(run(home, [work(1, url)]))[1].status == 200
    assert [path.read_bytes() for path in bodies(home)] == [body]


def test_only_some_works_and_unknown_numbers(
    site: Any, page: Any, text_page: Callable[..., bytes], home: Path
) -> None:
    urls = [site.put("a.localhost", f"/{n}", page(body=text_page(f"Page {n}"))) for n in range(3)]
    works = [work(n, url) for n, url in enumerate([*urls, f"{urls[1]}#part"], start=1)]
    report = run(home, works, Options(only={4}, pause_s=0.0))
    assert [target.numbers for target, _ in report.visits] == [(2, 4)]
    with pytest.raises(SettingsError, match="number 9"):
        run(home, works, Options(only={9}))
    assert [target.numbers for target in targets_of(works)] == [(1,), (2, 4), (3,)]


def test_a_pause_lies_between_two_requests_to_one_host(site: Any, page: Any, home: Path) -> None:
    site.put(
        "a.localhost", "/robots.txt", page(body=b"User-agent: *\nCrawl-delay: 0.3", content_type="text/plain")
    )
    works = [work(n, site.url("a.localhost", f"/{n}")) for n in range(3)]
    began = time.monotonic()
    run(home, works, Options(pause_s=0.1))
    assert 0.7 < time.monotonic() - began < 5  # the robots, then three pages: 0.1 and twice 0.3


def test_redirects_obey_the_other_hosts_rules_and_turn(
    site: Any, page: Any, text_page: Any, home: Path
) -> None:
    site.delay_s = 0.05
    site.put(
        "b.localhost", "/robots.txt", page(body=b"User-agent: *\nDisallow: /no", content_type="text/plain")
    )
    works = []
    for n in range(6):
        place = "/no" if n == 0 else f"/yes/{n}"
        site.put("b.localhost", place, page(body=text_page("Target")))
        location = {"Location": site.url("b.localhost", place)}
        works.append(work(n, site.put(f"a{n}.localhost", "/", page(status=301, headers=location))))
    visits = by_number(run(home, works))
    assert visits[0].outcome is Outcome.BLOCKED
    assert {visits[n].outcome for n in range(1, 6)} == {Outcome.OK}
    assert visits[1].url == site.url("b.localhost", "/yes/1")
    assert site.requests["b.localhost", "/robots.txt"] == 1
    assert site.requests["b.localhost", "/no"] == 0
    assert site.most_at_once["b.localhost"] == 1


def test_a_host_that_asks_for_too_much_patience_is_left_alone(site: Any, page: Any, home: Path) -> None:
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600))
    works = [
        work(n, site.put(f"a{n}.localhost", "/", page(status=429, headers={"Retry-After": value})))
        for n, value in enumerate(["3600", later, "9" * 400, "soon"])
    ]
    visits = by_number(run(home, works))
    assert {visit.outcome for visit in visits.values()} == {Outcome.BLOCKED}
    assert [site.requests[f"a{n}.localhost", "/"] for n in range(4)] == [1, 1, 1, 3]


def test_what_may_not_be_fetched_is_refused_and_the_others_go_on(
    site: Any, page: Any, text_page: Any, home: Path
) -> None:
    good = site.put("a.localhost", "/", page(body=text_page("Page")))
    bad = site.put("b.localhost", "/", page(status=302, headers={"Location": "http://169.254.169.254/"}))
    works = [work(n, url) for n, url in enumerate(["file:///etc/passwd", "http://10.0.0.1/", bad, good])]
    visits = by_number(run(home, works))
    assert [visits[n].outcome for n in range(4)] == [*repeat(Outcome.REFUSED, 3), Outcome.OK]


def test_robots_that_fail_stop_the_site_and_are_tried_again_by_the_next_run(
    site: Any, page: Any, text_page: Any, home: Path
) -> None:
    url = site.put("a.localhost", "/", page(body=text_page("Page")))
    site.put("a.localhost", "/robots.txt", *repeat(page(status=503), 3), page(status=404))
    assert by_number(run(home, [work(1, url)]))[1].outcome is Outcome.FAILED
    assert site.requests["a.localhost", "/"] == 0
    assert by_number(run(home, [work(1, url)]))[1].outcome is Outcome.OK


def test_a_run_ends_at_its_deadline_and_the_next_goes_on(
    site: Any, page: Any, text_page: Any, home: Path
) -> None:
    urls = [site.put("a.localhost", f"/{n}", page(body=text_page(f"Page {n}"))) for n in range(6)]
    works = [work(n, url) for n, url in enumerate(urls, start=1)]
    began = time.monotonic()
    report = run(home, works, Options(pause_s=0.4, deadline_s=1.0))
    assert time.monotonic() - began < 2.5
    assert report.visits
    assert report.pending
    later = run(home, works)
    left = [target.numbers[0] for target in report.pending]
    assert [target.numbers[0] for target in later.resumed] + left == [1, 2, 3, 4, 5, 6]
    assert sorted(by_number(later)) == left
    assert set(site.pages_asked_for().values()) == {1}
    assert run(home, works).resumed == ()  # the run is complete: the next is a new one


def test_one_run_at_a_time(home: Path) -> None:
    with Snapshots(home).writing(), pytest.raises(IndexLocked):
        run(home, [work(1, "http://a.localhost/")])


def test_a_fault_in_a_thread_reaches_the_caller(site: Any, home: Path) -> None:
    def broken(host: str, port: int) -> list[str]:
        raise KeyError(host)

    with pytest.raises(KeyError):
        fetch_works(
            [work(1, site.url("a.localhost"))],
            snapshots=Snapshots(home),
            network=network(resolver=broken),
            options=QUICK,
        )
