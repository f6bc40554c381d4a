"""The packaged model, converted once for all tests here: that takes about seven seconds."""

from pathlib import Path

import pytest

from rag.embed.minilm import MiniLM, open_minilm


@pytest.fixture(scope="session")
def converted_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the converted model. Nothing but that may be written to it."""
    home = tmp_path_factory.mktemp("converted") / "home"
    open_minilm("", home=home)
    return home


@pytest.fixture(scope="session")
def minilm(converted_home: Path) -> MiniLM:
    return open_minilm("", home=converted_home)
