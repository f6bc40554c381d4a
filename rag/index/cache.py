"""Vectors that were computed before, so that nothing is embedded twice: not after an edit, a crash or a rebuild.

One SQLite file, `cache/embeddings.sqlite`; a key is a digest of the embedder and of all that it was shown, a value
the float32 rows with a checksum. A damaged value counts as absent, a damaged file goes into quarantine; that
costs time, nothing else. What was put survives a kill at once (write-ahead log); a power cut can take back the last
puts, some 4 MB, and leaves a whole file.
"""

import hashlib
import sqlite3
import zlib
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from rag.embed import Passage, Vectors
from rag.index.database import sqlite_storage
from rag.index.files import make_folder, move_aside, remove
from rag.schema import EmbedderSpec

FILE = Path("cache") / "embeddings.sqlite"
_LOG = ("-wal", "-shm")  # what SQLite adds to the name for its log
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
        with sqlite_storage(self._path.parent):
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

    def missing(self, passages: Sequence[Passage]) -> set[bytes]:
        """A digest for each distinct passage that was never put; damage is noticed only by `get`."""
        query = "select crc, key from vectors where key = ?"
        return {key for key in map(self._key, passages) if not self._execute(query, [(key,)])}

    def put(self, computed: Iterable[tuple[Passage, Vectors]]) -> None:
        """Keep vectors; one transaction, and a process that is killed afterwards has kept them."""
        rows = []
        for passage, vectors in computed:
            data = np.ascontiguousarray(vectors, dtype=np.float32).tobytes()
            rows.append((self._key(passage), zlib.crc32(data), data))
        self._execute("insert or replace into vectors values (?, ?, ?)", rows)

    def close(self) -> None:
        """Close the file, with all that was put on the disk."""
        self._database.close()

    def _execute(self, statement: str, parameters: Sequence[tuple[object, ...]]) -> list[tuple[int, bytes]]:
        """Run a statement for each of the parameters, in one transaction; a damaged file is replaced by a new one."""
        with sqlite_storage(self._path.parent):
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
        for file in _LOG:  # of the damaged file: no other is to be mended with it
            remove(self._path.with_name(self._path.name + file))
        move_aside(self._path, self._home / "quarantine")

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path)
        try:
            # No fsync a put: those of the usual journal take longer than embedding what they secure.
            database.execute("pragma journal_mode = wal")
            database.execute("pragma synchronous = normal")
            with closing(database.execute(_SCHEMA)):
                database.commit()
        except sqlite3.DatabaseError:
            database.close()
            raise
        return database

    def _key(self, passage: Passage) -> bytes:
        shown = "\0".join([repr(self._spec), passage.text, *(f"{p.start}:{p.end}" for p in passage.parts)])
        return hashlib.sha256(shown.encode()).digest()
