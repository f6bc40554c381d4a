"""Files given by hand for works that cannot be fetched."""

import json
from pathlib import Path
from typing import Any

import pytest

from ingest.fetch.classify import Outcome
from ingest.fetch.fetcher import Options, fetch_works
from ingest.fetch.network import Network
from ingest.fetch.snapshots import Snapshots
from ingest.fetch.supply import supply
from ingest.fetch.visit import Patience
from ingest.gather import gather
from ingest.library import Library
from ingest.overview import cited_works
from rag.bundled import roadmap_path
from rag.errors import DocumentError
from rag.schema import Span, Work
from rag.works import page_url

URL = "https://a.example/paper"


def test_a_supplied_file_is_a_snapshot_that_says_who_gave_what(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "paper.md"
    file.write_bytes(b"# A paper\n\nWhat it says.\n")
    snapshots = Snapshots(home)
    visit = supply(URL, file, snapshots=snapshots, by="Ada")
    assert (visit.outcome, visit.reason) == (Outcome.SUPPLIED, "paper.md, given by Ada")
    assert (visit.content_type, visit.url) == ("text/markdown", URL)
    assert snapshots.read(URL).last_readable() == visit
    assert snapshots.body(URL, visit.sha256) == file.read_bytes()


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.svelte", b"x"), ("a.md", b""), ("a.pdf", b"\x89PNG\r\n\x1a\n"), ("absent.md", None)],
)
def test_what_could_not_be_indexed_is_refused_and_freezes_nothing(
    name: str, content: bytes | None, home: Path, tmp_path: Path
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(DocumentError):
        supply(URL, tmp_path / name, snapshots=Snapshots(home), by="Ada")
    assert Snapshots(home).read(URL).visits == ()


@pytest.mark.slow
def test_fetching_leaves_a_supplied_work_alone_unless_asked_for_by_number(
    home: Path, tmp_path: Path, site: Any, page: Any, text_page: Any
) -> None:
    url = site.put("a.localhost", "/x", page(body=text_page("Fetched")))
    file = tmp_path / "x.md"
    file.write_text("Supplied.")
    supply(url, file, snapshots=Snapshots(home), by="Ada")
    works = [Work(number=1, title="W", url=url, text_fragment=None, accessed=None, span=Span(start=0, end=1))]
    network = Network(allow_loopback=True, resolver=lambda host, port: ["127.0.0.1"])
    patience = Patience(retries=0)

    def run(*only: int) -> tuple[int, int]:
        options = Options(only=only, pause_s=0.0, patience=patience)
        report = fetch_works(works, snapshots=Snapshots(home), network=network, options=options)
        return len(report.visits), len(report.supplied)

    assert run() == (0, 1)
    assert site.pages_asked_for() == {}
    assert run(1) == (1, 0)
    assert [visit.outcome for visit in Snapshots(home).read(url).visits] == [
        Outcome.SUPPLIED,
        Outcome.CHANGED,
    ]
    assert run() == (1, 0)


@pytest.mark.shared
def test_the_stand_ins_of_the_evaluation_data_can_be_supplied(home: Path, shared: Path) -> None:
    works = {work.number: work for work in cited_works()}
    snapshots = Snapshots(home)
    given: dict[str, bytes] = {}
    for entry in json.loads((shared / "sources/manifest.json").read_text()):
        file = shared / "sources" / entry["path"]
        if file.suffix == ".svelte":
            continue
        for number in entry["stands_for"]:
            url = page_url(works[number].url)
            supply(url, file, snapshots=snapshots, by="Ada")
            given[url] = file.read_bytes()
    wanted, refused = gather(Library(), roadmap=roadmap_path(), snapshots=snapshots)
    assert not refused
    held = {url: one for one in wanted for url in (one.found.path, *one.found.also_at)}
    assert {url: held[url].read() for url in given} == given
    assert len(given) > 50
