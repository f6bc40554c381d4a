"""Marks for a reply that has none: small models often forget to cite, and then say what the passages say.

Pure over a checker. Each sentence is checked against each passage by itself; the passage that supports it best gets the
mark. So many looks find something by chance more often than one, so the bar is higher than for a passage that the model
named: see eval/LOG.md, 2026-11-24.
"""

from collections.abc import Mapping

from rag.ground.support import Checker, Stance
from rag.prompt.check import Source
from rag.prompt.marks import Mark
from rag.prompt.units import is_connective, take_apart
from rag.schema import Span

_BAR = 0.8  # probability of support; the checker's own threshold is lower
_NO_PLACE = ("|", "`")  # a table row or code has no place for a mark


def find_marks(
    text: str, *, sources: Mapping[int, Source], checker: Checker, question: str
) -> tuple[str, tuple[Mark, ...]]:
    """The text with a mark behind each sentence for which a passage is found, and these marks."""
    parts: list[str] = []
    marks: list[Mark] = []
    at = length = 0
    for unit in take_apart(text, ()):
        written = unit.span.cut(text)
        if written.endswith(_NO_PLACE) or is_connective(unit.text, question):
            continue
        label = _best(unit.text, sources, checker)
        if label is None:
            continue
        before = f"{text[at : unit.span.end]} "
        length += len(before)
        marks.append(Mark(label=label, span=Span(start=length, end=length + len(f"[{label}]"))))
        parts += [before, f"[{label}]"]
        length += len(f"[{label}]")
        at = unit.span.end
    return "".join([*parts, text[at:]]), tuple(marks)


def _best(statement: str, sources: Mapping[int, Source], checker: Checker) -> int | None:
    best, score = None, 0.0
    for label, source in sources.items():
        support = checker.check(statement, [told.text for told in source.told])
        if support.stance is Stance.SUPPORTED and support.score >= _BAR and support.score > score:
            best, score = label, support.score
    return best
