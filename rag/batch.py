"""Many questions in, one JSON object a line out; a bad line becomes an error object and the run goes on."""

import json
from collections.abc import Iterable, Iterator
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.assistant import Assistant
from rag.errors import WaymarkError
from rag.schema import Role, Turn


class BatchTurn(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    role: Literal["user", "assistant"]
    content: str


class BatchQuestion(BaseModel):
    """One line of a batch."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    id: str | int
    question: str
    history: tuple[BatchTurn, ...] = ()


def answer_batch(assistant: Assistant, lines: Iterable[str]) -> Iterator[tuple[dict[str, object], bool]]:
    """Yield, per line that is not blank, the record to write and whether it is an answer.

    An answer carries the line's id; an error is `{"id", "error"}`, with the line's number where it has no id.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = BatchQuestion.model_validate_json(line)
        except ValidationError as error:
            yield {"id": _id_of(line, number), "error": _reason(error)}, False
            continue
        history = tuple(Turn(role=Role(turn.role), text=turn.content) for turn in asked.history)
        try:
            record = assistant.ask(asked.question, history=history).to_dict()
        except WaymarkError as error:
            yield {"id": asked.id, "error": f"{error} {error.hint}".strip()}, False
        else:
            yield record | {"id": asked.id}, True


def _id_of(line: str, number: int) -> object:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return f"line {number}"
    found = record.get("id") if isinstance(record, dict) else None
    if isinstance(found, str):  # JSON can escape what UTF-8 cannot hold
        return found if found.encode("utf-8", "ignore").decode() == found else f"line {number}"
    return found if isinstance(found, int) else f"line {number}"


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else first["msg"]
