"""The dense half against the obvious way to do it."""

import numpy as np
import numpy.typing as npt
import pytest

from rag.embed import Vectors
from rag.errors import IndexCorrupt
from rag.index.dense import Dense, build_dense


def _unit(n: int, dim: int = 16, *, seed: int = 1) -> Vectors:
    drawn = np.random.default_rng(seed).standard_normal((n, dim)).astype(np.float32)
    unit: Vectors = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    return _unit(200)


@pytest.fixture(scope="module")
def dense(vectors: Vectors) -> Dense:
    return Dense(build_dense(vectors))


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


def test_an_index_of_nothing_finds_nothing() -> None:
    dense = Dense(build_dense(np.zeros((0, 16), dtype=np.float32)))
    rows, cosines = dense.search(_unit(1)[0], k=5)
    assert (len(dense), len(rows), len(cosines)) == (0, 0, 0)


def test_rows_that_do_not_lie_together_in_memory_are_indexed_as_they_read(vectors: Vectors) -> None:
    assert build_dense(vectors[::2]) == build_dense(np.ascontiguousarray(vectors[::2]))


@pytest.mark.parametrize("data", [b"", b"IxFI", b"not an index at all"])
def test_bytes_that_are_no_index_are_corrupt(data: bytes) -> None:
    with pytest.raises(IndexCorrupt, match=r"dense\.faiss"):
        Dense(data)


def test_an_index_cut_short_is_corrupt(vectors: Vectors) -> None:
    with pytest.raises(IndexCorrupt):
        Dense(build_dense(vectors)[:-100])
