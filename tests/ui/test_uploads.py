"""Files that strangers name: kept inside the data folder under made names, or refused with a reason."""

import json
import re
from pathlib import Path

import pytest

from rag.errors import DocumentError
from ui import uploads
from ui.uploads import FOLDER, drop_upload, keep_upload, upload_name


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.shared
@pytest.mark.parametrize("suffix", ["", ".txt"])
def test_no_name_reaches_outside_the_uploads(home: Path, tmp_path: Path, shared: Path, suffix: str) -> None:
    names = json.loads((shared / "badinput/own-lists/filenames.json").read_text(encoding="utf-8"))
    assert len(names) > 30
    before, kept = _files(tmp_path), 0
    for n, one in enumerate(names):
        try:
            path = keep_upload(home, one["name"] + suffix, f"text {n}".encode())
        except DocumentError:
            continue
        kept += 1
        assert path.parent.parent == home / FOLDER
        assert re.fullmatch(r"[^/\\\x00-\x1f<>:|?*.~ -][^/\\\x00-\x1f<>:|?*]*\.[a-z]+", path.name)
        assert len(path.name.encode()) < 140
    made = _files(tmp_path) - before
    assert len(made) == kept
    assert all(path.resolve().parent.parent == (home / FOLDER).resolve() for path in made)
    if suffix:
        assert kept > len(names) / 2


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.exe", b"MZ", "files that end in .exe are not read"),
        ("a.pdf\0.exe", b"%PDF-1.4", "files that end in .exe"),
        ("noname", b"x", "without a suffix"),
        ("a.txt", b"", "it is empty"),
        ("a.txt", b"\x7fELF\x02\x01\x01\0\0", "it is named a text but is"),
        ("a.docx", b"plain", "it is named a Word file"),
    ],
)
def test_type_and_content_are_checked_here(home: Path, name: str, data: bytes, reason: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(reason)) as caught:
        keep_upload(home, name, data)
    assert caught.value.hint
    assert not (home / FOLDER).exists()


def test_the_size_is_checked_here(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MOST_BYTES", 10)
    keep_upload(home, "a.txt", b"x" * 10)
    with pytest.raises(DocumentError, match="11 bytes; at most 10"):
        keep_upload(home, "a.txt", b"x" * 11)


def test_the_same_bytes_are_kept_once_and_other_bytes_apart(home: Path) -> None:
    first = keep_upload(home, "a.txt", b"one")
    assert keep_upload(home, "a.txt", b"one") == first
    assert keep_upload(home, "another name.txt", b"one") == first
    assert keep_upload(home, "a.txt", b"two") != first
    assert first.read_bytes() == b"one"


def test_only_a_file_that_was_kept_here_is_dropped(home: Path, tmp_path: Path) -> None:
    kept = keep_upload(home, "a.txt", b"one")
    other = tmp_path / "mine.txt"
    other.write_bytes(b"mine")
    drop_upload(home, str(other))
    drop_upload(home, str(home / FOLDER / ".." / ".." / "mine.txt"))
    assert other.exists()
    drop_upload(home, str(kept))
    assert list((home / FOLDER).iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("Field Report 2025.PDF", "Field Report 2025.pdf"),
        ("Ünïcode – 報告.txt", "Ünïcode – 報告.txt"),
        ("C:\\Users\\ada\\notes.md", "notes.md"),
        ("CON.txt", "file CON.txt"),
        ("..txt", "file.txt"),
        ("a\u202etxt.exe.md", "a txt.exe.md"),
        ("é" * 300 + ".txt", "é" * 60 + ".txt"),
    ],
)
def test_a_file_keeps_the_name_that_people_know_it_by(name: str, kept: str) -> None:
    assert upload_name(name) == kept
