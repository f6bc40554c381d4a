"""What the README shows runs as it stands: each Python snippet, and each command and option that it names."""

import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer

from rag.cli import app

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(r"^```python\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
COMMANDS = sorted(
    {
        line.split("#")[0].strip()
        for block in re.findall(r"^```sh\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
        for line in block.splitlines()
        if "waymark " in line
    }
    | set(re.findall(r"`(waymark [^`]+)`", README))
)


@pytest.fixture
def own_home(roadmap_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder that may be written, and a working folder."""
    own = tmp_path / "home"
    shutil.copytree(roadmap_home, own)
    monkeypatch.setenv("WAYMARK_HOME", str(own))
    monkeypatch.chdir(tmp_path)
    return own


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_python_snippet_runs_word_for_word(
    snippet: str, own_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exec(compile(snippet, "README.md", "exec"), {"__name__": "__main__"})  # noqa: S102 (our own text)
    out, err = capsys.readouterr()
    assert (bool(out), err) == (True, "")


def test_there_are_snippets_and_commands_to_try() -> None:
    assert len(SNIPPETS) >= 3
    assert len(COMMANDS) >= 30


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_is_named_exists_with_its_options(command: str) -> None:
    words = re.sub(r'"[^"]*"', "TEXT", command.split("waymark ", 1)[1]).split()
    found = typer.main.get_command(app)
    while words and hasattr(found, "get_command") and re.fullmatch(r"[a-z-]+", words[0]):
        found, words = found.get_command(typer.Context(found), words[0]), words[1:]
        assert found is not None, command
    known = {"--help", *(option for parameter in found.params for option in parameter.opts)}
    assert [word for word in words if word.startswith("--") and word not in known] == [], sys.argv[0]
