"""Question sets are checked against the documents that they name."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.options import DEV, DOCUMENTS, FIT, HARD, OWN
from eval.question_check import check_set, source_reader
from eval.questions import Question, load_questions
from rag.bundled import roadmap_path
from rag.errors import QuestionSetError

LINES = ["Section 1: Numbers", "The roadmap says that one is odd.", "Section 2: More", "Two is even."]
TEXTS = {"a.md": "A source says that three is odd. Twice told. Twice told.", "b.md": "Another one."}


def question(name: str = "q", **changes: Any) -> Question:
    fields: dict[str, Any] = {
        "id": name,
        "type": "factoid",
        "question": f"What about {name}?",
        "answerable": True,
        "gold_sections": (),
        "evidence": ("three is odd",),
        "key_points": ("odd",),
        "cited_sources": (),
        "reference": "It is odd.",
        "sources": ("a.md",),
    }
    return Question(**fields | changes)


def faults(*questions: Question) -> Sequence[str]:
    return check_set(questions, LINES, TEXTS.get).faults


def test_evidence_of_a_source_and_of_the_roadmap_is_found() -> None:
    both = question("r", evidence=("three is odd", "one is odd"), gold_sections=("1",))
    assert faults(question(), both) == ()


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"evidence": ("four is odd",)}, "occurs 0 times"),
        ({"evidence": ("Twice told",)}, "occurs 2 times"),
        ({"evidence": ("three  is",)}, "uncollapsed whitespace"),
        ({"sources": ("a.md", "b.md")}, "no evidence stands in b.md"),
        ({"gold_sections": ("2",)}, "gold sections"),
        ({"evidence": ("three is odd", "Two is even"), "gold_sections": ("1",)}, "gold sections"),
    ],
)
def test_each_fault_is_named(changes: dict[str, Any], fault: str) -> None:
    found = faults(question(**changes))
    assert found
    assert any(fault in each for each in found)


def test_the_same_question_twice_is_a_fault_unless_its_history_differs() -> None:
    turn = ({"role": "user", "content": "Odd?"}, {"role": "assistant", "content": "Yes."})
    first, again = question("a", question="Is it?"), question("b", question="is it")
    later = question("c", question="Is it?", type="followup", history=turn)
    assert faults(first, again) == ("b: asks the same as a",)
    assert faults(first, later) == ()


def test_questions_whose_documents_are_not_at_hand_are_unchecked_not_passed() -> None:
    checked = check_set([question(sources=("gone.md",))], LINES, TEXTS.get)
    assert (checked.faults, checked.unchecked) == ((), ("q",))


def test_a_source_is_read_as_the_index_holds_it(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# Title\n\nSome **bold**\nwords.\n", encoding="utf-8")
    read = source_reader(tmp_path)
    assert read("a.md") == "Title Some bold words."
    assert read("b.md") is None


def test_the_sets_that_come_with_waymark_have_no_fault_in_what_they_say_of_the_roadmap() -> None:
    lines = roadmap_path().read_text(encoding="utf-8").split("\n")
    for file in (DEV, OWN, DOCUMENTS, FIT, HARD):
        assert check_set(load_questions(file), lines, lambda _: None).faults == ()


@pytest.mark.shared
@pytest.mark.slow
@pytest.mark.parametrize(("file", "least"), [(DOCUMENTS, 60), (DOCUMENTS.with_stem("documents_check"), 36)])
def test_the_questions_over_the_sources_are_verbatim_and_unique(shared: Path, file: Path, least: int) -> None:
    questions = load_questions(file)
    lines = roadmap_path().read_text(encoding="utf-8").split("\n")
    checked = check_set(questions, lines, source_reader(shared / "sources" / "docs"))
    assert (checked.n, checked.faults, checked.unchecked) == (len(questions), (), ())
    assert sum(bool(question.sources) for question in questions) >= least


def test_the_command_lists_sets_and_ends_with_an_error_on_a_fault(tmp_path: Path) -> None:
    good = CliRunner().invoke(app, ["check-questions", str(DEV)])
    assert (good.exit_code, good.stdout) == (0, "dev.jsonl: 128 questions, 0 faults\n")
    bad = tmp_path / "bad.jsonl"
    first = DEV.read_text(encoding="utf-8").splitlines()[0]
    bad.write_text(first.replace('"gold_sections": ["', '"gold_sections": ["15", "') + "\n", encoding="utf-8")
    result = CliRunner().invoke(app, ["check-questions", str(bad)])
    assert isinstance(result.exception, QuestionSetError)
    assert "1 faults" in result.stdout
