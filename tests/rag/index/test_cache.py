"""Vectors kept: whole ones are found, damaged ones are not, and a full disk is said to be full."""

import errno
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from rag.embed import Passage, Vectors
from rag.errors import StorageError
from rag.index.cache import FILE, EmbeddingCache
from rag.schema import EmbedderSpec, Span

ROOT = Path(__file__).resolve().parents[3]
SPEC = EmbedderSpec(model="m", revision="1", dim=4, max_tokens=16)
PASSAGES = [Passage(text=f"passage {n}", parts=(Span(start=0, end=3),) * n) for n in range(3)]


def _vectors(passage: Passage, *, dim: int = 4) -> Vectors:
    rows = 1 + len(passage.parts)
    return np.random.default_rng(len(passage.text) + rows).standard_normal((rows, dim)).astype(np.float32)


def _pairs() -> list[tuple[Passage, Vectors]]:
    return [(passage, _vectors(passage)) for passage in PASSAGES]


@pytest.fixture
def cache(home: Path) -> Iterator[EmbeddingCache]:
    with closing(EmbeddingCache(home, SPEC)) as opened:
        yield opened


def _reopened(home: Path, spec: EmbedderSpec = SPEC) -> dict[int, Vectors]:
    with closing(EmbeddingCache(home, spec)) as opened:
        return opened.get(PASSAGES)


def _quarantined(home: Path) -> list[str]:
    folder = home / "quarantine"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_what_was_put_is_found_bit_by_bit_also_later(home: Path, cache: EmbeddingCache) -> None:
    assert cache.get(PASSAGES) == {}
    cache.put(_pairs()[1:])
    for found in (cache.get(PASSAGES), _reopened(home)):
        assert set(found) == {1, 2}
        assert all(np.array_equal(rows, _vectors(PASSAGES[n])) for n, rows in found.items())


def test_the_last_vectors_put_are_kept(cache: EmbeddingCache) -> None:
    cache.put(_pairs())
    cache.put([(PASSAGES[0], np.ones((1, 4), dtype=np.float32))])
    assert cache.get(PASSAGES[:1])[0].tolist() == [[1, 1, 1, 1]]


@pytest.mark.parametrize(
    "passage",
    [
        Passage(text="other"),
        Passage(text="passage 1"),
        Passage(text="passage 1", parts=(Span(start=0, end=4),)),
        Passage(text="passage 1", parts=(Span(start=1, end=3),)),
        Passage(text="passage 1\x000:3"),
    ],
)
def test_another_text_or_other_parts_are_another_passage(cache: EmbeddingCache, passage: Passage) -> None:
    cache.put(_pairs())
    assert cache.get([passage]) == {}


@pytest.mark.parametrize(
    "spec",
    [
        EmbedderSpec(model="other", revision="1", dim=4, max_tokens=16),
        EmbedderSpec(model="m", revision="2", dim=4, max_tokens=16),
        EmbedderSpec(model="m", revision="1", dim=8, max_tokens=16),
        EmbedderSpec(model="m", revision="1", dim=4, max_tokens=16, passage_prefix="p: "),
    ],
)
def test_another_embedder_finds_nothing_and_takes_nothing_away(home: Path, spec: EmbedderSpec) -> None:
    with closing(EmbeddingCache(home, SPEC)) as cache:
        cache.put(_pairs())
    assert _reopened(home, spec) == {}
    with closing(EmbeddingCache(home, spec)) as other:
        other.put([(passage, _vectors(passage, dim=spec.dim)) for passage in PASSAGES])
    assert len(_reopened(home)) == len(_reopened(home, spec)) == 3


@pytest.mark.parametrize(
    "damage",
    [  # of passage 1 alone, the one with two rows of four floats
        "update vectors set data = zeroblob(32) where length(data) = 32",
        "update vectors set data = x'00' where length(data) = 32",
        "update vectors set crc = crc + 1 where length(data) = 32",
    ],
)
def test_a_damaged_value_counts_as_absent_and_is_replaced(
    home: Path, cache: EmbeddingCache, damage: str
) -> None:
    cache.put(_pairs())
    with closing(sqlite3.connect(home / FILE)) as database, database:
        database.execute(damage)
    assert set(cache.get(PASSAGES)) == {0, 2}
    cache.put(_pairs())
    assert set(cache.get(PASSAGES)) == {0, 1, 2}


def test_vectors_of_another_shape_are_not_handed_out(home: Path, cache: EmbeddingCache) -> None:
    cache.put([(PASSAGES[2], np.zeros((2, 4), dtype=np.float32))])
    assert cache.get(PASSAGES) == {}


def test_a_file_that_is_no_database_is_set_aside(home: Path) -> None:
    (home / "cache").mkdir(parents=True)
    for n in range(2):
        (home / FILE).write_bytes(b"no database at all " * 100 + bytes([n]))
        assert _reopened(home) == {}
    assert _quarantined(home) == ["embeddings.sqlite", "embeddings.sqlite+"]
    assert (home / "quarantine" / "embeddings.sqlite+").read_bytes().endswith(b"\x01")
    with closing(EmbeddingCache(home, SPEC)) as cache:
        cache.put(_pairs())
    assert len(_reopened(home)) == 3


def _damage_inside(home: Path) -> None:
    """Overwrite all pages but the first, so that the file opens and fails when it is read."""
    with (home / FILE).open("r+b") as file:
        size = len(file.read())
        assert size > 4096
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))


def test_a_file_damaged_inside_is_set_aside_when_it_is_read(home: Path) -> None:
    with closing(EmbeddingCache(home, SPEC)) as cache:
        cache.put(_pairs())
    _damage_inside(home)
    with closing(EmbeddingCache(home, SPEC)) as cache:
        assert cache.get(PASSAGES) == {}
        cache.put(_pairs())
        assert set(cache.get(PASSAGES)) == {0, 1, 2}
    assert _quarantined(home) == ["embeddings.sqlite"]


def test_a_file_damaged_inside_is_set_aside_when_it_is_written(home: Path) -> None:
    with closing(EmbeddingCache(home, SPEC)) as cache:
        cache.put(_pairs())
    _damage_inside(home)
    with closing(EmbeddingCache(home, SPEC)) as cache:
        cache.put(_pairs())
    assert len(_reopened(home)) == 3
    assert _quarantined(home) == ["embeddings.sqlite"]


KILLED = """
import os, sys
from pathlib import Path
from tests.rag.index.test_cache import SPEC, _pairs
from rag.index.cache import EmbeddingCache

EmbeddingCache(Path(sys.argv[1]), SPEC).put(_pairs()[:int(sys.argv[2])])
os.kill(os.getpid(), 9)
"""


def _put_and_die(home: Path, n: int) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(home), str(n)], cwd=ROOT, check=False)
    assert done.returncode == -9


def test_what_was_put_outlives_a_kill_right_after_it(home: Path) -> None:
    for n in (1, 2, 3):
        _put_and_die(home, n)
        assert len(_reopened(home)) == n


def test_the_log_of_a_damaged_file_is_not_read_into_the_next_one(home: Path) -> None:
    _put_and_die(home, 3)
    assert (home / f"{FILE}-wal").stat().st_size > 0
    (home / FILE).write_bytes(b"no database at all " * 500)
    (log := home / f"{FILE}-wal").write_bytes(b"no log at all" + log.read_bytes()[13:])
    assert _reopened(home) == {}
    assert _quarantined(home) == ["embeddings.sqlite"]


def test_a_locked_cache_is_a_storage_error_and_nothing_is_set_aside(
    home: Path, cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *args, **kwargs: connect(*args, **kwargs, timeout=0))
    with closing(connect(home / FILE)) as other, closing(EmbeddingCache(home, SPEC)) as late:
        other.execute("begin immediate")
        with pytest.raises(StorageError, match="locked"):
            late.put(_pairs())
        other.rollback()
    assert (home / FILE).exists()
    assert _quarantined(home) == []


@pytest.fixture
def small_files() -> Iterator[None]:
    """No file of this process may grow past 64 KiB: the nearest thing to a full disk that needs no root."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 * 1024, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_disk_that_takes_no_more_is_a_storage_error(
    home: Path, cache: EmbeddingCache, small_files: None
) -> None:
    cache.put(_pairs())
    many = [(Passage(text=str(n)), np.ones((1, 4), dtype=np.float32)) for n in range(5000)]
    with pytest.raises(StorageError, match="cache"):
        cache.put(many)
    assert set(cache.get(PASSAGES)) == {0, 1, 2}
    assert _quarantined(home) == []


def test_a_full_disk_is_called_full(
    home: Path, cache: EmbeddingCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(sqlite3.Connection):
        """A connection that may not add pages: SQLite answers as on a full disk."""

        def __init__(self, *args: object, **kwargs: object) -> None:
            super().__init__(*args, **kwargs)  # type: ignore[arg-type]
            self.execute("pragma max_page_count = 4")

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path: connect(path, factory=Full))
    with closing(EmbeddingCache(home, SPEC)) as full:
        with pytest.raises(StorageError, match="No room left") as caught:
            full.put([(Passage(text=str(n)), np.ones((1, 4), dtype=np.float32)) for n in range(5000)])
        assert isinstance(caught.value.__cause__, OSError)
        assert caught.value.__cause__.errno == errno.ENOSPC
        assert full.get([Passage(text="0")]) == {}
        full.put(_pairs())
    assert len(_reopened(home)) == 3


def test_a_cache_that_cannot_be_opened_is_a_storage_error(home: Path) -> None:
    (home / FILE).mkdir(parents=True)
    with pytest.raises(StorageError, match="cache"):
        EmbeddingCache(home, SPEC)
