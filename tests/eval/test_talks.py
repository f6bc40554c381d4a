"""Counting what becomes of follow-ups."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from eval.options import SETS
from eval.talks import load_talks, summary, tell
from rag.errors import QuestionSetError
from rag.schema import Turn

TALK = {
    "id": "t-1",
    "kind": "pronoun",
    "half": "develop",
    "history": [{"role": "user", "content": "What is LoRA?"}, {"role": "assistant", "content": "x"}],
    "question": "is it slow?",
    "wanted": ["Is LoRA slow?"],
    "sections": ["9.2"],
}


def _write(folder: Path, **changes: object) -> Path:
    path = folder / "talks.jsonl"
    path.write_text(json.dumps({**TALK, **changes}), encoding="utf-8")
    return path


def _named(question: str, history: Sequence[Turn]) -> tuple[str, ...]:
    return ("9.2",) if "LoRA" in " ".join([question, *(turn.text for turn in history)]) else ("1.1",)


def test_a_right_rewrite_and_the_sections_found_with_it_are_counted(tmp_path: Path) -> None:
    row = summary(tell(talk, _named) for talk in load_talks(_write(tmp_path)))["develop"]
    assert (row["follow-ups"], row["right"]) == (1, 1)
    assert [row[f"follow-ups found, {way}"] for way in ("product", "rewrite", "by hand", "as typed")] == [
        1,
        1,
        1,
        0,
    ]


def test_a_rewrite_with_other_terms_is_wrong_and_a_lone_question_that_leans_is_changed(
    tmp_path: Path,
) -> None:
    [wrong] = load_talks(_write(tmp_path, wanted=["Is dropout slow?"]))
    [lone] = load_talks(_write(tmp_path, wanted=[]))
    assert not tell(wrong, _named).right
    assert summary([tell(lone, _named)])["develop"]["changed"] == 1


@pytest.mark.parametrize("changes", [{"half": "none"}, {"history": [{"role": "x"}]}, {"extra": 1}])
def test_what_is_no_conversation_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(QuestionSetError, match="line 1"):
        load_talks(_write(tmp_path, **changes))


def test_the_conversations_that_come_along_are_whole_and_halved() -> None:
    talks = load_talks(SETS / "talks.jsonl")
    assert len({talk.id for talk in talks}) == len(talks) >= 40
    assert sum(talk.half == "develop" for talk in talks) == len(talks) / 2
