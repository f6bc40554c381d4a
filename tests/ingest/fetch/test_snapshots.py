import errno
import json
from pathlib import Path

import pytest

from ingest.fetch.classify import Outcome
from ingest.fetch.snapshots import Record, Snapshots, Visit, key_of
from rag.errors import StorageError
from rag.index import files

URL = "https://site.example/a"


def _visit(run: str = "1", outcome: Outcome = Outcome.OK, fingerprint: str = "f") -> Visit:
    return Visit(
        at="2025-01-01T00:00:00+00:00", run=run, outcome=outcome, url=URL, status=200, fingerprint=fingerprint
    )


def test_a_visit_comes_back_as_it_was_kept(home: Path) -> None:
    snapshots = Snapshots(home)
    assert snapshots.read(URL) == Record(url=URL)
    kept = snapshots.add(URL, _visit(), b"body")
    assert snapshots.read(URL).visits == (kept,)
    assert snapshots.body(URL, kept.sha256) == b"body"
    assert kept.size_bytes == 4
    folder = home / "sources" / key_of(URL)
    assert sorted(path.name for path in folder.iterdir()) == [f"{kept.sha256}.bin", "record.json"]


def test_a_visit_without_a_body_freezes_itself_only(home: Path) -> None:
    snapshots = Snapshots(home)
    snapshots.add(URL, _visit(outcome=Outcome.FAILED), b"")
    assert snapshots.read(URL).snapshots() == ()
    assert not list(home.rglob("*.bin"))


def test_a_wall_is_kept_but_is_no_snapshot_of_the_page(home: Path) -> None:
    snapshots = Snapshots(home)
    first = snapshots.add(URL, _visit(fingerprint="a"), b"page")
    wall = snapshots.add(URL, _visit(outcome=Outcome.WALL, fingerprint="b"), b"wall")
    again = snapshots.add(URL, _visit(fingerprint="a"), b"page")
    assert snapshots.body(URL, wall.sha256) == b"wall"
    record = snapshots.read(URL)
    assert record.snapshots() == (first.sha256,)
    assert again.outcome is Outcome.OK
    assert record.last_readable() == again


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"url": "https://other.example/"}', b"\xff"])
def test_a_damaged_record_is_an_error_and_stays(data: bytes, home: Path) -> None:
    path = home / "sources" / key_of(URL) / "record.json"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    with pytest.raises(StorageError, match="damaged"):
        Snapshots(home).add(URL, _visit(), b"body")
    assert path.read_bytes() == data


def test_a_record_of_another_version_is_an_error(home: Path) -> None:
    snapshots = Snapshots(home)
    snapshots.add(URL, _visit(), b"body")
    path = home / "sources" / key_of(URL) / "record.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 2}))
    with pytest.raises(StorageError, match="another version"):
        snapshots.read(URL)


def test_a_failure_at_any_step_leaves_the_state_before_or_after(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshots = Snapshots(home)
    snapshots.add(URL, _visit("1", fingerprint="a"), b"first")
    before = snapshots.read(URL)
    step = 0
    while True:
        left = step

        def fail(name: str) -> None:
            nonlocal left
            left -= 1
            if left < 0:
                raise OSError(errno.ENOSPC, "No space left on device")

        with monkeypatch.context() as patch:
            patch.setattr(files, "step", fail)
            try:
                snapshots.add(URL, _visit("2", fingerprint="b"), b"second")
            except (OSError, StorageError):
                record = snapshots.read(URL)
                if len(record.visits) == 1:
                    assert record == before
                else:
                    assert snapshots.body(URL, record.visits[-1].sha256) == b"second"
                    break
            else:
                break
        step += 1
    assert step > 4
    last = snapshots.add(URL, _visit("3", fingerprint="b"), b"second")
    assert snapshots.body(URL, last.sha256) == b"second"
    assert snapshots.body(URL, before.visits[0].sha256) == b"first"
    assert not list(home.rglob("*.tmp"))


def test_a_run_that_did_not_end_is_taken_up_for_a_day(home: Path) -> None:
    snapshots = Snapshots(home)
    run = snapshots.begin()
    again = snapshots.begin()
    assert (run.resumed, again.resumed, again.run_id) == (False, True, run.run_id)
    path = home / "sources/unfinished.json"
    path.write_text(json.dumps({"run_id": "old", "started_at": "2020-01-01T00:00:00+00:00"}))
    assert not snapshots.begin().resumed
    for damage in (
        "",
        "{}",
        '{"run_id": "a", "started_at": "soon"}',
        '{"run_id": "a", "started_at": "2020-01-01"}',
    ):
        path.write_text(damage)
        assert not snapshots.begin().resumed
    snapshots.end()
    assert not path.exists()
    snapshots.end()
