"""What people take away: readable, complete, and harmless where it is shown."""

import json

from tests.ui.records import answer, citation, refusal
from ui.conversations import AskedTurn, Feedback
from ui.export import answer_markdown, candidates_jsonl, conversation_json, conversation_markdown


def _turn(record: dict[str, object], feedback: Feedback | None = None) -> AskedTurn:
    return AskedTurn(
        id="t",
        conversation_id="c",
        question=str(record["question"]),
        record=record,
        created_at="2026-01-01T00:00:00+00:00",
        feedback=feedback,
    )


def test_a_copied_answer_carries_its_sources() -> None:
    assert answer_markdown(answer()) == (
        "Momentum helps. [1]\n\nSources\n\n1. Guide > Part I > 1.1. Training\n   > Momentum helps.\n"
        "   - rests on 44. LoRA: <https://example.org/lora>\n"
    )


def test_a_refusal_has_no_sources() -> None:
    assert "Sources" not in answer_markdown(refusal())


def test_pages_are_named() -> None:
    assert "Training, p. 3, 4\n" in answer_markdown(answer(citations=[citation(pages=[3, 4])]))


def test_neither_images_nor_tags_survive() -> None:
    text = "![x](https://evil.example) <img src=https://evil.example> [1]"
    made = conversation_markdown(text, [_turn(answer(question=text, text=text))])
    assert "![" not in made
    assert "<img" not in made


def test_an_address_cannot_leave_its_brackets() -> None:
    reference = {"n": 1, "title": "x", "url": "https://a.example/> <b>\n# y"}
    made = answer_markdown(answer(citations=[citation(references=[reference])]))
    assert "<https://a.example/b#y>" in made


def test_the_json_holds_each_whole_record() -> None:
    made = json.loads(conversation_json("T", [_turn(answer(), Feedback(good=False, comment="no"))]))
    assert made["title"] == "T"
    assert made["turns"][0]["answer"] == answer()
    assert made["turns"][0]["feedback"] == {"good": False, "comment": "no"}


def test_candidates_are_one_object_a_line() -> None:
    lines = candidates_jsonl([_turn(answer(), Feedback(good=False, comment="a\nb")), _turn(refusal())])
    first, second = (json.loads(line) for line in lines.splitlines())
    assert (first["question"], first["comment"], first["answer_id"]) == ("Does momentum help?", "a\nb", "a1")
    assert second["comment"] == ""
