"""A tiny language model with the roadmap's vocabulary, made once; what it writes means nothing."""

from pathlib import Path

import pytest

from rag.bundled import roadmap_path
from rag.generate.tiny import make_tiny_model


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its folder. To be read only."""
    lines = roadmap_path().read_text(encoding="utf-8").splitlines()
    return make_tiny_model(tmp_path_factory.mktemp("models") / "tiny", lines)
