"""The program, run inside this process, and data folders that it may be run on."""

import io
import os
import shutil
import sys
from pathlib import Path

import pytest

from rag import cli
from rag.assistant import Assistant
from rag.embed import PACKAGED, Embedder, open_embedder
from tests.rag.cli.running import Done, Waymark


@pytest.fixture
def waymark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], assistant: Assistant
) -> Waymark:
    """Run the program in this process; the packaged embedder is opened once for all runs."""

    def open_once(name: str, *, home: Path) -> Embedder:
        return assistant.embedder if name == PACKAGED else open_embedder(name, home=home)

    monkeypatch.setattr("rag.embed.open_embedder", open_once)
    monkeypatch.setattr("rag.assistant.open_embedder", open_once)

    def run(*arguments: object, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["waymark", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return Done(int(exit_.value.code or 0), out, err)

    return run


@pytest.fixture
def indexed(roadmap_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The roadmap's data folder, in the environment. To be read only."""
    monkeypatch.setenv("WAYMARK_HOME", str(roadmap_home))
    return roadmap_home


@pytest.fixture
def own(roadmap_home: Path, home: Path) -> Path:
    """A copy of it that may be written."""
    shutil.copytree(roadmap_home, home, copy_function=_link_models)
    return home


def _link_models(source: str, target: str) -> None:
    """The converted model is large, and nobody changes it."""
    (os.link if Path(source).suffix == ".onnx" else shutil.copy2)(source, target)
