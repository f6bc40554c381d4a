"""Documents and chunks as rows of one SQLite file. Built in memory, read without locks; nothing is pickled.

`chunks.row` is the row of the chunk in `dense.faiss` and in the lexical arrays; `chunks.first_sentence` is the row of
its first sentence in `sentences.npy`. Records are JSON, validated when read.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from rag.errors import IndexCorrupt
from rag.schema import Chunk, Document

FILE = "chunks.sqlite"
_SCHEMA = """
create table documents (source_id text primary key, path text not null, title text not null, record text not null);
create table chunks (row integer primary key, chunk_id text not null, source_id text not null,
                     first_sentence integer not null, record text not null, searched text not null);
create table works (source_id text, number integer, title text, url text, primary key (source_id, number));
create index chunks_of_source on chunks (source_id, row);
"""
T = TypeVar("T")
_DOCUMENT: TypeAdapter[Document] = TypeAdapter(Document)
_CHUNK: TypeAdapter[Chunk] = TypeAdapter(Chunk)


def build_rows(documents: Iterable[Document], chunks: Iterable[tuple[Chunk, str]]) -> bytes:
    """The file as bytes; chunks, each with its searched text, get rows 0, 1, … in their order."""
    with sqlite3.connect(":memory:") as database:
        database.executescript(_SCHEMA)
        for document in documents:
            source = document.source
            record = _DOCUMENT.dump_json(document).decode()
            database.execute(
                "insert into documents values (?, ?, ?, ?)",
                (source.source_id, source.path, document.title, record),
            )
            database.executemany(
                "insert into works values (?, ?, ?, ?)",
                [(source.source_id, work.number, work.title, work.url) for work in document.works],
            )
        first_sentence = 0
        for row, (chunk, searched) in enumerate(chunks):
            record = _CHUNK.dump_json(chunk).decode()
            database.execute(
                "insert into chunks values (?, ?, ?, ?, ?, ?)",
                (row, chunk.chunk_id, chunk.source_id, first_sentence, record, searched),
            )
            first_sentence += len(chunk.sentences)
        database.commit()
        return database.serialize()


class Rows:
    """Read-only access; safe to share between threads.

    Raises:
        IndexCorrupt: the file is missing or none of ours.
    """

    def __init__(self, folder: Path) -> None:
        uri = (folder / FILE).resolve().as_uri() + "?mode=ro&immutable=1"
        try:
            self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
            try:
                self._n_chunks = int(self._database.execute("select count(*) from chunks").fetchone()[0])
            except sqlite3.DatabaseError:
                self._database.close()
                raise
        except sqlite3.DatabaseError as error:
            raise IndexCorrupt(f"{FILE} cannot be read: {error}") from error

    def __len__(self) -> int:
        return self._n_chunks

    def chunks(self, rows: Sequence[int]) -> tuple[tuple[Chunk, int], ...]:
        """Chunks with the row of their first sentence, in the order asked for."""
        found = {}
        for start in range(0, len(rows), 500):
            part = [int(row) for row in rows[start : start + 500]]
            places = ",".join("?" * len(part))
            query = f"select row, first_sentence, record from chunks where row in ({places})"  # noqa: S608 (only ?)
            for row, first, record in self._database.execute(query, part):
                found[row] = (_read(_CHUNK, record), first)
        return tuple(found[int(row)] for row in rows)

    def rows_of(self, source_id: str) -> tuple[int, ...]:
        """The rows of a source's chunks, in reading order."""
        query = "select row from chunks where source_id = ? order by row"
        return tuple(row for (row,) in self._database.execute(query, (source_id,)))

    def indexed(self, source_id: str) -> Iterator[tuple[Chunk, str]]:
        """The chunks of a source with their searched texts, in reading order."""
        query = "select record, searched from chunks where source_id = ? order by row"
        for record, searched in self._database.execute(query, (source_id,)):
            yield _read(_CHUNK, record), searched

    def document(self, source_id: str) -> Document:
        """One document, whole.

        Raises:
            KeyError: no such document in this generation.
        """
        found = self._database.execute(
            "select record from documents where source_id = ?", (source_id,)
        ).fetchone()
        if found is None:
            raise KeyError(source_id)
        return _read(_DOCUMENT, found[0])

    def source_at(self, path: str) -> str:
        """The id of the source of that path.

        Raises:
            KeyError: no such source in this generation.
        """
        found = self._database.execute("select source_id from documents where path = ?", (path,)).fetchone()
        if found is None:
            raise KeyError(path)
        return str(found[0])

    def titles(self) -> dict[str, tuple[str, str]]:
        """Source id to (path, title)."""
        query = "select source_id, path, title from documents order by source_id"
        return {source_id: (path, title) for source_id, path, title in self._database.execute(query)}

    def close(self) -> None:
        """Close the file; nothing can be read any more."""
        self._database.close()


def _read(adapter: TypeAdapter[T], record: str) -> T:
    """A record as it was written; one that does not fit was written by another version."""
    try:
        return adapter.validate_json(record)
    except ValidationError as error:
        raise IndexCorrupt(f"{FILE} holds a record of another form: {error}") from error
