"""The roadmap, indexed once, with a language model that says what a test tells it to say."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ingest.pipeline import index_corpus
from rag.assistant import Assistant
from rag.embed import PACKAGED, Embedder, open_embedder
from rag.index.reader import Index
from rag.settings import Settings
from rag.testing import ScriptedGenerator

Scripted = Callable[..., tuple[Assistant, ScriptedGenerator]]


@pytest.fixture(scope="session")
def roadmap_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.getbasetemp() / "roadmap"
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    return home


@pytest.fixture(scope="session")
def embedder(roadmap_home: Path) -> Embedder:
    return open_embedder(PACKAGED, home=roadmap_home)


@pytest.fixture
def scripted(roadmap_home: Path, embedder: Embedder) -> Iterator[Scripted]:
    """`scripted("a reply", strict=True)`: an assistant with these settings, and its model."""
    opened: list[Assistant] = []

    def make(
        *replies: str, context_tokens: int = 4096, **settings: object
    ) -> tuple[Assistant, ScriptedGenerator]:
        model = ScriptedGenerator(*replies, context_tokens=context_tokens)
        index = Index.open(roadmap_home, embedder=embedder.spec)
        chosen = Settings(home=roadmap_home, **settings)  # type: ignore[arg-type]
        assistant = Assistant(index, embedder, chosen, generator=model)
        opened.append(assistant)
        return assistant, model

    yield make
    for assistant in opened:
        assistant.close()
