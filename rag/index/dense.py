"""The dense half of the index: exact cosine search over unit vectors. The only module that knows FAISS.

Vectors go to bytes and back through memory: `faiss.write_index` was seen to return without error on a full disk, and
FAISS notices no flipped bit; writing and checking belong to `rag.index.generations`.
"""

from typing import Any, cast

import faiss
import numpy as np
import numpy.typing as npt

from rag.embed import Vectors
from rag.errors import IndexCorrupt

FILE = "dense.faiss"


def build_dense(vectors: Vectors) -> bytes:
    """A flat inner-product index over `(n, dim)` float32 unit rows."""
    index: Any = faiss.IndexFlatIP(vectors.shape[1])
    if len(vectors):
        index.add(np.ascontiguousarray(vectors))
    return bytes(faiss.serialize_index(index).tobytes())


class Dense:
    """Row `i` is chunk `i`."""

    def __init__(self, data: bytes) -> None:
        try:
            self._index: Any = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
        except RuntimeError as error:
            raise IndexCorrupt(f"{FILE} cannot be read: {error}") from error

    def __len__(self) -> int:
        return int(self._index.ntotal)

    def search(self, vector: Vectors, *, k: int) -> tuple[npt.NDArray[np.int64], Vectors]:
        """The `k` best rows and their cosines, best first; all rows if there are fewer."""
        if not min(k, len(self)):  # FAISS asserts that k > 0
            return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
        cosines, rows = self._index.search(vector[None, :], min(k, len(self)))
        return rows[0], cosines[0]

    def cosines(self, vector: Vectors, rows: npt.NDArray[np.int64]) -> Vectors:
        """The cosines of chosen rows, in their order."""
        if not len(rows):
            return np.zeros(0, dtype=np.float32)
        return cast(Vectors, self._index.reconstruct_batch(rows) @ vector)
