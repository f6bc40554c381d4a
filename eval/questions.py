"""The gold questions: reading them strictly and checking them against the document they ask about.

A question names its evidence as verbatim pieces of the document, without citation marks or markup, and the
innermost sections that hold them. Sections have short ids: `part_IV`, `9`, `9.2`, `works_cited`. This
module knows no answer.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rag.errors import QuestionSetError

QUESTION_TYPES = (
    "factoid", "definition", "list", "comparison", "table", "procedure", "why", "multi_section", "citation",
    "paraphrase", "typo", "followup", "unanswerable", "out_of_scope", "false_premise", "injection", "advice",
)  # fmt: skip
_NEVER_ANSWERABLE = frozenset({"unanswerable", "out_of_scope"})
_HEADINGS = (
    (re.compile(r"Part ([IVX]+): .+"), "part_{}"),
    (re.compile(r"Section (\d+): .+"), "{}"),
    (re.compile(r"(\d+\.\d+)\. .+"), "{}"),
    (re.compile(r"(Works cited)", re.IGNORECASE), "works_cited"),
)
SECTIONS_OF_PART = {
    "part_I": ("1", "2"),
    "part_II": ("3", "4"),
    "part_III": ("5", "6"),
    "part_IV": ("7", "8", "9"),
    "part_V": ("10", "11", "12", "13"),
    "part_VI": ("14", "15"),
}
_PART_OF_SECTION = {section: part for part, sections in SECTIONS_OF_PART.items() for section in sections}
_ENTRY = re.compile(r"(\d+)\. ")
_MEND = "Mend that line; eval/questions/dev.jsonl shows the form."
_FORM = "Name a file with one question a line as JSON; eval/questions/dev.jsonl shows the form."
_MARKUP = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹*`]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One gold question. `history` holds earlier turns as `{"role", "content"}`, oldest first.

    `sources` names the documents beside the roadmap that hold evidence, by the end of their path.
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", strict=True)

    id: str
    type: str
    question: str
    answerable: bool
    gold_sections: tuple[str, ...]
    evidence: tuple[str, ...]
    key_points: tuple[str, ...]
    cited_sources: tuple[int, ...]
    reference: str
    history: tuple[Mapping[str, str], ...] = ()
    must_not: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


_LINE = TypeAdapter(Question)


def section_id(heading: str) -> str | None:
    """The id of a heading as printed, None if it is no heading of the document.

    >>> section_id("Part IV: Specialization"), section_id("9.2. The LoRA Method"), section_id("Works cited")
    ('part_IV', '9.2', 'works_cited')
    """
    collapsed = collapse(heading)
    for pattern, form in _HEADINGS:
        if match := pattern.fullmatch(collapsed):
            return form.format(match[1])
    return None


def sections_match(cited: str | None, gold: str) -> bool:
    """Whether two sections are the same or one is the parent of the other.

    >>> sections_match("6", "6.3"), sections_match("part_III", "6.3"), sections_match("6.1", "6.3")
    (True, False, False)
    """
    return cited is not None and (cited == gold or gold == parent(cited) or cited == parent(gold))


def parent(section: str) -> str | None:
    """The section around a section: `9` for `9.2`, `part_IV` for `9`, None for a Part and the works cited."""
    return section.partition(".")[0] if "." in section else _PART_OF_SECTION.get(section)


def load_questions(path: Path) -> tuple[Question, ...]:
    """Read a JSONL question set in which every line must be a whole, valid question.

    Raises:
        QuestionSetError: The file is absent, empty or not UTF-8, or a line is malformed; names file and line.
    """
    try:
        # Some editors write a byte order mark.
        lines = path.read_text(encoding="utf-8-sig").removesuffix("\n").split("\n")
    except OSError as error:
        raise QuestionSetError(f"{path}: cannot be read: {error.strerror}", hint=_FORM) from error
    except UnicodeDecodeError as error:
        raise QuestionSetError(f"{path}: is not UTF-8 text: {error}", hint=_FORM) from error
    if not any(line.strip() for line in lines):
        raise QuestionSetError(f"{path}: holds no question", hint=_FORM)
    questions: list[Question] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        question = _parse(line, where=f"{path}, line {number}")
        if question.id in seen:
            raise QuestionSetError(
                f"{path}, line {number}: id {question.id!r} is that of line {seen[question.id]}", hint=_MEND
            )
        seen[question.id] = number
        questions.append(question)
    return tuple(questions)


def check_questions(questions: Sequence[Question], document_text_lines: Sequence[str]) -> tuple[str, ...]:
    """What is wrong with the questions, given the document's physical lines; empty if nothing is.

    Every evidence piece stands verbatim (whitespace collapsed) in exactly one line, carries no markup and
    crosses no table cell; the innermost sections of the pieces are the gold sections; cited works exist.
    """
    lines = [collapse(line) for line in document_text_lines]
    works = _works_cited(lines)
    problems: list[str] = []
    for question in questions:
        found: set[str] = set()
        for piece in question.evidence:
            at = [number for number, line in enumerate(lines) for _ in range(line.count(piece))]
            problems += [f"{question.id}: {fault}: {piece[:60]!r}" for fault in _piece_faults(piece, at)]
            if at and not any(piece in collapse(cell) for cell in document_text_lines[at[0]].split("\t")):
                problems.append(f"{question.id}: evidence crosses table cells: {piece[:60]!r}")
            found |= {innermost(lines, number) for number in at[:1]}
        if found != set(question.gold_sections):
            problems.append(
                f"{question.id}: gold sections {question.gold_sections}, evidence in {sorted(found)}"
            )
        if strange := sorted(set(question.cited_sources) - works):
            problems.append(f"{question.id}: cited sources {strange} are not among the works cited")
    return tuple(problems)


def _parse(line: str, *, where: str) -> Question:
    try:
        question = _LINE.validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        raise QuestionSetError(
            f"{where}: {field + ': ' if field else ''}{first['msg']}", hint=_MEND
        ) from error
    if faults := list(_faults(question)):
        raise QuestionSetError(f"{where}: {'; '.join(faults)}", hint=_MEND)
    return question


def _faults(question: Question) -> Iterator[str]:
    if question.type not in QUESTION_TYPES:
        yield f"unknown type {question.type!r}"
    if not all(
        (question.id.strip(), question.question.strip(), question.reference.strip(), question.key_points)
    ):
        yield "id, question, reference and key_points must not be empty"
    texts = (*question.gold_sections, *question.evidence, *question.key_points, *question.must_not)
    if not all(text.strip() for text in texts):
        yield "a list holds an empty string"
    placed = bool(question.gold_sections or question.sources)
    if not question.answerable == bool(question.evidence) == placed:
        yield "answerable, evidence and gold_sections (or sources) disagree"
    if question.answerable and question.type in _NEVER_ANSWERABLE:
        yield f"a question of type {question.type} cannot be answerable"
    if list(question.cited_sources) != sorted(set(question.cited_sources)):
        yield "cited_sources are not ascending and distinct"
    if bool(question.history) != (question.type == "followup"):
        yield "history belongs to follow-ups, and only to them"
    if any(set(turn) != {"role", "content"} or not turn["content"].strip() for turn in question.history):
        yield "a turn of the history needs `role` and `content`"
    elif [turn["role"] for turn in question.history] != ["user", "assistant"] * (len(question.history) // 2):
        yield "the history must alternate between user and assistant"


def _piece_faults(piece: str, at: Sequence[int]) -> Iterator[str]:
    if piece != collapse(piece):
        yield "evidence has uncollapsed whitespace"
    if _MARKUP.search(piece):
        yield "evidence has markup or a citation mark"
    if not at:
        yield "evidence is not in any line of the document"
    elif len(at) > 1:
        yield f"evidence occurs {len(at)} times"


def innermost(lines: Sequence[str], number: int) -> str:
    """The id of the last heading at or above a line; list entries of the works cited are no headings."""
    end = next((k for k, line in enumerate(lines) if section_id(line) == "works_cited"), len(lines))
    if number >= end:
        return "works_cited"
    return next((found for line in lines[number::-1] if (found := section_id(line))), "")


def _works_cited(lines: Sequence[str]) -> set[int]:
    start = next((k for k, line in enumerate(lines) if section_id(line) == "works_cited"), len(lines))
    return {int(match[1]) for line in lines[start:] if (match := _ENTRY.match(line))}


def collapse(text: str) -> str:
    """White space as single spaces, none at the ends."""
    return " ".join(text.split())
