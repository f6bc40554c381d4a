"""The roadmap, indexed once, for the tests of the pages."""

from pathlib import Path

import pytest

from ingest.pipeline import index_corpus
from rag.embed import PACKAGED, open_embedder


@pytest.fixture(scope="session")
def roadmap_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the roadmap in it; the same that the tests of `rag` make. Copy it to write."""
    home = tmp_path_factory.getbasetemp() / "roadmap"
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    return home
