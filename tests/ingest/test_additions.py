"""Files, folders and pages that a person adds and takes away, against a real server."""

from pathlib import Path
from typing import Any

import pytest

from ingest.additions import Additions, add_items, remove_items
from ingest.fetch.fetcher import Options
from ingest.fetch.network import Network
from ingest.fetch.snapshots import Snapshots
from ingest.fetch.visit import Patience
from ingest.library import read_library
from rag.errors import AddressRefused, DocumentError, Offline

pytestmark = pytest.mark.slow

QUICK = Options(pause_s=0.0, patience=Patience(retries=0), deadline_s=30)


def _network(**kwargs: Any) -> Network:
    return Network(allow_loopback=True, resolver=lambda host, port: ["127.0.0.1"], fetch_s=2.0, **kwargs)


def _add(home: Path, *arguments: object) -> Additions:
    return add_items(home, list(map(str, arguments)), network=_network(), options=QUICK)


def test_pages_are_frozen_and_files_kept_by_their_path(
    home: Path, tmp_path: Path, site: Any, page: Any, text_page: Any
) -> None:
    url = site.put("a.localhost", "/x", page(body=text_page("Page")))
    note = tmp_path / "note.md"
    note.write_text("Text.")
    added = _add(home, f"{url}#part", note)
    assert read_library(home).items == tuple(sorted([note.as_posix(), url])) == tuple(sorted(added.items))
    kept = Snapshots(home).read(url).last_readable()
    assert kept is not None
    assert Snapshots(home).body(url, kept.sha256) == text_page("Page")


def test_a_page_added_again_is_looked_at_again_and_keeps_what_it_was(
    home: Path, site: Any, page: Any, text_page: Any
) -> None:
    url = site.put("a.localhost", "/x", page(body=text_page("Old")), page(body=text_page("New")))
    outcomes = [_add(home, url).visits[0][1].outcome.value for _ in range(3)]
    assert outcomes == ["ok", "changed", "ok"]
    record = Snapshots(home).read(url)
    assert [Snapshots(home).body(url, sha) for sha in record.snapshots()] == [
        text_page("Old"),
        text_page("New"),
    ]


def test_a_page_that_cannot_be_had_is_told_and_the_others_are_added(
    home: Path, site: Any, page: Any, text_page: Any
) -> None:
    good = site.put("a.localhost", "/good", page(body=text_page("Page")))
    gone = site.put("a.localhost", "/gone", page(status=404))
    added = _add(home, gone, good)
    assert (added.items, added.failed) == ((good,), ((gone, "gone: answers 404"),))
    assert read_library(home).items == (good,)


@pytest.mark.parametrize("bad", ["http://10.0.0.1/", "file:///etc/passwd", "http://169.254.169.254/latest"])
def test_an_address_inside_is_refused_and_nothing_is_asked_for(
    bad: str, home: Path, site: Any, page: Any, text_page: Any
) -> None:
    good = site.put("a.localhost", "/", page(body=text_page("Page")))
    network = _network()
    with pytest.raises(AddressRefused):
        add_items(home, [good, bad], network=network, options=QUICK)
    assert (sum(network.connections.values()), read_library(home).items) == (0, ())


def test_a_page_that_leads_inside_is_refused(home: Path, site: Any, page: Any) -> None:
    url = site.put("a.localhost", "/", page(status=302, headers={"Location": "http://10.0.0.1/"}))
    with pytest.raises(AddressRefused, match=r"10\.0\.0\.1"):
        _add(home, url)
    assert read_library(home).items == ()


def test_without_a_network_nothing_is_added(home: Path) -> None:
    def unknown(host: str, port: int) -> list[str]:
        raise OSError("no network")

    network = Network(resolver=unknown)
    with pytest.raises(Offline):
        add_items(home, ["https://a.example/"], network=network)
    assert read_library(home).items == ()


def test_a_path_that_is_not_there_adds_nothing(home: Path, tmp_path: Path) -> None:
    (tmp_path / "note.md").write_text("Text.")
    with pytest.raises(DocumentError, match="nowhere"):
        _add(home, tmp_path / "note.md", tmp_path / "nowhere")
    assert read_library(home).items == ()


def test_a_pattern_that_the_shell_left_alone_is_what_it_matches(home: Path, tmp_path: Path) -> None:
    for name in ("own/a.md", "own/deep/b.md", "own/c.txt", "own/[d].md"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("Words.")
    assert _add(home, tmp_path / "own" / "[d].md").items == (
        f"{tmp_path}/own/[d].md",
    )  # a name before a pattern
    found = _add(home, f"{tmp_path}/own/**/*.md").items
    assert sorted(found) == sorted(f"{tmp_path}/own/{name}" for name in ("[d].md", "a.md", "deep/b.md"))
    with pytest.raises(DocumentError, match="does not exist"):
        _add(home, f"{tmp_path}/own/*.pdf")


@pytest.mark.parametrize("nothing", ["", " "])
def test_an_empty_name_is_not_the_working_folder(home: Path, nothing: str) -> None:
    with pytest.raises(DocumentError, match="empty"):
        _add(home, nothing)
    assert not home.exists()


def test_what_is_removed_leaves_the_library_and_nothing_else(
    home: Path, tmp_path: Path, site: Any, page: Any, text_page: Any
) -> None:
    url = site.put("a.localhost", "/x", page(body=text_page("Page")))
    note = tmp_path / "note.md"
    note.write_text("Text.")
    _add(home, url, note)
    remove_items(home, [url, str(note)])
    assert read_library(home).items == ()
    assert note.exists()
    assert Snapshots(home).read(url).last_readable() is not None
    with pytest.raises(DocumentError, match="not added as such"):
        remove_items(home, [url])
