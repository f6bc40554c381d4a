"""Damaged generations: every damage is found, a whole one serves in its place, nothing damaged is deleted."""

import os
import pickle
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from rag.errors import IndexCorrupt, IndexMismatch
from rag.index import manifest as manifests
from rag.index.generations import Generations
from rag.index.manifest import Manifest
from tests.rag.index.stored import NAMES, commit, files_of, number


def test_every_flipped_bit_is_detected(two: Generations) -> None:
    targets = [(path, bit) for path in files_of(two) for bit in range(path.stat().st_size * 8)]
    chosen = random.Random(7).sample(targets, 1000)  # noqa: S311
    for path, bit in chosen:
        whole = path.read_bytes()
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        opened = two.open_current()
        assert (number(opened), len(opened.warnings)) == (1, 2), (path, bit)
        path.write_bytes(whole)
    assert two.open_current().warnings == ()


def test_a_flipped_bit_in_current_is_told_or_changes_nothing(two: Generations) -> None:
    whole = two.pointer.read_bytes()
    for bit in range(len(whole) * 8):
        broken = bytearray(whole)
        broken[bit // 8] ^= 1 << bit % 8
        two.pointer.write_bytes(broken)
        opened = two.open_current()
        assert number(opened) == 2
        assert opened.warnings or broken.strip() == whole.strip()


@pytest.mark.parametrize("content", [b"", b"\n", b"nonsense\n", b"../../etc\n", b"\xff\xfe", b"\0" * 41])
def test_without_a_readable_current_the_newest_whole_generation_serves(
    two: Generations, content: bytes
) -> None:
    two.pointer.write_bytes(content)
    opened = two.open_current()
    assert number(opened) == 2
    assert "does not name a generation" in opened.warnings[0]
    two.pointer.unlink()
    assert number(two.open_current()) == 2


def test_every_truncation_is_detected(two: Generations) -> None:
    for path in files_of(two):
        whole = path.read_bytes()
        for length in sorted({len(whole) * part // 100 for part in range(100)}):
            path.write_bytes(whole[:length])
            opened = two.open_current()
            assert (number(opened), len(opened.warnings)) == (1, 2), (path, length)
        path.write_bytes(whole)


@pytest.mark.parametrize("name", [*NAMES, "manifest.json"])
def test_a_deleted_or_exchanged_file_is_detected(two: Generations, name: str) -> None:
    old, new = (two.folder(one) / name for one in two.ids())
    new.write_bytes(old.read_bytes())
    assert number(two.open_current()) == 1
    new.unlink()
    assert number(two.open_current()) == 1
    new.mkdir()
    assert number(two.open_current()) == 1


def test_folders_that_changed_places_are_detected(two: Generations) -> None:
    old, new = map(two.folder, two.ids())
    spare = old.with_name("spare")
    old.rename(spare)
    new.rename(old)
    spare.rename(new)
    with pytest.raises(IndexCorrupt, match="belongs to generation"):
        two.open_current()


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(two: Generations) -> None:
    path = files_of(two)[0]
    path.unlink()
    os.mkfifo(path)
    assert number(two.open_current()) == 1


def test_when_none_is_whole_the_index_is_corrupt_and_a_commit_mends_it(two: Generations) -> None:
    for generation_id in two.ids():
        (two.folder(generation_id) / NAMES[0]).write_bytes(b"?")
    with pytest.raises(IndexCorrupt, match="No generation"):
        two.open_current()
    commit(two, 3)
    opened = two.open_current()
    assert number(opened) == 3
    assert opened.warnings == ()


def test_a_writer_puts_damage_into_quarantine_and_deletes_none_of_it(two: Generations) -> None:
    damaged = two.ids()[1]
    (two.folder(damaged) / NAMES[0]).write_bytes(b"precious?")
    commit(two, 3)
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
    assert number(opened) == 2
    assert opened.warnings == ()
    commit(two, 3)
    assert not (tmp_path / "sprung").exists()


def test_a_check_that_finds_corruption_lets_the_previous_generation_serve(two: Generations) -> None:
    newest = two.ids()[-1]

    def check(folder: Path, manifest: Manifest) -> None:
        if folder.name == newest:
            raise IndexCorrupt("rows do not agree")

    opened = two.open_current(check)
    assert number(opened) == 1
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
    commit(two, 3)
    assert number(two.open_current()) == 3
    assert newest in two.ids()


def test_an_older_generation_of_another_format_is_passed_over(two: Generations) -> None:
    commit(two, 3)
    ids = two.ids()
    _make_newer(two, ids[1])
    (two.folder(ids[2]) / NAMES[0]).write_bytes(b"?")
    opened = two.open_current()
    assert number(opened) == 1
    assert len(opened.warnings) == 3
