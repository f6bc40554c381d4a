"""What sources say of roadmap sentences, against labels that a person set by reading them.

A case is a sentence of the roadmap, a file that stands for the work it cites, and what the file says: it agrees only
if it says all of the sentence. Two kinds of control need no person: a sentence against a file of another field, and a
sentence with a changed number, name or negation against a file that agrees with the original. Neither may agree.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eval.pairs import names_of
from eval.perturb import Change, perturb
from rag.answer import Says
from rag.errors import QuestionSetError

AGREES, DIFFERS, NOT_FOUND = "agrees", "differs", "not_found"
LABELLED, STRANGERS, CHANGED = "labelled", "another field", "changed"
# Folders of the stand-ins by field: operations against learning.
OPERATIONS = frozenset({"aws", "docker", "dtu-mlops", "evidently", "microsoft", "saikhu"})

Ask = Callable[[str, str], Says]  # statement, file


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceCase:
    """One labelled pair. `quote` (at most 25 words of the file) is where it agrees or differs; else empty."""

    id: str
    statement: str
    work: int
    file: str  # below the folder of sources
    verdict: str
    quote: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A case or a control as it was asked, what is right, and what was said."""

    kind: str
    of: str  # id of the case
    file: str
    statement: str
    wanted: str
    says: Says

    @property
    def wrongly_agrees(self) -> bool:
        return self.says.verdict == AGREES and self.wanted != AGREES


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceReport:
    """`confusion`: (wanted, said) → count, of labelled cases. Shares, [0, 1]; None where there was nothing to share."""

    n: int
    confusion: Mapping[tuple[str, str], int]
    precision: float | None  # of "agrees"
    recall: float | None  # of "agrees"
    controls: Mapping[str, tuple[int, int]]  # kind → (n, wrongly agreeing)
    asked: tuple[Asked, ...]


def load_cases(path: Path) -> tuple[SourceCase, ...]:
    """The labelled pairs, one JSON object a line.

    Raises:
        QuestionSetError: the file is absent or malformed.
    """
    adapter = TypeAdapter(SourceCase)
    try:
        return tuple(adapter.validate_json(line) for line in path.read_text(encoding="utf-8").splitlines())
    except (OSError, ValidationError) as error:
        raise QuestionSetError(f"{path} cannot be read: {error}") from error


def run_cases(cases: Sequence[SourceCase], ask: Ask, *, seed: int = 0) -> SourceReport:
    """Ask for every case and control."""
    asked = tuple(
        Asked(kind=kind, of=case.id, file=file, statement=statement, wanted=wanted, says=ask(statement, file))
        for kind, case, file, statement, wanted in _questions(cases, seed)
    )
    labelled = [one for one in asked if one.kind == LABELLED]
    confusion = Counter[tuple[str, str]]((one.wanted, one.says.verdict) for one in labelled)
    right = confusion[AGREES, AGREES]
    said = sum(one.says.verdict == AGREES for one in labelled)
    wanted = sum(one.wanted == AGREES for one in labelled)
    controls = {
        kind: (len(of_kind), sum(one.wrongly_agrees for one in of_kind))
        for kind in (STRANGERS, CHANGED)
        if (of_kind := [one for one in asked if one.kind == kind])
    }
    return SourceReport(
        n=len(labelled),
        confusion=dict(confusion),
        precision=right / said if said else None,
        recall=right / wanted if wanted else None,
        controls=controls,
        asked=asked,
    )


def _questions(cases: Sequence[SourceCase], seed: int) -> Iterator[tuple[str, SourceCase, str, str, str]]:
    draw = random.Random(seed)  # noqa: S311 (a repeatable choice)
    files = sorted({case.file for case in cases})
    names = names_of(case.statement for case in cases)
    for case in cases:
        yield LABELLED, case, case.file, case.statement, case.verdict
        others = [file for file in files if _is_operations(file) != _is_operations(case.file)]
        if others:
            yield STRANGERS, case, draw.choice(others), case.statement, NOT_FOUND
        if case.verdict == AGREES:
            for change in Change:
                changed = perturb(case.statement, change, names=names, seed=seed)
                if changed is not None:
                    yield CHANGED, case, case.file, changed, DIFFERS


def _is_operations(file: str) -> bool:
    return file.split("/")[1] in OPERATIONS
