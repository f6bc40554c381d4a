"""From feedback to candidates, and from reviewed candidates to a question set."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.candidates import DOWN, REFUSED, Feedback, find_candidates, read_candidates, read_feedback
from eval.cli import app
from eval.options import DEV
from eval.questions import load_questions
from rag.errors import QuestionSetError, StorageError


def said(question: str, **changes: Any) -> Feedback:
    fields: dict[str, Any] = {
        "turn_id": question,
        "question": question,
        "status": "answered",
        "text": "An answer.",
    }
    return Feedback(**fields | {"good": False} | changes)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({}, [DOWN]),
        ({"good": True}, []),
        ({"good": None}, []),
        ({"good": None, "status": "insufficient_evidence"}, [REFUSED]),
        ({"good": True, "status": "insufficient_evidence"}, []),  # a refusal that was right
        ({"good": None, "status": "insufficient_evidence", "question": "Hello!"}, []),  # nothing was asked
    ],
)
def test_thumbs_down_and_refusals_become_candidates(changes: dict[str, Any], why: list[str]) -> None:
    assert [one.why for one in find_candidates([said(**{"question": "What?"} | changes)], [])] == why


def test_the_last_word_on_a_question_counts_and_known_questions_are_left_out() -> None:
    found = find_candidates([said("What is it?"), said("what is it", good=True), said("Other?")], [])
    assert [one.question for one in found] == ["Other?"]
    known = load_questions(DEV)
    assert find_candidates([said(known[0].question.upper())], known) == ()


def test_turns_are_read_with_their_history_and_broken_ones_are_counted(home: Path) -> None:
    store(
        home,
        ("c1", "First?", "answered", 1),
        ("c1", "And then?", "answered", 0),
        ("c2", "Alone?", None, None),
    )
    kept, n_bad = read_feedback(home)
    assert [(one.question, one.good, one.comment) for one in kept] == [
        ("First?", True, "said 1"),
        ("And then?", False, "said 0"),
    ]
    assert kept[1].history == (
        {"role": "user", "content": "First?"},
        {"role": "assistant", "content": "Told."},
    )
    assert n_bad == 1
    assert [one.type for one in find_candidates(kept, [])] == ["followup"]


def test_no_conversations_are_no_feedback_and_a_file_that_is_none_is_told(home: Path) -> None:
    assert read_feedback(home) == ((), 0)
    home.mkdir()
    (home / "conversations.sqlite3").write_text("no database", encoding="utf-8")
    with pytest.raises(StorageError):
        read_feedback(home)


def store(home: Path, *turns: tuple[str, str, str | None, int | None]) -> None:
    """Conversations as the app keeps them: conversation, question, status (None: a broken record), thumb."""
    home.mkdir(exist_ok=True)
    with closing(sqlite3.connect(home / "conversations.sqlite3")) as db, db:
        db.execute("CREATE TABLE turns (id, conversation_id, question, record, created_at, position)")
        db.execute("CREATE TABLE feedback (turn_id, good, comment, created_at)")
        for n, (conversation, question, status, good) in enumerate(turns):
            record = json.dumps({"status": status, "text": "Told."}) if status else "{"
            db.execute(
                "INSERT INTO turns VALUES (?, ?, ?, ?, '', ?)", (f"t{n}", conversation, question, record, n)
            )
            if good is not None:
                db.execute("INSERT INTO feedback VALUES (?, ?, ?, '')", (f"t{n}", good, f"said {good}"))


@pytest.fixture
def collected(home: Path, tmp_path: Path) -> Path:
    store(
        home,
        ("c1", "How do I read the moon's phase?", "insufficient_evidence", None),
        ("c2", "Which tide is highest?", "answered", 0),
    )
    out = tmp_path / "candidates.jsonl"
    result = CliRunner().invoke(app, ["candidates", "--out", str(out)])
    assert "2 candidates" in result.stdout, result.output
    return out


def accept(path: Path, into: Path) -> Any:
    return CliRunner().invoke(app, ["candidates", "--accept", str(path), "--into", str(into)])


def review(path: Path, **changes: Any) -> None:
    """Fill in the first candidate as a person would."""
    first, *rest = path.read_text(encoding="utf-8").splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | changes), *rest]) + "\n", encoding="utf-8")


def test_only_reviewed_candidates_are_accepted(collected: Path, tmp_path: Path) -> None:
    into = tmp_path / "set.jsonl"
    assert isinstance(accept(collected, into).exception, QuestionSetError)
    assert not into.exists()
    known = load_questions(DEV)[0]
    review(
        collected,
        reviewed=True,
        evidence=list(known.evidence),
        gold_sections=list(known.gold_sections),
        key_points=["a point"],
        reference="A reference.",
    )
    result = accept(collected, into)
    assert "1 of 2 candidates added" in result.stdout, result.output
    (question,) = load_questions(into)
    assert (question.question, question.evidence) == ("How do I read the moon's phase?", known.evidence)


def test_nasty_texts_are_candidates_like_others(home: Path, tmp_path: Path) -> None:
    nasty = "Why\u2028does\x85it \x0b\x1c<script>alert('1')</script> \u202e|``` {\"a\": 1}?"
    store(home, ("c1", nasty, "answered", 0))
    out = tmp_path / "candidates.jsonl"
    assert CliRunner().invoke(app, ["candidates", "--out", str(out)]).exit_code == 0
    (candidate,) = read_candidates(out)
    assert candidate.question == nasty


def test_a_set_without_a_last_line_end_and_a_folder_that_is_none(collected: Path, tmp_path: Path) -> None:
    known = load_questions(DEV)[0]
    into = tmp_path / "set.jsonl"
    into.write_text(DEV.read_text(encoding="utf-8").split("\n")[0], encoding="utf-8")
    filled = {"evidence": list(known.evidence), "gold_sections": list(known.gold_sections)}
    review(collected, reviewed=True, key_points=["a point"], reference="A reference.", **filled)
    assert isinstance(accept(collected, tmp_path / "none" / "set.jsonl").exception, StorageError)
    assert accept(collected, into).exit_code == 0
    assert len(load_questions(into)) == 2


def test_a_candidate_whose_evidence_is_not_in_the_document_changes_nothing(
    collected: Path, tmp_path: Path
) -> None:
    into = tmp_path / "set.jsonl"
    into.write_text(DEV.read_text(encoding="utf-8"), encoding="utf-8")
    review(
        collected,
        reviewed=True,
        evidence=["made up"],
        gold_sections=["1"],
        key_points=["a point"],
        reference="A reference.",
    )
    assert isinstance(accept(collected, into).exception, QuestionSetError)
    assert into.read_text(encoding="utf-8") == DEV.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".set")] == []


def test_a_file_under_review_is_not_overwritten(collected: Path) -> None:
    result = CliRunner().invoke(app, ["candidates", "--out", str(collected)])
    assert isinstance(result.exception, StorageError)
