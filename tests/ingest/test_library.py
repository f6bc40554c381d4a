"""What a person added: kept whole, each once, and never guessed."""

from pathlib import Path

import pytest

from ingest.library import FILE, Library, item_of, read_library, write_library
from rag.errors import StorageError


def test_nothing_was_added_where_there_is_no_file(tmp_path: Path) -> None:
    assert read_library(tmp_path) == Library()


def test_items_are_sorted_and_each_is_kept_once(tmp_path: Path) -> None:
    write_library(tmp_path, Library().with_items("/b", "/a").with_items("/b"))
    assert read_library(tmp_path).items == ("/a", "/b")
    write_library(tmp_path, read_library(tmp_path).without("/a", "/never"))
    assert read_library(tmp_path).items == ("/b",)


@pytest.mark.parametrize("content", [b"", b"[]", b'{"items": 3}', b'{"items": [], "more": 1}', b"\xff"])
def test_a_file_that_is_no_library_is_told_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(StorageError, match="cannot be read"):
        read_library(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_path_is_kept_absolute_and_a_url_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert item_of("notes") == (tmp_path.resolve() / "notes").as_posix()
    assert item_of("https://example.org/a") == "https://example.org/a"
