"""Where questions come from and answers go: pipes, locales, full disks, narrow terminals, programs that read JSON."""

import json
import subprocess
from pathlib import Path

import pytest

from rag.errors import StorageError
from tests.rag.cli.running import Waymark, command, environment

FULL = Path("/dev/full")


def test_a_question_is_read_from_standard_input(waymark: Waymark, indexed: Path) -> None:
    done = waymark("ask", "-", "--json", stdin=b"\xef\xbb\xbfWhat is LoRA?\r\n")
    assert (done.code, json.loads(done.out)["question"]) == (0, "What is LoRA?")


def test_a_question_keeps_letters_that_the_locale_has_not(waymark: Waymark, indexed: Path) -> None:
    as_an_ascii_locale_hears = "What is a naïve model?".encode().decode("ascii", "surrogateescape")
    record = json.loads(waymark("ask", "--json", as_an_ascii_locale_hears).out)
    assert record["question"] == "What is a naïve model?"


@pytest.mark.slow
@pytest.mark.skipif(not FULL.exists(), reason="no device that is always full")
@pytest.mark.parametrize(
    "arguments", [("ask", "What is LoRA?"), ("status", "--json"), ("doctor",), ("--help",)]
)
def test_an_output_that_takes_nothing_more_is_told(indexed: Path, arguments: tuple[str, ...]) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            command(*arguments),
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment(),
            text=True,
            check=False,
        )
    assert done.returncode == StorageError.exit_code
    assert done.stderr.splitlines()[0] == "waymark: The output cannot be written: No space left on device."
    assert "Traceback" not in done.stderr


def test_the_doctor_is_whole_in_a_narrow_terminal(
    waymark: Waymark, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    out = waymark("doctor").out
    assert "Python" in out
    assert "onnxruntime" in out


def test_commands_that_change_the_index_report_to_programs(
    waymark: Waymark, own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_HOME", str(own))
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "note.md").write_text("# Note\n\nThe valve opens at 31 degrees.\n")
    (folder / "empty.md").write_text("")
    (folder / ".code.md").write_text("a = 1")
    added = json.loads(waymark("add", "--json", folder).out)
    assert (added["changed"], added["documents"], added["passed_over"]) == (True, 2, 1)
    assert [one["reason"] for one in added["skipped"]] == ["it is empty"]
    again = json.loads(waymark("index", "--json").out)
    assert (again["changed"], again["generation_id"]) == (False, added["generation_id"])
    before = json.loads(waymark("rollback", "--json").out)["generation_id"]
    assert before != added["generation_id"]
    assert json.loads(waymark("verify", "--json").out) == {added["generation_id"]: [], before: []}
    assert json.loads(waymark("remove", "--json", folder).out)["documents"] == 1
