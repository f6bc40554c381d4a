"""`waymark add`, `remove` and `index --dry-run`, through the program itself."""

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from rag import cli
from rag.errors import AddressRefused, DocumentError, SettingsError, SourcesSkipped

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]
NOTE = "# Greenhouse\n\nThe zorblax valve in the greenhouse opens at 31 degrees.\n"


@pytest.fixture
def run(
    home: Path, roadmap_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    shutil.copytree(roadmap_home, home)

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["waymark", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return int(exit_.value.code or 0), out, err

    return call


def test_an_added_file_answers_and_a_removed_one_does_not(run: Run, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text(NOTE)
    code, out, _ = run("add", note)
    assert (code, "1 added" in out, "1 unchanged" in out) == (0, True, True)
    code, out, _ = run("ask", "--json", "At how many degrees does the zorblax valve in the greenhouse open?")
    answer = json.loads(out)
    assert (answer["status"], answer["citations"][0]["path"]) == ("answered", note.as_posix())
    code, out, _ = run("remove", note)
    assert (code, "1 removed" in out) == (0, True)
    code, out, _ = run("ask", "--json", "At how many degrees does the zorblax valve in the greenhouse open?")
    assert json.loads(out)["status"] == "insufficient_evidence"
    assert note.exists()


def test_what_is_skipped_is_listed_and_the_exit_code_says_so(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "note.md").write_text(NOTE)
    (folder / "empty.txt").write_text("")
    code, out, err = run("add", folder)
    assert code == SourcesSkipped.exit_code
    assert "empty.txt: it is empty" in out
    assert "1 source was skipped" in err
    code, out, _ = run("index")
    assert (code, " 0 embedded" in out) == (SourcesSkipped.exit_code, True)


def test_what_is_hidden_in_a_folder_is_passed_over_and_named_by_itself_it_is_read(
    run: Run, tmp_path: Path
) -> None:
    folder = tmp_path / "own"
    (folder / ".git").mkdir(parents=True)
    (folder / "note.md").write_text(NOTE)
    (folder / ".hidden.md").write_text(NOTE + "Hidden.\n")
    (folder / "loop").symlink_to(folder)
    code, out, err = run("add", folder)
    assert (code, "hint" in err) == (0, False)
    assert "Passed over, hidden or a link: 3 files;" in out
    code, out, _ = run("status")
    assert f"- passed over {folder}/.git: it is hidden" in out
    code, out, _ = run("add", folder / ".hidden.md")
    assert (code, "1 added" in out) == (0, True)


def test_a_kind_that_is_not_read_is_listed_and_the_exit_code_says_so(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "own"
    folder.mkdir()
    for name in ("note.md", "code.svelte", "4913"):
        (folder / name).write_text(NOTE)
    code, out, _ = run("add", folder)
    assert code == SourcesSkipped.exit_code
    assert "code.svelte: files that end in .svelte are not read" in out
    assert "4913: files without a suffix are not read" in out


def test_a_dry_run_shows_the_plan(run: Run, tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text(NOTE)
    run("add", note)
    note.write_text(NOTE + "More.\n")
    code, out, _ = run("index", "--dry-run")
    lines = [f"changed: {note}", "unchanged: corpus/roadmap.txt", "1 changed, 1 unchanged"]
    assert (code, out.splitlines()) == (0, lines)
    code, out, _ = run("index", "--dry-run", "--json")
    plan = json.loads(out)
    assert (code, plan["counts"]) == (0, {"changed": 1, "unchanged": 1})
    assert {"path": str(note), "change": "changed", "reason": ""} in plan["sources"]
    code, out, err = run("index", "--watch", "--json")
    assert (code, "--watch" in err) == (SettingsError.exit_code, True)


def test_an_address_inside_is_refused_with_its_own_exit_code(run: Run) -> None:
    for url in ("http://127.0.0.1/", "http://169.254.169.254/latest/meta-data"):
        code, _, err = run("add", url)
        assert code == AddressRefused.exit_code
        assert "hint:" in err


@pytest.mark.parametrize("command", ["add", "remove"])
def test_a_path_that_is_not_there_is_told(run: Run, command: str, tmp_path: Path) -> None:
    code, _, err = run(command, tmp_path / "nowhere.md")
    assert code == DocumentError.exit_code
    assert "nowhere.md" in err
    assert "hint:" in err
