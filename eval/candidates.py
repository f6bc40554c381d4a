"""Learning from use: what people marked down or were refused becomes candidate questions for a person to review.

The app keeps conversations in the data folder (`conversations.sqlite3`: turns with the records of their answers, and
feedback on them); they are read here and never written. A candidate is a question as a question set has it, with its
evidence, gold and reference left empty, and why it was taken. A person fills these in and sets `"reviewed": true`;
only such candidates can be accepted, and only if the set passes its checks with them.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from eval.questions import Question
from rag.courtesy import is_courtesy
from rag.errors import QuestionSetError, StorageError

CONVERSATIONS = "conversations.sqlite3"
DOWN, REFUSED = "marked down", "refused"
_TURNS = """
SELECT t.id, t.conversation_id, t.question, t.record, f.good, f.comment
FROM turns t LEFT JOIN feedback f ON f.turn_id = t.id ORDER BY t.conversation_id, t.position
"""
_MOST_TURNS = 3  # of the history that a candidate keeps


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """One answer as somebody met it. `good` is None where nobody said anything."""

    turn_id: str
    question: str
    status: str
    text: str
    history: tuple[Mapping[str, str], ...] = ()
    good: bool | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Question):
    """A question to be reviewed, and where it comes from."""

    reviewed: bool = False
    why: str = ""
    answer: str = ""  # what Waymark said
    comment: str = ""

    def to_question(self) -> dict[str, object]:
        """What a question set keeps of it."""
        kept = {name: value for name, value in asdict(self).items() if name in Question.__dataclass_fields__}
        return {
            name: value
            for name, value in kept.items()
            if value or name not in ("history", "must_not", "sources")
        }


_CANDIDATE = TypeAdapter(Candidate)


def read_feedback(home: Path) -> tuple[tuple[Feedback, ...], int]:
    """All turns of all conversations, oldest first in each, and how many could not be read.

    Raises:
        StorageError: the conversations are there and cannot be read.
    """
    path = home / CONVERSATIONS
    if not path.is_file():
        return (), 0
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as db:
            rows = db.execute(_TURNS).fetchall()
    except sqlite3.Error as error:
        raise StorageError(f"{path} cannot be read: {error}") from error
    kept: list[Feedback] = []
    said: dict[str, list[Mapping[str, str]]] = {}
    for turn_id, conversation, question, record, good, comment in rows:
        before = said.setdefault(conversation, [])
        try:
            answer = json.loads(record)
            status, text = str(answer["status"]), str(answer["text"])
        except (ValueError, KeyError, TypeError):
            continue  # counted: it is missing from what is kept
        kept.append(
            Feedback(
                turn_id=turn_id,
                question=question,
                status=status,
                text=text,
                history=tuple(before[-2 * _MOST_TURNS :]),
                good=None if good is None else bool(good),
                comment=comment or "",
            )
        )
        before += [{"role": "user", "content": question}, {"role": "assistant", "content": text}]
    return tuple(kept), len(rows) - len(kept)


def find_candidates(feedback: Iterable[Feedback], known: Sequence[Question]) -> tuple[Candidate, ...]:
    """One candidate for each question that was marked down or refused and that no set asks yet.

    The last word counts: a question that was marked up later is no candidate.
    """
    asked = {_key(question.question, question.history) for question in known}
    latest: dict[tuple[str, ...], Feedback] = {}
    for one in feedback:
        latest[_key(one.question, one.history)] = one
    wanted = [(one, _why(one)) for key, one in latest.items() if key not in asked]
    return tuple(_candidate(one, why) for one, why in wanted if why)


def read_candidates(path: Path) -> tuple[Candidate, ...]:
    """Candidates as a person left them.

    Raises:
        QuestionSetError: the file cannot be read, or a line is no candidate.
    """
    found = []
    try:
        # Ended by line feeds alone: what people typed may hold the other characters that end lines.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise QuestionSetError(f"{path}: cannot be read: {error}") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found.append(_CANDIDATE.validate_json(line))
        except ValidationError as error:
            raise QuestionSetError(f"{path}, line {number}: {error.errors()[0]['msg']}") from error
    return tuple(found)


def to_lines(records: Iterable[Mapping[str, Any]]) -> str:
    """JSON objects, one a line."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def _why(one: Feedback) -> str:
    if one.good is False:
        return DOWN
    refused = one.status == "insufficient_evidence" and not is_courtesy(one.question)
    return REFUSED if refused and one.good is None else ""


def _candidate(one: Feedback, why: str) -> Candidate:
    """Answerable until a person says otherwise: most refusals that people meet are of things they expected."""
    return Candidate(
        id=f"use-{one.turn_id[:12]}",
        type="followup" if one.history else "factoid",
        question=one.question,
        answerable=True,
        gold_sections=(),
        evidence=(),
        key_points=(),
        cited_sources=(),
        reference="",
        history=one.history,
        why=why,
        answer=one.text,
        comment=one.comment,
    )


def _key(question: str, history: Sequence[Mapping[str, str]]) -> tuple[str, ...]:
    texts = (question, *(turn.get("content", "") for turn in history))
    return tuple("".join(c for c in text.lower() if c.isalnum()) for text in texts)
