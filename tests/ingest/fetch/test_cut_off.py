"""Runs of the fetcher that are killed, or have no network."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from ingest.fetch.classify import READABLE, Outcome
from ingest.fetch.fetcher import Options, fetch_works
from ingest.fetch.snapshots import Snapshots
from rag.errors import Offline
from tests.ingest.fetch.fetching import QUICK, by_number, network, run, to_loopback, work

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def _unknown(host: str, port: int) -> list[str]:
    raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")


def _refusing(host: str, port: int) -> list[str]:
    raise ConnectionRefusedError


@pytest.mark.parametrize("resolver", [_unknown, _refusing, lambda host, port: [str(time.sleep(5))]])
@pytest.mark.parametrize("n_hosts", [1, 39])
def test_without_a_network_a_run_says_so_within_five_seconds(
    resolver: Callable[[str, int], list[str]], n_hosts: int, home: Path
) -> None:
    works = [work(n, f"https://host{n}.example/") for n in range(n_hosts)]
    began = time.monotonic()
    with pytest.raises(Offline) as caught:
        fetch_works(works, snapshots=Snapshots(home), network=network(resolver=resolver, fetch_s=30))
    assert time.monotonic() - began < 5
    assert (caught.value.exit_code, bool(caught.value.hint)) == (23, True)
    assert not list(home.glob("sources/*/*"))  # nothing is taken for gone


def test_one_dead_host_among_others_is_not_offline(site: Any, page: Any, text_page: Any, home: Path) -> None:
    url = site.put("a.localhost", "/", page(body=text_page("Page")))

    def resolver(host: str, port: int) -> list[str]:
        return to_loopback(host, port) if host == "a.localhost" else _unknown(host, port)

    works = [work(n, f"http://dead{n}.example/") for n in range(3)] + [work(3, url)]
    report = fetch_works(works, snapshots=Snapshots(home), network=network(resolver=resolver), options=QUICK)
    visits = by_number(report)
    assert [visits[n].outcome for n in range(4)] == [*repeat(Outcome.FAILED, 3), Outcome.OK]


@pytest.mark.parametrize("kill_after", [1, 9, 20])
def test_a_run_killed_is_taken_up_where_it_was(
    kill_after: int, site: Any, page: Any, text_page: Any, home: Path
) -> None:
    hosts = defaultdict(list)
    for n in range(1, 31):
        url = site.put(f"a{n % 5}.localhost", f"/{n}", page(body=text_page(f"Page {n}")))
        hosts[n] = [work(n, url)]
    works = [w for group in hosts.values() for w in group]
    command = [sys.executable, __file__, str(home), *(w.url for w in works)]
    environ = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) as child:
        assert child.stdout is not None
        for _ in range(kill_after):
            assert child.stdout.readline() == "visited\n"
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=20)

    snapshots = Snapshots(home)
    done = {w.number for w in works if (last := snapshots.read(w.url).last()) and last.outcome in READABLE}
    assert len(done) >= kill_after
    asked_before = site.pages_asked_for()
    report = run(home, works)
    assert {t.numbers[0] for t in report.resumed} == done
    assert set(by_number(report)) == {w.number for w in works} - done
    asked = site.pages_asked_for() - asked_before
    assert sum(asked.values()) == len(works) - len(done)
    for w in works:
        record = snapshots.read(w.url)
        assert [visit.outcome for visit in record.visits] == [Outcome.OK]
        assert snapshots.body(w.url, record.visits[0].sha256) == text_page(f"Page {w.number}")
    assert not list(home.glob("sources/*/*.tmp"))
    assert Counter(len(list(folder.glob("*.bin"))) for folder in home.glob("sources/*/")) == {1: 30}


def _child(home: Path, urls: list[str]) -> None:
    """What is killed: a slow run that says each visit as it is frozen."""
    assert threading.active_count() == 1
    run(
        home,
        [work(n, url) for n, url in enumerate(urls, start=1)],
        Options(pause_s=0.05, workers=3),
        progress=lambda *step: (sys.stdout.write("visited\n"), sys.stdout.flush()),
    )


if __name__ == "__main__":
    _child(Path(sys.argv[1]), sys.argv[2:])
