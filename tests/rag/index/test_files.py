"""Durable writes, with a disk that fails at chosen moments."""

import errno
import os
import threading
from pathlib import Path

import pytest

from rag.errors import IndexLocked, StorageError
from rag.index import files


def _refuse(code: int):
    def refuse(*args: object, **kwargs: object) -> None:
        raise OSError(code, os.strerror(code))

    return refuse


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_write_makes_its_folders_and_leaves_only_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "data.bin"
    files.write_durable(path, b"one")
    files.write_durable(path, b"two")
    assert path.read_bytes() == b"two"
    assert _names(path.parent) == ["data.bin"]


def test_file_then_name_then_folder_reach_the_disk_in_this_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[str] = []
    monkeypatch.setattr(files, "step", steps.append)
    files.write_durable(tmp_path / "data.bin", b"x")
    assert steps == [
        "before write",
        "before fsync",
        "after fsync",
        "before rename",
        "after rename",
        "before folder fsync",
        "after folder fsync",
    ]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_named_and_the_old_file_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    path = tmp_path / "data.bin"
    files.write_durable(path, b"old")
    monkeypatch.setattr(os, "fsync", _refuse(code))
    with pytest.raises(StorageError, match="No room left on the disk") as caught:
        files.write_durable(path, b"new")
    assert str(tmp_path) in str(caught.value)
    assert path.read_bytes() == b"old"
    assert _names(tmp_path) == ["data.bin"]


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.EIO])
def test_any_other_refusal_names_the_folder_and_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(Path, "open", _refuse(code))
    with pytest.raises(StorageError) as caught:
        files.write_durable(tmp_path / "data.bin", b"new")
    assert str(caught.value) == f"Cannot use the folder {tmp_path}: {os.strerror(code)}."


def test_a_disk_that_silently_keeps_less_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda descriptor: os.truncate(descriptor, 2))
    with pytest.raises(StorageError, match=r"kept 2 of 3 bytes of data\.bin"):
        files.write_durable(tmp_path / "data.bin", b"new")
    assert not (tmp_path / "data.bin").exists()


def test_a_folder_that_is_a_file_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "home").write_bytes(b"")
    with pytest.raises(StorageError):
        files.write_durable(tmp_path / "home" / "data.bin", b"x")


def test_a_discarded_folder_is_hidden_before_its_files_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(files, "step", lambda name: seen.append(_names(tmp_path)))
    files.write_durable(tmp_path / "old" / "data.bin", b"x")
    seen.clear()
    files.discard(tmp_path / "old")
    assert seen == [[".old"]]
    assert _names(tmp_path) == []


def test_a_folder_that_cannot_be_hidden_is_removed_in_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_durable(tmp_path / "old" / "data.bin", b"x")
    monkeypatch.setattr(Path, "replace", _refuse(errno.EIO))
    files.discard(tmp_path / "old")
    assert _names(tmp_path) == []


def test_what_is_moved_aside_never_replaces_what_is_there(tmp_path: Path) -> None:
    for content in (b"1", b"2", b"3"):
        files.write_durable(tmp_path / "x" / "data.bin", content)
        files.move_aside(tmp_path / "x", tmp_path / "aside")
    kept = {path.name: (path / "data.bin").read_bytes() for path in (tmp_path / "aside").iterdir()}
    assert kept == {"x": b"1", "x+": b"2", "x++": b"3"}


def test_the_lock_admits_one_and_names_its_holder(tmp_path: Path) -> None:
    lock = tmp_path / "home" / "writer.lock"
    caught: list[IndexLocked] = []

    def second() -> None:
        try:
            with files.exclusive(lock):
                pass
        except IndexLocked as error:
            caught.append(error)

    with files.exclusive(lock):
        thread = threading.Thread(target=second)
        thread.start()
        thread.join()
    assert f"process {os.getpid()}" in str(caught[0])
    with files.exclusive(lock):
        pass


def test_a_lock_on_a_read_only_disk_is_a_storage_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "open", _refuse(errno.EROFS))
    with (
        pytest.raises(StorageError, match="Read-only file system"),
        files.exclusive(tmp_path / "writer.lock"),
    ):
        pass


def test_an_error_inside_the_lock_passes_unchanged_and_frees_it(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), files.exclusive(tmp_path / "writer.lock"):
        raise FileNotFoundError
    with files.exclusive(tmp_path / "writer.lock"):
        pass
