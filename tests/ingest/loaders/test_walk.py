"""Walking a folder: nothing outside of it is read, nothing is waited for, nothing goes round."""

import os
import time
from pathlib import Path

import pytest

from ingest.loaders.walk import Found, Skipped, find_files


def _reasons(root: Path) -> dict[str, str]:
    return {found.path.name: found.reason for found in find_files(root) if isinstance(found, Skipped)}


def test_files_come_in_order_with_their_size(tmp_path: Path) -> None:
    for name in ("b.md", "a.md", "sub/c.md"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert list(find_files(tmp_path)) == [
        Found(path=tmp_path / name, size=len(name)) for name in ("a.md", "b.md", "sub/c.md")
    ]
    assert list(find_files(tmp_path / "a.md")) == [Found(path=tmp_path / "a.md", size=4)]


def test_links_pipes_and_hidden_things_are_passed_over_with_a_reason(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / ".git").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret.md").write_text("secret", encoding="utf-8")
    (root / "plain.md").write_text("x", encoding="utf-8")
    (root / "loop").symlink_to(root)
    (root / "self").symlink_to(root / "self")
    (root / "out").symlink_to(outside)
    (root / "out.md").symlink_to(outside / "secret.md")
    (root / "device").symlink_to("/dev/zero")
    os.mkfifo(root / "pipe.md")
    began = time.monotonic()
    reasons = _reasons(root)
    assert time.monotonic() - began < 2
    assert [found.path.name for found in find_files(root) if isinstance(found, Found)] == ["plain.md"]
    assert set(reasons) == {".git", "loop", "self", "out", "out.md", "device", "pipe.md"}
    assert "outside" in reasons["out.md"]
    assert "nowhere" in reasons["self"]
    assert "a pipe" in reasons["pipe.md"]
    assert "hidden" in reasons[".git"]


def test_a_device_and_a_missing_root_are_passed_over() -> None:
    assert "a device" in _reasons(Path("/dev/null"))["null"]
    assert "cannot be looked at" in _reasons(Path("/no/such/folder"))["folder"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "closed.md").write_text("x", encoding="utf-8")
    (tmp_path / "closed.md").chmod(0)
    assert "may not be read" in _reasons(tmp_path)["closed.md"]


def test_a_name_that_is_no_utf8_is_passed_over(tmp_path: Path) -> None:
    try:
        (tmp_path / os.fsdecode(b"\xff.md")).write_text("x", encoding="utf-8")
    except OSError:
        pytest.skip("this file system takes no such name")
    assert list(_reasons(tmp_path).values()) == ["its name is not UTF-8"]
