"""The real roadmap, indexed once by the real embedder, for every test that asks it something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.pipeline import index_corpus
from rag.assistant import Assistant
from rag.embed import PACKAGED, open_embedder
from rag.schema import Document
from rag.settings import Settings
from tests.rag.small_library import Library, Opens, build_library


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


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Opens]:
    """`build(*documents)`: a small library over them, with its index open until the test ends."""
    made: list[Library] = []

    def open_over(*documents: Document) -> Library:
        made.append(build_library(tmp_path / f"library{len(made)}", documents))
        return made[-1]

    yield open_over
    for library in made:
        library.index.close()
