"""The assistant over the real roadmap: what it does with hostile questions."""

import json
from pathlib import Path
from typing import Any

import pytest

from rag.answer import Answer
from rag.assistant import Assistant
from rag.errors import QuestionError

DATA = Path(__file__).parents[1] / "data"
HOSTILE = json.loads((DATA / "hostile_questions.json").read_text(encoding="utf-8"))
HOSTILE += [
    {"id": "one letter repeated", "repeat": "a", "times": 4000},
    {"id": "lone surrogate in a real question", "question": "What is LoRA\udcff?"},
    {"id": "only marks", "question": "\u0301\u0301"},
    {"id": "looks like an option", "question": "-5?"},
    {"id": "combining marks without end", "question": "LoRA" + "\u0301" * 3000},
]


def _question(entry: dict[str, Any]) -> str:
    return str(entry["question"]) if "question" in entry else entry["repeat"] * entry["times"]


def _told(assistant: Assistant, question: str) -> Answer | QuestionError:
    try:
        return assistant.ask(question)
    except QuestionError as error:
        return error


@pytest.mark.parametrize("entry", HOSTILE, ids=[entry["id"] for entry in HOSTILE])
def test_a_hostile_question_is_refused_with_a_line_or_answered_in_valid_json(
    assistant: Assistant, entry: dict[str, Any]
) -> None:
    question = _question(entry)
    told = _told(assistant, question)
    if isinstance(told, QuestionError):
        assert len(question) > 4000 or not any(c.isalnum() for c in question)  # nothing else is turned away
        assert "\n" not in str(told)
        assert len(str(told)) < 200
    else:
        record = json.dumps(told.to_dict(), ensure_ascii=False).encode("utf-8")
        assert json.loads(record)["status"] in ("answered", "insufficient_evidence")
        assert told.text
        assert told.timings.total_s < 2


def test_what_utf_8_cannot_hold_is_replaced_in_the_question_and_not_searched_for(
    assistant: Assistant,
) -> None:
    answer = assistant.ask("What is \ud800LoRA\udcff?")
    assert answer.question == "What is \ufffdLoRA\ufffd?"
    assert answer.search_query == "What is LoRA?"
    assert answer.text == assistant.ask("What is LoRA?").text
