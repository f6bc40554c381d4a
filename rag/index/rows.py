"""Documents and chunks as rows of one SQLite file: written one at a time, read without locks; nothing is pickled.

`chunks.row` is the row of the chunk in `dense.faiss` and in the lexical arrays; `chunks.first_sentence` is the row of
its first sentence in `sentences.npy`. Records are JSON, validated when read. The text of a document and its blocks lie
apart from its record, in parts, so that neither writing nor reading holds a second copy of a large one.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple, TypeVar

from pydantic import TypeAdapter, ValidationError

from rag.errors import IndexCorrupt
from rag.index.database import sqlite_storage
from rag.index.stored import StoredBlocks, StoredDocument, StoredText
from rag.schema import Block, BlockKind, Chunk, Document, Span

FILE = "chunks.sqlite"
_SCHEMA = """
create table documents (source_id text primary key, path text not null, title text not null, record text not null);
create table texts (source_id text, start integer, part text not null, primary key (source_id, start));
create table blocks (source_id text, first integer, records text not null, primary key (source_id, first));
create table chunks (row integer primary key, chunk_id text not null, source_id text not null,
                     first_sentence integer not null, n_sentences integer not null,
                     record text not null, searched text not null);
create table works (source_id text, number integer, title text, url text, primary key (source_id, number));
create index chunks_of_source on chunks (source_id, row);
"""
_PART = 1 << 16  # code points of text
_RUN = 1000  # blocks
_AT_ONCE = 256  # chunks read together
_KEPT = 4096  # chunks kept in memory once read, some 5 KiB each
T = TypeVar("T")
_DOCUMENT: TypeAdapter[Document] = TypeAdapter(Document)
_BLOCKS: TypeAdapter[tuple[Block, ...]] = TypeAdapter(tuple[Block, ...])
_CHUNK: TypeAdapter[Chunk] = TypeAdapter(Chunk)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """Where the chunks of a source stood: their rows, and the rows of their sentences."""

    rows: range
    sentences: range


class Searched(NamedTuple):
    """A row's searched text. Its last `n_own` characters are the chunk; rows of one `place` are read together."""

    text: str
    n_own: int
    place: tuple[str, str, int]


class RowsBuilder:
    """Writes the file; documents, then chunks with their searched texts get rows 0, 1, … in the order they come.

    The file is in the making until `close`: a crash leaves it broken. Every method raises `StorageError` where the
    disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self._folder = path.parent
        self._closed = False
        self.n_chunks = 0
        self.n_sentences = 0
        with sqlite_storage(self._folder):
            self._database = sqlite3.connect(path.resolve().as_uri(), uri=True)
            self._database.execute("pragma journal_mode = off")
            self._database.execute("pragma synchronous = off")
            self._database.executescript(_SCHEMA)

    def add_document(self, document: Document) -> None:
        """A document without its chunks."""
        source = document.source
        record = _DOCUMENT.dump_json(replace(document, text="", blocks=())).decode()
        text, blocks = document.text, document.blocks
        parts = ((source.source_id, at, text[at : at + _PART]) for at in range(0, len(text), _PART))
        runs = (
            (source.source_id, at, _BLOCKS.dump_json(blocks[at : at + _RUN]).decode())
            for at in range(0, len(blocks), _RUN)
        )
        works = ((source.source_id, work.number, work.title, work.url) for work in document.works)
        with sqlite_storage(self._folder):
            insert = "insert into documents values (?, ?, ?, ?)"
            self._database.execute(insert, (source.source_id, source.path, document.title, record))
            self._database.executemany("insert into texts values (?, ?, ?)", parts)
            self._database.executemany("insert into blocks values (?, ?, ?)", runs)
            self._database.executemany("insert into works values (?, ?, ?, ?)", works)

    def add_chunk(self, chunk: Chunk, searched: str) -> None:
        """The next row."""
        record = _CHUNK.dump_json(chunk).decode()
        n_sentences = len(chunk.sentences)
        values = (
            self.n_chunks,
            chunk.chunk_id,
            chunk.source_id,
            self.n_sentences,
            n_sentences,
            record,
            searched,
        )
        with sqlite_storage(self._folder):
            self._database.execute("insert into chunks values (?, ?, ?, ?, ?, ?, ?)", values)
        self.n_chunks += 1
        self.n_sentences += n_sentences

    def copy(self, folder: Path, source_id: str) -> Copied:
        """A document and its chunks as they are in another generation."""
        with sqlite_storage(self._folder):
            self._database.commit()
            self._database.execute("attach ? as old", ((folder / FILE).resolve().as_uri() + _READ_ONLY,))
            try:
                return self._copy(source_id)
            finally:
                self._database.commit()
                self._database.execute("detach old")

    def _copy(self, source_id: str) -> Copied:
        for table in ("documents", "texts", "blocks", "works"):
            self._database.execute(
                f"insert into {table} select * from old.{table} where source_id = ?",  # noqa: S608 (names of ours)
                (source_id,),
            )
        row, sentence, n_chunks, n_sentences = self._database.execute(
            "select min(row), min(first_sentence), count(*), sum(n_sentences) from old.chunks where source_id = ?",
            (source_id,),
        ).fetchone()
        self._database.execute(
            "insert into chunks select row + ?, chunk_id, source_id, first_sentence + ?, n_sentences, record, searched"
            " from old.chunks where source_id = ? order by row",
            (self.n_chunks - row, self.n_sentences - sentence, source_id),
        )
        self.n_chunks += n_chunks
        self.n_sentences += n_sentences
        return Copied(rows=range(row, row + n_chunks), sentences=range(sentence, sentence + n_sentences))

    def chunks(self, rows: range) -> Iterator[list[tuple[Chunk, str]]]:
        """Chunks of consecutive rows with their searched texts, some at a time."""
        query = "select record, searched from chunks where row >= ? and row < ? order by row"
        for start in range(rows.start, rows.stop, _AT_ONCE):
            found = self._database.execute(query, (start, min(start + _AT_ONCE, rows.stop)))
            yield [(_read(_CHUNK, record), searched) for record, searched in found]

    def searched(self) -> Iterator[Searched]:
        """The searched texts of all rows, in order."""
        query = (
            "select searched, length(json_extract(record, '$.text')), source_id,"
            " json_extract(record, '$.section_id'), json_extract(record, '$.sentences[0].kind')"
            " from chunks order by row"
        )
        for row, (text, n_own, source_id, section_id, kind) in enumerate(self._database.execute(query)):
            alone = row if kind == BlockKind.ENTRY else -1
            yield Searched(text=text, n_own=n_own, place=(source_id, section_id, alone))

    def close(self) -> None:
        """Finish the file; it can be read and copied then."""
        if not self._closed:
            self._closed = True
            with sqlite_storage(self._folder), closing(self._database):
                self._database.commit()


_READ_ONLY = "?mode=ro&immutable=1"


class Rows:
    """Read-only access; safe to share between threads.

    Raises:
        IndexCorrupt: the file is missing or none of ours.
    """

    def __init__(self, folder: Path) -> None:
        uri = (folder / FILE).resolve().as_uri() + _READ_ONLY
        self._reading = Lock()
        try:
            self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
            self._kept: dict[int, tuple[Chunk, int]] = {}
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
        """Chunks with the row of their first sentence, in the order asked for.

        Reading records is most of a warm search, so those read last are kept.
        """
        wanted = [int(row) for row in rows]
        found = {row: known for row in wanted if (known := self._kept.get(row)) is not None}
        missing = [row for row in wanted if row not in found]
        for start in range(0, len(missing), 500):
            part = missing[start : start + 500]
            places = ",".join("?" * len(part))
            query = f"select row, first_sentence, record from chunks where row in ({places})"  # noqa: S608 (only ?)
            for row, first, record in self._found(query, part):
                found[row] = (_read(_CHUNK, record), first)
        if missing:
            self._kept = dict(
                islice((found | self._kept).items(), _KEPT)
            )  # a new one: other threads read the old
        return tuple(found[row] for row in wanted)

    def rows_of(self, source_id: str) -> tuple[int, ...]:
        """The rows of a source's chunks, in reading order."""
        query = "select row from chunks where source_id = ? order by row"
        return tuple(row for (row,) in self._found(query, (source_id,)))

    def outline(self, source_id: str) -> Document:
        """A document without its text and its blocks, which are nearly all of a large one.

        Raises:
            KeyError: no such document in this generation.
        """
        found = self._found("select record from documents where source_id = ?", (source_id,))
        if not found:
            raise KeyError(source_id)
        return _read(_DOCUMENT, found[0][0])

    def document(self, source_id: str) -> Document:
        """One document, whole.

        Raises:
            KeyError: no such document in this generation.
        """
        outline = self.outline(source_id)
        runs = self._found("select records from blocks where source_id = ? order by first", (source_id,))
        blocks = tuple(block for (records,) in runs for block in _read(_BLOCKS, records))
        return replace(outline, text=self.text(source_id), blocks=blocks)

    def stored(self, source_id: str) -> StoredDocument:
        """One document of which only what is looked at is read.

        Raises:
            KeyError: no such document in this generation.
        """
        outline = self.outline(source_id)
        last_part = "select start + length(part) from texts where source_id = ? order by start desc limit 1"
        last_run = (
            "select first + json_array_length(records) from blocks where source_id = ? order by first desc"
            " limit 1"
        )

        def length(query: str) -> int:
            found = self._found(query, (source_id,))
            return int(found[0][0]) if found else 0

        def run(first: int) -> tuple[Block, ...]:
            query = "select records from blocks where source_id = ? and first = ?"
            return _read(_BLOCKS, self._found(query, (source_id, first))[0][0])

        return StoredDocument(
            source=outline.source,
            title=outline.title,
            text=StoredText(length(last_part), _PART, lambda span: self.text(source_id, span)),
            headings=outline.headings,
            blocks=StoredBlocks(length(last_run), _RUN, run),
            marks=outline.marks,
            works=outline.works,
            pages=outline.pages,
        )

    def text(self, source_id: str, span: Span | None = None) -> str:
        """The text of a document, or a part of it; reads no more than that. Empty where there is no such document."""
        start, end = (0, 1 << 62) if span is None else (span.start, span.end)
        query = "select start, part from texts where source_id = ? and start > ? and start < ? order by start"
        found = self._found(query, (source_id, start - _PART, end))
        return "".join(part[max(0, start - at) : end - at] for at, part in found)

    def titles(self) -> dict[str, tuple[str, str]]:
        """Source id to (path, title)."""
        query = "select source_id, path, title from documents order by source_id"
        return {source_id: (path, title) for source_id, path, title in self._found(query)}

    def _found(self, query: str, values: Sequence[object] = ()) -> list[Any]:
        """All rows of one query. One thread at a time: they share the connection's prepared statements.

        From Python 3.12 on a thread may otherwise bind its values into the statement that another is about to run.
        """
        with self._reading:
            return self._database.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file; nothing can be read any more."""
        self._database.close()


def _read(adapter: TypeAdapter[T], record: str) -> T:
    """A record as it was written; one that does not fit was written by another version."""
    try:
        return adapter.validate_json(record)
    except ValidationError as error:
        raise IndexCorrupt(f"{FILE} holds a record of another form: {error}") from error
