"""Generations as readers and writers meet them: damage, races, going back, keeping three."""

import itertools
import os
import pickle
import random
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rag.errors import IndexCorrupt, IndexLocked, IndexMismatch, IndexMissing
from rag.index import manifest as manifests
from rag.index.generations import Generations, Opened
from rag.index.manifest import ChunkerSpec, Counts, Draft, Manifest
from rag.schema import EmbedderSpec

DRAFT = Draft(
    built_by="0.1.0",
    embedder=EmbedderSpec(model="stub", revision="1", dim=4, max_tokens=16),
    chunker=ChunkerSpec(name="plain", version=1, target_tokens=8, max_tokens=16),
    counts=Counts(documents=1, chunks=1, sentences=1),
    sources=(),
)
NAMES = ("dense.faiss", "lexical/data.npy")


def _contents(n: int) -> dict[str, bytes]:
    return {name: f"{name} {n}".encode() for name in NAMES}


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _commit(store: Generations, n: int) -> str:
    with store.writer() as writer:
        return writer.commit(_contents(n), DRAFT)


def _number(opened: Opened) -> int:
    """Which of the numbered contents a generation holds; all its files must agree."""
    found = {name: (opened.folder / name).read_bytes() for name in NAMES}
    n = int(found["dense.faiss"].split()[-1])
    assert found == _contents(n)
    return n


@pytest.fixture
def store(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "home")


@pytest.fixture
def two(store: Generations) -> Generations:
    _commit(store, 1)
    _commit(store, 2)
    return store


def _files(store: Generations) -> list[Path]:
    """All files of the current generation."""
    folder = store.folder(store.named() or "")
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_nothing_yet_is_missing_and_reading_makes_nothing(store: Generations) -> None:
    with pytest.raises(IndexMissing):
        store.open_current()
    assert store.versions() == ()
    assert store.verify() == {}
    assert store.named() is None
    assert not store.home.exists()


def test_what_was_committed_is_opened(store: Generations) -> None:
    generation_id = _commit(store, 1)
    opened = store.open_current()
    assert _number(opened) == 1
    assert opened.warnings == ()
    assert opened.manifest.generation_id == opened.folder.name == generation_id
    assert (store.home / "CURRENT").read_text() == f"{generation_id}\n"
    assert _names(store.home) == ["CURRENT", "generations", "writer.lock"]


def test_three_generations_are_kept(store: Generations) -> None:
    ids = [_commit(store, n) for n in range(5)]
    assert store.ids() == ids[2:]
    assert _names(store.home / "generations") == ids[2:]
    assert _number(store.open_current()) == 4


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


def test_every_flipped_bit_is_detected(two: Generations) -> None:
    targets = [(path, bit) for path in _files(two) for bit in range(path.stat().st_size * 8)]
    chosen = random.Random(7).sample(targets, 1000)  # noqa: S311
    for path, bit in chosen:
        whole = path.read_bytes()
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        opened = two.open_current()
        assert (_number(opened), len(opened.warnings)) == (1, 2), (path, bit)
        path.write_bytes(whole)
    assert two.open_current().warnings == ()


def test_a_flipped_bit_in_current_is_told_or_changes_nothing(two: Generations) -> None:
    whole = two.pointer.read_bytes()
    for bit in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        two.pointer.write_bytes(broken)
        opened = two.open_current()
        assert _number(opened) == 2
        assert opened.warnings or broken.strip() == whole.strip()


@pytest.mark.parametrize("content", [b"", b"\n", b"nonsense\n", b"../../etc\n", b"\xff\xfe", b"\0" * 41])
def test_without_a_readable_current_the_newest_whole_generation_serves(
    two: Generations, content: bytes
) -> None:
    two.pointer.write_bytes(content)
    opened = two.open_current()
    assert _number(opened) == 2
    assert "does not name a generation" in opened.warnings[0]
    two.pointer.unlink()
    assert _number(two.open_current()) == 2


def test_every_truncation_is_detected(two: Generations) -> None:
    for path in _files(two):
        whole = path.read_bytes()
        for length in sorted({len(whole) * part // 100 for part in range(100)}):
            path.write_bytes(whole[:length])
            opened = two.open_current()
            assert (_number(opened), len(opened.warnings)) == (1, 2), (path, length)
        path.write_bytes(whole)


@pytest.mark.parametrize("name", [*NAMES, "manifest.json"])
def test_a_deleted_or_exchanged_file_is_detected(two: Generations, name: str) -> None:
    old, new = (two.folder(one) / name for one in two.ids())
    new.write_bytes(old.read_bytes())
    assert _number(two.open_current()) == 1
    new.unlink()
    assert _number(two.open_current()) == 1
    new.mkdir()
    assert _number(two.open_current()) == 1


def test_folders_that_changed_places_are_detected(two: Generations) -> None:
    old, new = map(two.folder, two.ids())
    spare = old.with_name("spare")
    old.rename(spare)
    new.rename(old)
    spare.rename(new)
    with pytest.raises(IndexCorrupt, match="belongs to generation"):
        two.open_current()


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(two: Generations) -> None:
    path = _files(two)[0]
    path.unlink()
    os.mkfifo(path)
    assert _number(two.open_current()) == 1


def test_when_none_is_whole_the_index_is_corrupt_and_a_commit_mends_it(two: Generations) -> None:
    for generation_id in two.ids():
        (two.folder(generation_id) / NAMES[0]).write_bytes(b"?")
    with pytest.raises(IndexCorrupt, match="No generation"):
        two.open_current()
    _commit(two, 3)
    opened = two.open_current()
    assert _number(opened) == 3
    assert opened.warnings == ()


def test_a_writer_puts_damage_into_quarantine_and_deletes_none_of_it(two: Generations) -> None:
    damaged = two.ids()[1]
    (two.folder(damaged) / NAMES[0]).write_bytes(b"precious?")
    _commit(two, 3)
    assert damaged not in two.ids()
    assert (two.home / "quarantine" / damaged / NAMES[0]).read_bytes() == b"precious?"
    assert (two.home / "quarantine" / damaged / "manifest.json").exists()


def test_files_that_the_manifest_does_not_name_are_never_opened(two: Generations, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[Callable[[str], object], tuple[str]]:
            return os.mkdir, (str(tmp_path / "sprung"),)

    planted = two.open_current().folder / "index.pkl"
    planted.write_bytes(pickle.dumps(Trap()))
    os.mkfifo(planted.with_name("array.npy"))  # opening it would wait for ever
    opened = two.open_current()
    assert _number(opened) == 2
    assert opened.warnings == ()
    _commit(two, 3)
    assert not (tmp_path / "sprung").exists()


def test_a_check_that_finds_corruption_lets_the_previous_generation_serve(two: Generations) -> None:
    newest = two.ids()[-1]

    def check(folder: Path, manifest: Manifest) -> None:
        if folder.name == newest:
            raise IndexCorrupt("rows do not agree")

    opened = two.open_current(check)
    assert _number(opened) == 1
    assert "rows do not agree" in opened.warnings[0]


def _make_newer(store: Generations, generation_id: str) -> None:
    """Rewrite a manifest as a later version of Waymark would."""
    path = store.folder(generation_id) / "manifest.json"
    newer = replace(manifests.decode(path.read_bytes()), schema_version=99)
    path.write_bytes(manifests.encode(newer))


def test_a_current_generation_of_another_format_is_a_mismatch(two: Generations) -> None:
    newest = two.ids()[-1]
    _make_newer(two, newest)
    with pytest.raises(IndexMismatch, match="99"):
        two.open_current()
    with pytest.raises(IndexMismatch, match="99"):
        two.rollback(newest)
    _commit(two, 3)
    assert _number(two.open_current()) == 3
    assert newest in two.ids()


def test_an_older_generation_of_another_format_is_passed_over(two: Generations) -> None:
    _commit(two, 3)
    ids = two.ids()
    _make_newer(two, ids[1])
    (two.folder(ids[2]) / NAMES[0]).write_bytes(b"?")
    opened = two.open_current()
    assert _number(opened) == 1
    assert len(opened.warnings) == 3


def test_rollback_goes_back_one_by_one_and_forward_by_name(store: Generations) -> None:
    ids = [_commit(store, n) for n in range(3)]
    assert store.rollback() == ids[1]
    assert store.rollback() == ids[0]
    with pytest.raises(IndexMissing, match="no earlier generation"):
        store.rollback()
    assert _number(store.open_current()) == 0
    assert store.open_current().warnings == ()
    assert store.rollback(ids[2]) == ids[2]
    assert _number(store.open_current()) == 2


def test_rollback_refuses_what_is_not_there_and_passes_over_what_is_damaged(store: Generations) -> None:
    ids = [_commit(store, n) for n in range(3)]
    (store.folder(ids[1]) / NAMES[0]).write_bytes(b"?")
    assert store.rollback() == ids[0]
    with pytest.raises(IndexMissing, match="no generation"):
        store.rollback(ids[1])  # in quarantine by now
    assert _number(store.open_current()) == 0


def test_a_generation_gone_back_to_is_kept_until_the_next_commit(store: Generations) -> None:
    ids = [_commit(store, n) for n in range(3)]
    store.rollback(ids[0])
    newest = _commit(store, 3)
    assert store.ids() == [*ids[1:], newest]
    assert _number(store.open_current()) == 3


@pytest.mark.parametrize("step", [timedelta(0), timedelta(days=-1)])
def test_ids_keep_their_order_when_the_clock_does_not(tmp_path: Path, step: timedelta) -> None:
    moments = itertools.count()
    start = datetime(2038, 1, 19, tzinfo=UTC)
    store = Generations(tmp_path, clock=lambda: start + next(moments) * step)
    ids = [_commit(store, n) for n in range(3)]
    assert ids == sorted(set(ids)) == store.ids()
    assert _number(store.open_current()) == 2


def test_equal_content_twice_is_two_generations_of_one_index(store: Generations) -> None:
    assert _commit(store, 1) != _commit(store, 1)
    first, second = (manifests.verified(store.folder(one)) for one in store.ids())
    assert first.index_id == second.index_id


def test_one_writer_at_a_time_even_in_one_process(store: Generations) -> None:
    with store.writer() as writer:
        with pytest.raises(IndexLocked, match=f"process {os.getpid()}"), store.writer():
            pass
        with pytest.raises(IndexLocked):
            store.rollback()
        writer.commit(_contents(1), DRAFT)
    assert _number(store.open_current()) == 1


def test_a_failure_before_the_commit_changes_nothing(two: Generations) -> None:
    with pytest.raises(ZeroDivisionError), two.writer():
        raise ZeroDivisionError
    with pytest.raises(ValueError, match="not a name"), two.writer() as writer:
        writer.commit({"../outside": b""}, DRAFT)
    assert _number(two.open_current()) == 2
    assert len(two.ids()) == 2


def test_readers_see_no_error_while_ten_commits_pass(two: Generations) -> None:
    done = threading.Event()
    errors: list[BaseException] = []
    seen: list[list[int]] = [[] for _ in range(4)]

    def read(numbers: list[int]) -> None:
        def load(folder: Path, manifest: Manifest) -> None:
            loaded.append(_number(Opened(folder=folder, manifest=manifest)))

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
        _commit(two, n)
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
                _commit(two, n)
        assert (folder / NAMES[0]).read_bytes()

    opened = two.open_current(check)
    assert not two.folder(overtaken[0]).exists()
    assert _number(opened) == 6
    assert opened.warnings == ()


def test_a_reader_overtaken_after_a_rollback_is_not_told_of_damage(two: Generations) -> None:
    two.rollback()
    commits = iter([3, 4])

    def check(folder: Path, manifest: Manifest) -> None:
        for n in commits:
            _commit(two, n)
        assert (folder / NAMES[0]).read_bytes()

    opened = two.open_current(check)
    assert _number(opened) == 4
    assert opened.warnings == ()


def test_a_copied_home_opens_anywhere(two: Generations, tmp_path: Path) -> None:
    shutil.copytree(two.home, tmp_path / "copy")
    assert _number(Generations(tmp_path / "copy").open_current()) == 2
