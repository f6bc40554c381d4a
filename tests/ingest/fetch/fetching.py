"""A run of the fetcher against a server on this machine, without the patience that strangers deserve."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from ingest.fetch.fetcher import FetchReport, Options, fetch_works
from ingest.fetch.network import Network
from ingest.fetch.snapshots import Snapshots, Visit
from ingest.fetch.visit import Patience
from rag.schema import Span, Work

QUICK = Options(pause_s=0.0, patience=Patience(retries=2, backoff_s=0.05, most_wait_s=2), deadline_s=60)


def to_loopback(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def network(**kwargs: Any) -> Network:
    return Network(allow_loopback=True, **({"resolver": to_loopback, "fetch_s": 2.0} | kwargs))


def run(home: Path, works: Iterable[Work], options: Options = QUICK, **kwargs: Any) -> FetchReport:
    return fetch_works(works, snapshots=Snapshots(home), network=network(), options=options, **kwargs)


def by_number(report: FetchReport) -> dict[int, Visit]:
    return {number: visit for target, visit in report.visits for number in target.numbers}


def work(number: int, url: str) -> Work:
    return Work(
        number=number,
        title=f"Work {number}",
        url=url,
        text_fragment=None,
        accessed=None,
        span=Span(start=0, end=1),
    )
