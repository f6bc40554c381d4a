"""Vectors that were computed before, so that nothing is embedded twice: not after an edit, a crash or a rebuild.

One SQLite file, `cache/embeddings.sqlite`; a key is a digest of the embedder and of all that it was shown, a value
the float32 rows with a checksum. A damaged value counts as absent, a damaged file goes into quarantine; that
costs time, nothing else.
"""

import errno
import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from rag.embed import Passage, Vectors
from rag.index.files import make_folder, move_aside, storage
from rag.schema import EmbedderSpec

FILE = Path("cache") / "embeddings.sqlite"
_SCHEMA = (
    "create table if not exists vectors (key blob primary key, crc integer not null, data blob not null)"
)


class EmbeddingCache:
    """Rows of `(1 + parts, dim)` float32 per passage.

    Every method raises `StorageError` where the disk is full, read-only or failing.
    """

    def __init__(self, home: Path, spec: EmbedderSpec) -> None:
        self._home = home
        self._path = home / FILE
        self._spec = spec
        make_folder(self._path.parent)
        with _sqlite_storage(self._path.parent):
            try:
                self._database = self._open()
            except sqlite3.OperationalError:
                raise  # locked, full or out of reach: no reason to set anything aside
            except sqlite3.DatabaseError:  # not a database any more
                self._set_aside()
                self._database = self._open()

    def get(self, passages: Sequence[Passage]) -> dict[int, Vectors]:
        """Position in `passages` to vectors, for those that are known and whole."""
        found: dict[int, Vectors] = {}
        for n, passage in enumerate(passages):
            query = "select crc, data from vectors where key = ?"
            row = next(iter(self._execute(query, [(self._key(passage),)])), None)
            rows = 1 + len(passage.parts)
            if row and zlib.crc32(row[1]) == row[0] and len(row[1]) == rows * self._spec.dim * 4:
                found[n] = np.frombuffer(row[1], dtype=np.float32).reshape(rows, self._spec.dim)
        return found

    def put(self, computed: Iterable[tuple[Passage, Vectors]]) -> None:
        """Keep vectors; one transaction, so that a kill loses at most this call's."""
        rows = []
        for passage, vectors in computed:
            data = np.ascontiguousarray(vectors, dtype=np.float32).tobytes()
            rows.append((self._key(passage), zlib.crc32(data), data))
        self._execute("insert or replace into vectors values (?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file; what was put is on the disk already."""
        self._database.close()

    def _execute(self, statement: str, parameters: Sequence[tuple[object, ...]]) -> list[tuple[int, bytes]]:
        """Run a statement for each of the parameters, in one transaction; a damaged file is replaced by a new one."""
        with _sqlite_storage(self._path.parent):
            try:
                return self._run(statement, parameters)
            except sqlite3.OperationalError:
                raise
            except sqlite3.DatabaseError:
                self._database.close()
                self._set_aside()
                self._database = self._open()
                return self._run(statement, parameters)

    def _run(self, statement: str, parameters: Sequence[tuple[object, ...]]) -> list[tuple[int, bytes]]:
        with self._database:
            return [row for values in parameters for row in self._database.execute(statement, values)]

    def _set_aside(self) -> None:
        move_aside(self._path, self._home / "quarantine")

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        try:
            with closing(database.execute(_SCHEMA)):
                database.commit()
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def _key(self, passage: Passage) -> bytes:
        shown = "\0".join([repr(self._spec), passage.text, *(f"{p.start}:{p.end}" for p in passage.parts)])
        return hashlib.sha256(shown.encode()).digest()


@contextmanager
def _sqlite_storage(folder: Path) -> Iterator[None]:
    """A full or read-only disk under SQLite is the same `StorageError` as under a plain file."""
    with storage(folder):
        try:
            yield
        except sqlite3.OperationalError as error:
            full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
            raise OSError(errno.ENOSPC if full else None, str(error)) from error
