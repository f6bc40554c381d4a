"""A batch: one record a line, whatever the lines hold."""

import json
from typing import Any

import pytest

from rag.assistant import Assistant
from rag.batch import answer_batch


def _records(assistant: Assistant, *lines: str) -> list[tuple[dict[str, Any], bool]]:
    """What a batch gives, as a reader of its file gets it."""
    found = []
    for record, is_answer in answer_batch(assistant, lines):
        found.append((json.loads(json.dumps(record, ensure_ascii=False).encode("utf-8")), is_answer))
    return found


def test_each_line_becomes_a_record_with_its_own_id_in_order(assistant: Assistant) -> None:
    lines = [json.dumps({"id": name, "question": "What is LoRA?"}) for name in ("b", 7, "a")]
    records = _records(assistant, *lines)
    assert [record["id"] for record, _ in records] == ["b", 7, "a"]
    assert all(is_answer for _, is_answer in records)
    assert {record["text"] for record, _ in records} == {assistant.ask("What is LoRA?").text}


def test_history_makes_a_follow_up_stand_alone(assistant: Assistant) -> None:
    history = [
        {"role": "user", "content": "What is LoRA?"},
        {"role": "assistant", "content": "LoRA is a PEFT technique."},
    ]
    line = {"id": 1, "question": "and by what factor does it reduce the parameters?", "history": history}
    [(record, _)] = _records(assistant, json.dumps(line))
    assert record["standalone"] == "By what factor does LoRA reduce the parameters?"
    assert "10,000" in record["text"]


@pytest.mark.parametrize(
    ("line", "name", "reason"),
    [
        ("not JSON", "line 2", "Invalid JSON"),
        ('{"id": 3}', 3, "question: Field required"),
        ('{"question": "LoRA?"}', "line 2", "id"),
        ('{"id": "a", "question": "?!"}', "a", "The question is empty."),
        ('{"id": "a", "question": "' + "a " * 3000 + '"}', "a", "at most 4,000"),
        ('{"id": "a", "question": "x", "mode": 1}', "a", "mode: Extra inputs"),
        (
            '{"id": "a", "question": "x", "history": [{"role": "system", "content": "x"}]}',
            "a",
            "history.0.role",
        ),
        ('{"id": "\\ud800", "question": "x"}', "line 2", "Invalid JSON"),
        ('{"id": 1e999, "question": "x"}', "line 2", "id"),
        ('{"id": [1], "question": "x"}', "line 2", "id"),
        ("[" * 100_000, "line 2", "Invalid JSON"),
        ("null", "line 2", "object"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_bad_line_is_told_and_the_others_are_answered(
    assistant: Assistant, line: str, name: object, reason: str
) -> None:
    good = '{"id": "good", "question": "What is LoRA?"}'
    (before, _), (record, is_answer), (after, _) = _records(assistant, good, line, good)
    assert not is_answer
    assert record["id"] == name
    assert reason in record["error"]
    assert set(record) == {"id", "error"}
    assert before["status"] == after["status"] == "answered"


def test_blank_lines_are_passed_over_and_still_counted(assistant: Assistant) -> None:
    records = _records(assistant, "", "  \r", "bad", "", '{"id": 1, "question": "What is LoRA?"}\r')
    assert [(record["id"], is_answer) for record, is_answer in records] == [("line 3", False), (1, True)]


def test_a_batch_is_answered_line_by_line_and_not_all_at_the_end(assistant: Assistant) -> None:
    taken = []

    def lines() -> Any:
        for number in range(3):
            taken.append(number)
            yield json.dumps({"id": number, "question": "What is LoRA?"})

    records = answer_batch(assistant, lines())
    assert next(records)[0]["id"] == 0
    assert taken == [0]
