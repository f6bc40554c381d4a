"""Marks for a reply that has none: only where one passage supports a sentence well, and where there is room for one."""

from collections.abc import Sequence

from rag.ground.support import Stance, Support
from rag.prompt.found import find_marks
from tests.rag.prompt.made import WordChecker, make_sources

CATS = "Cats sleep all day. They hunt mice at night."
DOGS = "Dogs bark at strangers. They fetch sticks in parks."


class _Barely(WordChecker):
    """Supports what `WordChecker` does, with little confidence."""

    def check(self, statement: str, evidence: Sequence[str]) -> Support:
        support = super().check(statement, evidence)
        return Support(score=min(support.score, 0.79), stance=support.stance, evidence=support.evidence)


def _found(text: str, *, barely: bool = False) -> str:
    checker = _Barely() if barely else WordChecker()
    marked, marks = find_marks(
        text, sources=make_sources(CATS, DOGS), checker=checker, question="What do pets do?"
    )
    assert [mark.span.cut(marked) for mark in marks] == [f"[{mark.label}]" for mark in marks]
    return marked


def test_each_sentence_gets_the_passage_that_says_it() -> None:
    assert _found("Dogs bark at strangers. Cats sleep all day.\n- Cats hunt mice") == (
        "Dogs bark at strangers. [2] Cats sleep all day. [1]\n- Cats hunt mice [1]"
    )


def test_what_no_passage_says_by_itself_gets_none() -> None:
    text = "Cats fly. Cats hunt mice and dogs fetch sticks."
    assert _found(text) == text


def test_a_weak_support_is_none() -> None:
    assert WordChecker().check("Cats sleep.", [CATS]).stance is Stance.SUPPORTED
    assert _found("Cats sleep.", barely=True) == "Cats sleep."


def test_a_lead_in_a_row_and_code_get_none() -> None:
    text = "In short:\n| Cats | sleep |\n```\nCats sleep\n```"
    assert _found(text) == text
