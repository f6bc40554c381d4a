"""Reading the gold questions and checking them against the roadmap."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.questions import (
    QUESTION_TYPES,
    SECTIONS_OF_PART,
    Question,
    check_questions,
    load_questions,
    parent,
    section_id,
    sections_match,
)
from rag.errors import QuestionSetError

ROOT = Path(__file__).parents[2]
DEV = ROOT / "eval" / "questions" / "dev.jsonl"
LINES = (ROOT / "corpus" / "roadmap.txt").read_text(encoding="utf-8").split("\n")
SECTIONS = json.loads((ROOT / "tests" / "data" / "sections.json").read_text(encoding="utf-8"))
GOOD = {
    "id": "q-1",
    "type": "factoid",
    "question": "Which layer?",
    "answerable": True,
    "gold_sections": ["5.1"],
    "evidence": ["the input layer comes first"],
    "key_points": ["input layer"],
    "cited_sources": [22],
    "reference": "The input layer.",
}
UNANSWERABLE = {"answerable": False, "evidence": [], "gold_sections": [], "cited_sources": []}
TURNS = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
DOCUMENT = (
    "Section 5: Networks",
    "5.1. Layers",
    "First,  the input layer\u00a0comes first.²²",
    "cell one\tcell two",
    "Works cited",
    "22. A work",
    "9.9. Not a heading here",
)


def write(folder: Path, *records: object) -> Path:
    path = folder / "set.jsonl"
    path.write_text("\n".join(json.dumps(record) for record in records) + "\n", encoding="utf-8")
    return path


def question(**changes: object) -> Question:
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in GOOD.items()}
    return replace(Question(**fields), **changes)  # type: ignore[arg-type]


def test_the_development_set_loads_with_its_known_counts() -> None:
    questions = load_questions(DEV)
    assert len(questions) == 128
    assert sum(q.answerable for q in questions) == 112
    assert sum(len(q.evidence) for q in questions) == 162
    assert {q.type for q in questions} == set(QUESTION_TYPES)


def test_the_development_set_agrees_with_the_roadmap() -> None:
    assert check_questions(load_questions(DEV), LINES) == ()


def test_headings_of_the_roadmap_map_to_the_section_ids() -> None:
    headings = [(n, found) for n, line in enumerate(LINES, 1) if (found := section_id(line))]
    assert headings == [(section["start_line"], section["id"]) for section in SECTIONS]


def test_the_parts_hold_the_sections_that_the_roadmap_puts_there() -> None:
    for section in SECTIONS:
        if section["id"].isdigit():
            assert section["id"] in SECTIONS_OF_PART[f"part_{section['part']}"]


@pytest.mark.parametrize(
    "text", ["9.2 Without a dot", "Section nine", "Part 4: Arabic", "12. A work cited", ""]
)
def test_what_is_no_heading_has_no_section_id(text: str) -> None:
    assert section_id(text) is None


def test_parents_are_the_section_and_the_part() -> None:
    assert [parent(s) for s in ("9.2", "15", "part_I", "works_cited")] == ["9", "part_VI", None, None]


@given(st.sampled_from([s["id"] for s in SECTIONS]), st.sampled_from([s["id"] for s in SECTIONS]))
def test_section_matching_is_symmetric_and_reflexive(one: str, other: str) -> None:
    assert sections_match(one, other) == sections_match(other, one)
    assert sections_match(one, one)


def test_grandparents_siblings_and_unknown_sections_do_not_match() -> None:
    assert not sections_match("part_III", "6.3")
    assert not sections_match("6.1", "6.3")
    assert not sections_match(None, "6.3")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"extra": 1}, "extra"),
        ({"answerable": "yes"}, "answerable"),
        ({"cited_sources": ["22"]}, "cited_sources"),
        ({"cited_sources": [3, 2]}, "ascending"),
        ({"type": "riddle"}, "unknown type"),
        ({"evidence": []}, "disagree"),
        ({"evidence": [" "]}, "empty string"),
        ({"key_points": []}, "must not be empty"),
        ({"question": " "}, "must not be empty"),
        ({"type": "out_of_scope"}, "cannot be answerable"),
        ({"history": TURNS}, "follow-ups"),
        ({"type": "followup"}, "follow-ups"),
        ({"type": "followup", "history": TURNS[:1]}, "alternate"),
        ({"type": "followup", "history": [{"role": "user"}, TURNS[1]]}, "`role` and `content`"),
    ],
)
def test_a_bad_line_is_told_with_file_and_line(tmp_path: Path, change: dict[str, object], told: str) -> None:
    path = write(tmp_path, GOOD, GOOD | {"id": "q-2"} | change)
    with pytest.raises(QuestionSetError) as caught:
        load_questions(path)
    assert f"{path}, line 2: " in str(caught.value)
    assert told in str(caught.value)


def test_a_missing_field_is_told(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match=r"line 1: reference"):
        load_questions(write(tmp_path, {name: value for name, value in GOOD.items() if name != "reference"}))


def test_an_unanswerable_question_needs_no_evidence(tmp_path: Path) -> None:
    (loaded,) = load_questions(
        write(tmp_path, GOOD | UNANSWERABLE | {"type": "unanswerable", "must_not": ["x"]})
    )
    assert loaded.evidence == ()
    assert loaded.must_not == ("x",)


def test_a_repeated_id_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match="is that of line 1"):
        load_questions(write(tmp_path, GOOD, GOOD))


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n\n", b"not json\n", b"[]\n", b"\xff\n"])
def test_a_file_that_is_not_a_question_set_is_an_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "set.jsonl"
    path.write_bytes(content)
    with pytest.raises(QuestionSetError, match=r"set\.jsonl"):
        load_questions(path)


@pytest.mark.parametrize("content", ["", "\n", " \n\n"])
def test_a_file_without_questions_says_so_and_what_is_wanted(tmp_path: Path, content: str) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(QuestionSetError, match="holds no question") as told:
        load_questions(path)
    assert "eval/questions/dev.jsonl" in told.value.hint


def test_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    line = DEV.read_text(encoding="utf-8").splitlines()[0]
    path = tmp_path / "set.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + line.encode() + b"\r\n")
    assert load_questions(path)[0].id == "dev-001"


def test_an_absent_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match="cannot be read"):
        load_questions(tmp_path / "none.jsonl")


def test_whitespace_within_a_line_is_collapsed_before_evidence_is_sought() -> None:
    assert check_questions([question()], DOCUMENT) == ()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"evidence": ("the output layer",)}, "not in any line"),
        ({"evidence": ("comes first.²²",)}, "markup or a citation mark"),
        ({"evidence": ("the input  layer",)}, "uncollapsed whitespace"),
        ({"evidence": ("r",)}, "occurs"),
        ({"evidence": ("one cell two",)}, "crosses table cells"),
        ({"evidence": ("5.1. Layers First",)}, "not in any line"),
        ({"gold_sections": ("5",)}, "gold sections"),
        ({"cited_sources": (23,)}, "not among the works cited"),
        ({"evidence": ("9.9. Not a heading here",)}, "['works_cited']"),
    ],
)
def test_a_question_that_disagrees_with_the_document_is_reported(
    changes: dict[str, object], told: str
) -> None:
    problems = check_questions([question(**changes)], DOCUMENT)
    assert any(told in problem and problem.startswith("q-1: ") for problem in problems)
