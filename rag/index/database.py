"""SQLite files of the index, and what a disk that refuses them says.

Knows no table. SQLite checks what it writes itself; a full or read-only disk under it is the same `StorageError` as
under a plain file.
"""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.index.files import storage


@contextmanager
def sqlite_storage(folder: Path) -> Iterator[None]:
    """Turn what SQLite cannot do on a disk into a `StorageError` that names the folder."""
    with storage(folder):
        try:
            yield
        except sqlite3.OperationalError as error:
            full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
            raise OSError(errno.ENOSPC if full else None, str(error)) from error
