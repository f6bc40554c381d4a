"""The dense half against the obvious way to do it."""

import errno
from pathlib import Path

import faiss
import numpy as np
import numpy.typing as npt
import pytest

from rag.embed import Vectors
from rag.errors import IndexCorrupt
from rag.index.dense import FILE, Dense, write_dense


def _unit(n: int, dim: int = 16, *, seed: int = 1) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    unit: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return _unit(200)


def _written(vectors: Vectors, folder: Path, *, flat_up_to: int = 1000) -> Path:
    raw = folder / "raw"
    raw.write_bytes(vectors.tobytes())
    with (folder / FILE).open("wb") as file:
        write_dense(raw, file, shape=(len(vectors), vectors.shape[1]), flat_up_to=flat_up_to)
    return folder


@pytest.fixture(scope="module")
def dense(vectors: Vectors, tmp_path_factory: pytest.TempPathFactory) -> Dense:
    return Dense(_written(vectors, tmp_path_factory.mktemp("dense")))


@pytest.mark.parametrize("seed", range(2, 12))
def test_search_finds_what_brute_force_finds(dense: Dense, vectors: Vectors, seed: int) -> None:
    query = _unit(1, seed=seed)[0]
    rows, cosines = dense.search(query, k=10)
    brute = vectors @ query
    assert list(rows) == list(np.argsort(-brute)[:10])
    assert cosines == pytest.approx(np.sort(brute)[::-1][:10], abs=1e-6)


def test_each_row_is_nearest_to_itself(dense: Dense, vectors: Vectors) -> None:
    assert [int(dense.search(vector, k=1)[0][0]) for vector in vectors] == list(range(200))


def test_no_more_rows_are_found_than_there_are(dense: Dense, vectors: Vectors) -> None:
    rows, cosines = dense.search(vectors[0], k=1000)
    assert sorted(rows) == list(range(200))
    assert list(cosines) == sorted(cosines, reverse=True)
    assert len(dense.search(vectors[0], k=0)[0]) == 0


def test_cosines_of_chosen_rows_come_in_their_order(dense: Dense, vectors: Vectors) -> None:
    rows: npt.NDArray[np.int64] = np.array([7, 0, 199, 7])
    assert dense.cosines(vectors[3], rows) == pytest.approx(vectors[rows] @ vectors[3], abs=1e-6)
    assert dense.cosines(vectors[3], rows[:0]).shape == (0,)


def test_an_index_of_nothing_finds_nothing(tmp_path: Path) -> None:
    dense = Dense(_written(np.zeros((0, 16), dtype=np.float32), tmp_path))
    rows, cosines = dense.search(_unit(1)[0], k=5)
    assert (len(dense), len(rows), len(cosines)) == (0, 0, 0)


def test_rows_come_back_as_they_were_written(dense: Dense, vectors: Vectors) -> None:
    assert np.array_equal(dense.vectors(np.arange(200)), vectors)


@pytest.mark.parametrize("data", [None, b"", b"IxFI", b"not an index at all"])
def test_a_file_that_is_no_index_is_corrupt(data: bytes | None, tmp_path: Path) -> None:
    if data is not None:
        (tmp_path / FILE).write_bytes(data)
    with pytest.raises(IndexCorrupt, match=r"dense\.faiss"):
        Dense(tmp_path)


@pytest.mark.parametrize("flat_up_to", [1000, 100])
def test_an_index_cut_short_is_corrupt(vectors: Vectors, tmp_path: Path, flat_up_to: int) -> None:
    file = _written(vectors, tmp_path, flat_up_to=flat_up_to) / FILE
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(IndexCorrupt):
        Dense(tmp_path)


class FullDisk:
    def write(self, data: bytes, /) -> int:
        raise OSError(errno.ENOSPC, "full")


@pytest.mark.parametrize("flat_up_to", [1000, 100])
def test_what_the_disk_refuses_is_not_lost_on_the_way_through_faiss(
    vectors: Vectors, tmp_path: Path, flat_up_to: int
) -> None:
    (tmp_path / "raw").write_bytes(vectors.tobytes())
    with pytest.raises(OSError, match="full"):
        write_dense(tmp_path / "raw", FullDisk(), shape=(200, 16), flat_up_to=flat_up_to)


@pytest.mark.parametrize("n", [0, 1, 7, 20_000])
def test_a_flat_index_is_byte_for_byte_what_faiss_would_write(tmp_path: Path, n: int) -> None:
    vectors = _unit(n)
    index = faiss.IndexFlatIP(16)
    index.add(vectors)
    written = _written(vectors, tmp_path, flat_up_to=n) / FILE
    assert written.read_bytes() == faiss.serialize_index(index).tobytes()


def test_many_rows_go_into_lists_and_nearly_the_same_is_found(tmp_path: Path) -> None:
    centres = _unit(50, seed=3)
    near = np.repeat(centres, 100, axis=0) + 0.2 * _unit(5000, seed=4)
    vectors: Vectors = near / np.linalg.norm(near, axis=1, keepdims=True)
    lists = Dense(_written(vectors, tmp_path, flat_up_to=4999))
    assert len(lists) == 5000
    queries = vectors[::50] + 0.02 * _unit(100, seed=5)
    found = [set(lists.search(query, k=10)[0]) for query in queries]
    brute = [set(np.argsort(-(vectors @ query))[:10]) for query in queries]
    assert sum(len(a & b) for a, b in zip(found, brute, strict=True)) >= 980  # of 1,000
    rows: npt.NDArray[np.int64] = np.array([4999, 0, 7])
    assert np.array_equal(lists.vectors(rows), vectors[rows])
    assert lists.cosines(queries[0], rows) == pytest.approx(vectors[rows] @ queries[0], abs=1e-6)
