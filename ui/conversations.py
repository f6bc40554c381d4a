"""Conversations in one SQLite file: questions, the records of their answers, and what people thought of them.

Knows nothing about models, indexes or pages. A record is `Answer.to_dict()` as JSON and is kept whole, so that a
conversation reads the same after the index has moved on. Every call opens a connection of its own: threads and
servers may share the file (write-ahead log). Text with lone surrogates is mended, because UTF-8 has no form for it.
"""

import json
import re
import sqlite3
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rag.errors import StorageError

FILE = "conversations.sqlite3"
SCHEMA_VERSION = 1
TITLE_CHARS = 80
_BUSY_S = 10.0
_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_SCHEMA = """
CREATE TABLE IF NOT EXISTS conversations (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, created_at TEXT NOT NULL, updated_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS turns (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL REFERENCES conversations(id) ON DELETE CASCADE,
    question TEXT NOT NULL, record TEXT NOT NULL, created_at TEXT NOT NULL, position INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS turns_in_order ON turns(conversation_id, position);
CREATE TABLE IF NOT EXISTS feedback (
    turn_id TEXT PRIMARY KEY REFERENCES turns(id) ON DELETE CASCADE,
    good INTEGER NOT NULL, comment TEXT NOT NULL, created_at TEXT NOT NULL);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    id: str
    title: str
    updated_at: str  # UTC, ISO 8601


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    good: bool
    comment: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedTurn:
    """One question and the record of its answer."""

    id: str
    conversation_id: str
    question: str
    record: Mapping[str, object]  # `Answer.to_dict()`
    created_at: str
    feedback: Feedback | None = None


class Conversations:
    """The store of one data folder."""

    def __init__(self, home: Path) -> None:
        self.path = home / FILE
        try:
            home.mkdir(parents=True, exist_ok=True)
            with self._open() as db:
                self._prepare(db)
        except (OSError, sqlite3.Error) as error:
            raise StorageError(f"{self.path} cannot be opened: {error}") from error

    def list(self, containing: str = "") -> tuple[Conversation, ...]:
        """Newest first; with words in the title, a question or an answer, if any are given."""
        query = "SELECT id, title, updated_at FROM conversations c"
        needle = f"%{_escape_like(_mended(containing.strip()))}%"
        if containing.strip():
            query += (
                " WHERE title LIKE :needle ESCAPE '\\'"
                " OR EXISTS (SELECT 1 FROM turns t WHERE t.conversation_id = c.id AND"
                " (t.question LIKE :needle ESCAPE '\\' OR json_extract(t.record, '$.text') LIKE :needle ESCAPE '\\'))"
            )
        with self._open() as db:
            rows = db.execute(f"{query} ORDER BY updated_at DESC, id", {"needle": needle})
            return tuple(Conversation(id=one, title=title, updated_at=at) for one, title, at in rows)

    def turns(self, conversation_id: str) -> tuple[AskedTurn, ...]:
        """Oldest first; empty if there is no such conversation."""
        return self._turns("t.conversation_id = ? ORDER BY t.position", conversation_id)

    def disliked(self) -> tuple[AskedTurn, ...]:
        """The turns with a thumb down, newest first."""
        return self._turns("f.good = ? ORDER BY f.created_at DESC, t.id", 0)

    def add_turn(self, conversation_id: str, *, question: str, record: Mapping[str, object]) -> AskedTurn:
        """Append a turn; the first one makes the conversation and names it."""
        now, turn_id, question = _now(), uuid.uuid4().hex, _mended(question)
        written = json.dumps(record, ensure_ascii=False, allow_nan=False)
        with self._open() as db:
            db.execute(
                "INSERT INTO conversations VALUES (?, ?, ?, ?)"
                " ON CONFLICT(id) DO UPDATE SET updated_at = excluded.updated_at",
                (conversation_id, _title(question), now, now),
            )
            db.execute(
                "INSERT INTO turns SELECT ?, ?, ?, ?, ?, COALESCE(MAX(position), 0) + 1"
                " FROM turns WHERE conversation_id = ?",
                (turn_id, conversation_id, question, _mended(written), now, conversation_id),
            )
        return AskedTurn(
            id=turn_id, conversation_id=conversation_id, question=question, record=record, created_at=now
        )

    def remove_turn(self, turn_id: str) -> None:
        with self._open() as db:
            db.execute("DELETE FROM turns WHERE id = ?", (turn_id,))

    def rename(self, conversation_id: str, title: str) -> None:
        """Give another title; a blank one changes nothing."""
        if title.strip():
            with self._open() as db:
                db.execute(
                    "UPDATE conversations SET title = ? WHERE id = ?", (_title(title), conversation_id)
                )

    def delete(self, conversation_id: str) -> None:
        with self._open() as db:
            db.execute("DELETE FROM conversations WHERE id = ?", (conversation_id,))

    def rate(self, turn_id: str, feedback: Feedback | None) -> None:
        """Keep what a person thinks of an answer; None takes it back."""
        with self._open() as db:
            if feedback is None:
                db.execute("DELETE FROM feedback WHERE turn_id = ?", (turn_id,))
                return
            db.execute(
                "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?)",
                (turn_id, int(feedback.good), _mended(feedback.comment), _now()),
            )

    def _turns(self, condition: str, value: str | int) -> tuple[AskedTurn, ...]:
        with self._open() as db:
            rows = db.execute(
                "SELECT t.id, t.conversation_id, t.question, t.record, t.created_at, f.good, f.comment"  # noqa: S608
                f" FROM turns t LEFT JOIN feedback f ON f.turn_id = t.id WHERE {condition}",
                (value,),
            ).fetchall()
        return tuple(_turn(row) for row in rows)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection for one transaction: committed at the end, rolled back by an exception."""
        db = sqlite3.connect(self.path, timeout=_BUSY_S)
        try:
            db.execute("PRAGMA foreign_keys = ON")
            with db:
                yield db
        finally:
            db.close()

    def _prepare(self, db: sqlite3.Connection) -> None:
        (version,) = db.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise StorageError(
                f"{self.path} has format {version}, this version reads {SCHEMA_VERSION}.",
                hint="Update Waymark, or move the file away to begin afresh.",
            )
        db.execute("PRAGMA journal_mode = WAL")
        db.executescript(_SCHEMA)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")


def _turn(row: tuple[str, str, str, str, str, int | None, str | None]) -> AskedTurn:
    turn_id, conversation_id, question, record, created_at, good, comment = row
    return AskedTurn(
        id=turn_id,
        conversation_id=conversation_id,
        question=question,
        record=json.loads(record),
        created_at=created_at,
        feedback=None if good is None else Feedback(good=bool(good), comment=comment or ""),
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _mended(text: str) -> str:
    return _LONE_SURROGATES.sub("\ufffd", text)


def _title(text: str) -> str:
    folded = " ".join(_mended(text).split())
    return folded if len(folded) <= TITLE_CHARS else folded[: TITLE_CHARS - 1].rstrip() + "…"


def _escape_like(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)
