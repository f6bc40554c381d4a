"""Small numbered generations, for tests of how they are kept."""

from pathlib import Path

from rag.index.generations import Generations, Opened
from rag.index.manifest import ChunkerSpec, Counts, Draft
from rag.schema import EmbedderSpec

DRAFT = Draft(
    built_by="0.1.0",
    embedder=EmbedderSpec(model="stub", revision="1", dim=4, max_tokens=16),
    chunker=ChunkerSpec(name="plain", version=1, target_tokens=8, max_tokens=16),
    counts=Counts(documents=1, chunks=1, sentences=1),
    sources=(),
)
NAMES = ("dense.faiss", "lexical/data.npy")


def contents(n: int) -> dict[str, bytes]:
    return {name: f"{name} {n}".encode() for name in NAMES}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def commit(store: Generations, n: int) -> str:
    with store.writer() as writer:
        return writer.commit(contents(n), DRAFT)


def number(opened: Opened) -> int:
    """Which of the numbered contents a generation holds; all its files must agree."""
    found = {name: (opened.folder / name).read_bytes() for name in NAMES}
    n = int(found["dense.faiss"].split()[-1])
    assert found == contents(n)
    return n


def files_of(store: Generations) -> list[Path]:
    """All files of the current generation."""
    folder = store.folder(store.named() or "")
    return sorted(path for path in folder.rglob("*") if path.is_file())
