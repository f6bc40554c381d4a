"""Checking question sets whose evidence stands in the roadmap, in other documents, or in both.

Every piece of evidence must stand verbatim, white space collapsed, exactly once in all the documents that a question
rests on; every document that it names must hold a piece; the gold sections must be those of the pieces in the roadmap.
Documents are read as the index holds them. A document that is not at hand leaves its questions unchecked, and says so.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from eval.questions import Question, check_questions, collapse, innermost
from ingest.loaders import load_document

ReadSource = Callable[[str], str | None]  # name of a source -> its text, None where it is not at hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """`faults` name the question; `unchecked` are ids whose documents are not at hand."""

    n: int
    faults: tuple[str, ...]
    unchecked: tuple[str, ...]


def check_set(questions: Sequence[Question], roadmap_lines: Sequence[str], read: ReadSource) -> Checked:
    """Check all questions of a set."""
    alone = [question for question in questions if not question.sources]
    sourced = [question for question in questions if question.sources]
    at_hand = [question for question in sourced if all(read(name) is not None for name in question.sources)]
    lines = [collapse(line) for line in roadmap_lines]
    faults = [*check_questions(alone, roadmap_lines), *_repeated(questions)]
    faults += [fault for question in at_hand for fault in _sourced(question, lines, read)]
    unchecked = tuple(question.id for question in sourced if question not in at_hand)
    return Checked(n=len(questions), faults=tuple(faults), unchecked=unchecked)


def source_reader(folder: Path | None) -> ReadSource:
    """Reads documents below a folder as the index does; None for those that are not there."""

    @cache
    def read(name: str) -> str | None:
        path = folder / name if folder else None
        if path is None or not path.is_file():
            return None
        return collapse(load_document(path.read_bytes(), path=path.as_posix()).text)

    return read


def _sourced(question: Question, lines: Sequence[str], read: ReadSource) -> list[str]:
    texts = {name: read(name) or "" for name in question.sources}
    faults, holding, sections = [], set[str](), dict[str, None]()
    for piece in question.evidence:
        at = [number for number, line in enumerate(lines) for _ in range(line.count(piece))]
        counts = {name: text.count(piece) for name, text in texts.items()}
        times = len(at) + sum(counts.values())
        if times != 1:
            faults.append(f"{question.id}: evidence occurs {times} times: {piece[:60]!r}")
        if piece != collapse(piece):
            faults.append(f"{question.id}: evidence has uncollapsed whitespace: {piece[:60]!r}")
        holding |= {name for name, count in counts.items() if count}
        sections |= dict.fromkeys(innermost(lines, number) for number in at[:1])
    if idle := sorted(set(question.sources) - holding):
        faults.append(f"{question.id}: no evidence stands in {', '.join(idle)}")
    if set(sections) != set(question.gold_sections):
        faults.append(
            f"{question.id}: gold sections {question.gold_sections}, evidence in {sorted(sections)}"
        )
    return faults


def _repeated(questions: Sequence[Question]) -> list[str]:
    """Questions that are asked twice, whatever their letters' case and punctuation."""
    seen: dict[tuple[str, ...], str] = {}
    faults = []
    for question in questions:
        turns = tuple(turn["content"] for turn in question.history)
        asked = tuple("".join(c for c in text.lower() if c.isalnum()) for text in (question.question, *turns))
        if asked in seen:
            faults.append(f"{question.id}: asks the same as {seen[asked]}")
        seen.setdefault(asked, question.id)
    return faults
