"""Follow-ups: does the rule-made rewrite say what was meant, and is the right section found by it?

Knows the rewriting rules and, through a function, a search; it opens nothing. Two rewrites are alike if they hold the
same search terms: their wording may differ.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.questions import sections_match
from rag.errors import QuestionSetError
from rag.query import make_query
from rag.schema import Role, Turn
from rag.terms import terms

HALVES = ("develop", "report")
Sections = Sequence[str]
Search = Callable[[str, Sequence[Turn]], Sections]  # question and history to sections of the hits, best first


@dataclass(frozen=True, slots=True, kw_only=True)
class Talk:
    """A conversation and the question that follows; `wanted` is empty where it already stands alone."""

    id: str
    kind: str
    half: str
    history: tuple[Turn, ...]
    question: str
    wanted: tuple[str, ...]  # rewrites that say what was meant; the first is the one that is searched for
    sections: tuple[str, ...]

    @property
    def by_hand(self) -> str:
        """The question as a person would write it to stand alone."""
        return self.wanted[0] if self.wanted else self.question


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What became of one conversation. `found` holds, by way of asking, whether the first hit's section is right."""

    talk: Talk
    rewrite: str
    right: bool
    found: dict[str, bool]


def load_talks(path: Path) -> tuple[Talk, ...]:
    """Read conversations, one JSON object a line.

    Raises:
        QuestionSetError: a line is no conversation.
    """
    talks = []
    for n, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            record = json.loads(line)
            turns = (Turn(role=Role(t["role"]), text=t["content"]) for t in record.pop("history"))
            wanted, sections = tuple(record.pop("wanted")), tuple(record.pop("sections"))
            talk = Talk(history=tuple(turns), wanted=wanted, sections=sections, **record)
        except (ValueError, KeyError, TypeError) as error:
            raise QuestionSetError(f"{path.name}, line {n}: {error!r}") from error
        if talk.half not in HALVES:
            raise QuestionSetError(f"{path.name}, line {n}: half = {talk.half!r}")
        talks.append(talk)
    return tuple(talks)


def tell(talk: Talk, search: Search) -> Told:
    """Rewrite one follow-up, and search with it, as the product does and as written by hand."""
    query = make_query(talk.question, talk.history)
    if talk.wanted:
        right = any(set(terms(query.standalone)) == set(terms(wanted)) for wanted in talk.wanted)
    else:
        right = query.standalone == talk.question and not query.background
    asked: dict[str, tuple[str, Sequence[Turn]]] = {
        "product": (talk.question, talk.history),
        "rewrite": (query.standalone, ()),
        "by hand": (talk.by_hand, ()),
        "as typed": (talk.question, ()),
    }
    found = {way: _is_found(search(*words), talk.sections) for way, words in asked.items()}
    return Told(talk=talk, rewrite=query.standalone, right=right, found=found)


def _is_found(found: Sections, gold: Sections) -> bool:
    return any(sections_match(section, one) for section in found[:1] for one in gold)


def summary(told: Iterable[Told]) -> dict[str, dict[str, int]]:
    """Counts by half: follow-ups and rewrites that are right, lone questions and those changed, first hits right."""
    table: dict[str, dict[str, int]] = {}
    for one in told:
        row = table.setdefault(one.talk.half, {})
        leaning = bool(one.talk.wanted)
        _count(row, "follow-ups" if leaning else "lone", 1)
        _count(row, "right" if leaning else "changed", one.right if leaning else not one.right)
        for way, found in one.found.items():
            _count(row, f"{'follow-ups' if leaning else 'lone'} found, {way}", found)
    return table


def _count(row: dict[str, int], name: str, more: int) -> None:
    row[name] = row.get(name, 0) + more
