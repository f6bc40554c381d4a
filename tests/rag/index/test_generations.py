"""Generations as readers and writers meet them: committing, races, going back, keeping three."""

import itertools
import os
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.errors import IndexLocked, IndexMissing
from rag.index import manifest as manifests
from rag.index.files import Sink
from rag.index.generations import Generations, Opened
from rag.index.manifest import Manifest
from tests.rag.index.stored import DRAFT, NAMES, commit, contents, names, number


def test_nothing_yet_is_missing_and_reading_makes_nothing(store: Generations) -> None:
    with pytest.raises(IndexMissing):
        store.open_current()
    assert store.versions() == ()
    assert store.verify() == {}
    assert store.named() is None
    assert not store.home.exists()


def test_what_was_committed_is_opened(store: Generations) -> None:
    generation_id = commit(store, 1)
    opened = store.open_current()
    assert number(opened) == 1
    assert opened.warnings == ()
    assert opened.manifest.generation_id == opened.folder.name == generation_id
    assert (store.home / "CURRENT").read_text() == f"{generation_id}\n"
    assert names(store.home) == ["CURRENT", "generations", "writer.lock"]


def test_three_generations_are_kept(store: Generations) -> None:
    ids = [commit(store, n) for n in range(5)]
    assert store.ids() == ids[2:]
    assert names(store.home / "generations") == ids[2:]
    assert number(store.open_current()) == 4


def test_versions_are_listed_newest_first(two: Generations) -> None:
    (two.folder(two.ids()[0]) / NAMES[0]).write_bytes(b"?")
    newest, oldest = two.versions()
    assert (newest.current, newest.ok, oldest.current, oldest.ok) == (True, True, False, False)
    assert newest.counts == oldest.counts == DRAFT.counts
    assert newest.created_at == two.open_current().manifest.created_at > oldest.created_at


def test_verify_lists_the_problems_of_each_generation(two: Generations) -> None:
    old, new = two.ids()
    assert two.verify() == {new: (), old: ()}
    (two.folder(new) / NAMES[0]).write_bytes(b"?")
    (two.folder(new) / NAMES[1]).unlink()
    (two.folder(old) / "manifest.json").unlink()
    two.pointer.unlink()
    report = two.verify()
    assert report[new] == ("dense.faiss has 1 bytes instead of 13", "lexical/data.npy is missing")
    assert report[old] == ("manifest.json cannot be read (No such file or directory)",)
    assert set(report) == {new, old, "CURRENT"}


def test_rollback_goes_back_one_by_one_and_forward_by_name(store: Generations) -> None:
    ids = [commit(store, n) for n in range(3)]
    assert store.rollback() == ids[1]
    assert store.rollback() == ids[0]
    with pytest.raises(IndexMissing, match="no earlier generation"):
        store.rollback()
    assert number(store.open_current()) == 0
    assert store.open_current().warnings == ()
    assert store.rollback(ids[2]) == ids[2]
    assert number(store.open_current()) == 2


def test_rollback_refuses_what_is_not_there_and_passes_over_what_is_damaged(store: Generations) -> None:
    ids = [commit(store, n) for n in range(3)]
    (store.folder(ids[1]) / NAMES[0]).write_bytes(b"?")
    assert store.rollback() == ids[0]
    with pytest.raises(IndexMissing, match="no generation"):
        store.rollback(ids[1])  # in quarantine by now
    assert number(store.open_current()) == 0


def test_a_generation_gone_back_to_is_kept_until_the_next_commit(store: Generations) -> None:
    ids = [commit(store, n) for n in range(3)]
    store.rollback(ids[0])
    newest = commit(store, 3)
    assert store.ids() == [*ids[1:], newest]
    assert number(store.open_current()) == 3


@pytest.mark.parametrize("step", [timedelta(0), timedelta(days=-1)])
def test_ids_keep_their_order_when_the_clock_does_not(tmp_path: Path, step: timedelta) -> None:
    moments = itertools.count()
    start = datetime(2038, 1, 19, tzinfo=UTC)
    store = Generations(tmp_path, clock=lambda: start + next(moments) * step)
    ids = [commit(store, n) for n in range(3)]
    assert ids == sorted(set(ids)) == store.ids()
    assert number(store.open_current()) == 2


def test_equal_content_twice_is_two_generations_of_one_index(store: Generations) -> None:
    assert commit(store, 1) != commit(store, 1)
    first, second = (manifests.verified(store.folder(one)) for one in store.ids())
    assert first.index_id == second.index_id


def test_one_writer_at_a_time_even_in_one_process(store: Generations) -> None:
    with store.writer() as writer:
        with pytest.raises(IndexLocked, match=f"process {os.getpid()}"), store.writer():
            pass
        with pytest.raises(IndexLocked):
            store.rollback()
        writer.commit(contents(1), DRAFT)
    assert number(store.open_current()) == 1


def test_a_failure_before_the_commit_changes_nothing(two: Generations) -> None:
    with pytest.raises(ZeroDivisionError), two.writer():
        raise ZeroDivisionError
    with pytest.raises(ValueError, match="not a name"), two.writer() as writer:
        writer.commit({"../outside": b""}, DRAFT)
    assert number(two.open_current()) == 2
    assert len(two.ids()) == 2


def test_readers_see_no_error_while_ten_commits_pass(two: Generations) -> None:
    done = threading.Event()
    errors: list[BaseException] = []
    seen: list[list[int]] = [[] for _ in range(4)]

    def read(numbers: list[int]) -> None:
        def load(folder: Path, manifest: Manifest) -> None:
            loaded.append(number(Opened(folder=folder, manifest=manifest)))

        try:
            while not done.is_set():
                loaded: list[int] = []
                assert two.open_current(load).warnings == ()
                numbers.append(loaded[-1])
        except BaseException as error:  # noqa: BLE001 - carried to the test's own thread
            errors.append(error)

    threads = [threading.Thread(target=read, args=(numbers,)) for numbers in seen]
    for thread in threads:
        thread.start()
    for n in range(3, 13):
        commit(two, n)
    done.set()
    for thread in threads:
        thread.join()
    assert errors == []
    assert all(numbers and numbers == sorted(numbers) for numbers in seen)


def test_a_reader_overtaken_by_four_commits_starts_again(two: Generations) -> None:
    overtaken: list[str] = []

    def check(folder: Path, manifest: Manifest) -> None:
        if not overtaken:
            overtaken.append(folder.name)
            for n in range(3, 7):
                commit(two, n)
        assert (folder / NAMES[0]).read_bytes()

    opened = two.open_current(check)
    assert not two.folder(overtaken[0]).exists()
    assert number(opened) == 6
    assert opened.warnings == ()


def test_a_reader_overtaken_after_a_rollback_is_not_told_of_damage(two: Generations) -> None:
    two.rollback()
    commits = iter([3, 4])

    def check(folder: Path, manifest: Manifest) -> None:
        for n in commits:
            commit(two, n)
        assert (folder / NAMES[0]).read_bytes()

    opened = two.open_current(check)
    assert number(opened) == 4
    assert opened.warnings == ()


def test_a_copied_home_opens_anywhere(two: Generations, tmp_path: Path) -> None:
    shutil.copytree(two.home, tmp_path / "copy")
    assert number(Generations(tmp_path / "copy").open_current()) == 2


def test_a_file_may_be_written_a_block_at_a_time(store: Generations) -> None:
    def write(sink: Sink) -> None:
        for n in range(3):
            sink.write(f"{n}\n".encode())

    with store.writer() as writer:
        writer.commit({"long": write, "short": b"all at once"}, DRAFT)
    opened = store.open_current()
    assert (opened.folder / "long").read_bytes() == b"0\n1\n2\n"
    assert {entry.name: entry.size_bytes for entry in opened.manifest.files} == {"long": 6, "short": 11}
    assert store.verify() == {opened.folder.name: ()}


def test_a_file_that_cannot_be_written_to_its_end_leaves_nothing(two: Generations) -> None:
    def write(sink: Sink) -> None:
        sink.write(b"half")
        raise ZeroDivisionError

    with two.writer() as writer, pytest.raises(ZeroDivisionError):
        writer.commit({"whole": b"x", "half": write}, DRAFT)
    assert number(two.open_current()) == 2
    assert names(two.home / "generations") == two.ids()


def test_scratch_is_no_generation_and_goes_at_the_end(two: Generations) -> None:
    with two.writer() as writer:
        with writer.scratch() as folder:
            (folder / "large").write_bytes(b"x")
            assert number(two.open_current()) == 2
            assert len(two.ids()) == 2
        assert not folder.exists()
    assert names(two.home / "generations") == two.ids()


@pytest.mark.parametrize("left", [".scratch", ".new"])
def test_what_a_killed_writer_left_half_made_is_swept(two: Generations, left: str) -> None:
    (two.folder(left) / "lexical").mkdir(parents=True)
    (two.folder(left) / "lexical" / "data.npy").write_bytes(b"half")
    assert number(two.open_current()) == 2
    commit(two, 3)
    assert number(two.open_current()) == 3
    assert names(two.home / "generations") == two.ids()
