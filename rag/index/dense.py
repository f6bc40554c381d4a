"""The dense half of the index: cosine search over unit vectors. The only module that knows FAISS.

Exact (flat) up to `FLAT_UP_TO` rows, above that by inverted lists; both behind `Dense`. What FAISS writes goes through
our own sink: `faiss.write_index` was seen to return without error on a full disk, and FAISS notices no flipped bit;
writing and checking belong to `rag.index.generations`. What is read stays in the file, mapped into memory.
"""

import math
import struct
from pathlib import Path
from typing import Any, cast

import faiss
import numpy as np
import numpy.typing as npt

from rag.embed import Vectors
from rag.errors import IndexCorrupt
from rag.index.files import Sink, copy_file

FILE = "dense.faiss"
FLAT_UP_TO = 200_000  # rows; 384 dimensions: 300 MB and about 35 ms a query
_AT_ONCE = 16_384  # rows handed to FAISS together
_TRAINED_ON = 64  # rows per list
_N_ROWS_AT = 8  # bytes: behind a mark and the dimension
_PROBES = 32  # lists looked into: recall@10 of .990 over 220,000 made-up rows in 4,400 clusters (16: .988)


def write_dense(raw: Path, sink: Sink, *, shape: tuple[int, int], flat_up_to: int = FLAT_UP_TO) -> None:
    """Write an index over `(n, dim)` float32 unit rows that lie in a file, one after another and nothing else."""
    if shape[0] > flat_up_to:
        _write_lists(np.memmap(raw, np.float32, "r", shape=shape), sink)
    else:
        sink.write(_flat_header(*shape))
        copy_file(raw, sink)


def _flat_header(n: int, dim: int) -> bytes:
    """What FAISS writes before the vectors of a flat index, so that they need not be in memory to be written."""
    one: Any = faiss.IndexFlatIP(dim)
    one.add(np.zeros((1, dim), dtype=np.float32))
    header = bytearray(faiss.serialize_index(one).tobytes()[: -4 * dim])
    for place, value, expected in ((_N_ROWS_AT, n, 1), (len(header) - 8, n * dim, dim)):
        if struct.unpack_from("<q", header, place)[0] != expected:
            raise NotImplementedError("this version of FAISS writes flat indexes in a form of its own")
        struct.pack_into("<q", header, place, value)
    return bytes(header)


def _write_lists(vectors: Vectors, sink: Sink) -> None:
    n, dim = vectors.shape
    n_lists = 2 ** round(math.log2(2 * math.sqrt(n)))
    index: Any = faiss.IndexIVFFlat(faiss.IndexFlatIP(dim), dim, n_lists, faiss.METRIC_INNER_PRODUCT)
    index.train(np.ascontiguousarray(vectors[:: max(1, n // (_TRAINED_ON * n_lists))]))
    index.nprobe = min(_PROBES, n_lists)
    for start in range(0, n, _AT_ONCE):
        index.add(np.ascontiguousarray(vectors[start : start + _AT_ONCE]))
    index.make_direct_map()
    _write(index, sink)


def _write(index: Any, sink: Sink) -> None:
    """Through FAISS's writer, which does not look at what its callback returns and loses what it raises."""
    refused: list[OSError] = []

    def take(block: bytes) -> int:
        if refused:
            return 0
        try:
            return sink.write(block)
        except OSError as error:
            refused.append(error)
            return 0

    writer: Any = faiss.PyCallbackIOWriter  # type: ignore[attr-defined]  # made by its loader
    faiss.write_index(index, writer(take, 1 << 20))
    if refused:
        raise refused[0]


class Dense:
    """Row `i` is chunk `i`.

    Raises:
        IndexCorrupt: the file is missing or no index.
    """

    def __init__(self, folder: Path) -> None:
        try:
            self._index: Any = faiss.read_index(str(folder / FILE), faiss.IO_FLAG_MMAP_IFC)
        except RuntimeError as error:
            raise IndexCorrupt(f"{FILE} cannot be read: {error}") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vectors, *, k: int) -> tuple[npt.NDArray[np.int64], Vectors]:
        """The `k` best rows and their cosines, best first; all rows if there are fewer."""
        if not min(k, len(self)):  # FAISS asserts that k > 0
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        cosines, rows = self._index.search(vector[None, :], min(k, len(self)))
        near: npt.NDArray[np.int64] = rows[0]
        n_found = int((near >= 0).sum())  # the lists that were looked into may hold fewer
        return near[:n_found], cosines[0][:n_found]

    def cosines(self, vector: Vectors, rows: npt.NDArray[np.int64]) -> Vectors:
        """The cosines of chosen rows, in their order."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        return cast(Vectors, self.vectors(rows) @ vector)

    def vectors(self, rows: npt.NDArray[np.int64]) -> Vectors:
        """Chosen rows as they were written, `(rows, dim)`."""
        return cast(Vectors, self._index.reconstruct_batch(rows))
