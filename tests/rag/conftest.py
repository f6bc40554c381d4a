"""The real roadmap, indexed once by the real embedder, for every test that asks it something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.pipeline import index_corpus
from rag.assistant import Assistant
from rag.embed import PACKAGED, open_embedder
from rag.settings import Settings


@pytest.fixture(scope="session")
def roadmap_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the roadmap in it; about eight seconds the first time. To be read only: copy it to write."""
    home = tmp_path_factory.getbasetemp() / "roadmap"  # tests outside this folder find it there, too
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    return home


@pytest.fixture(scope="session")
def assistant(roadmap_home: Path) -> Iterator[Assistant]:
    with Assistant.open(Settings(home=roadmap_home)) as opened:
        yield opened
