"""A store of generations, empty and with two of them."""

from pathlib import Path

import pytest

from rag.index.generations import Generations
from tests.rag.index.stored import commit


@pytest.fixture
def store(tmp_path: Path) -> Generations:
    return Generations(tmp_path / "home")


@pytest.fixture
def two(store: Generations) -> Generations:
    commit(store, 1)
    commit(store, 2)
    return store
