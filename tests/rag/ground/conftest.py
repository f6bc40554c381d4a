"""The packaged embedder, converted once."""

import pytest

from rag.embed import Embedder
from rag.embed.minilm import open_minilm


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Embedder:
    return open_minilm("", home=tmp_path_factory.mktemp("ground") / "home")
