"""An answer held against its passages: marks that stand have been checked, everything else is marked or left out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.prompt.check import Checked, check_answer
from rag.prompt.marks import MarkReader
from rag.prompt.units import take_apart
from tests.rag.prompt.made import WordChecker, make_sources

CATS = "Cats sleep all day. They hunt mice at night. Kittens drink milk."
DOGS = "Dogs bark at strangers. They fetch sticks in parks."


def _check(
    written: str,
    *texts: str,
    question: str = "What do pets do?",
    strict: bool = False,
    work_at: int | None = None,
) -> Checked:
    reader = MarkReader(given=range(1, 10))
    text = reader.feed(written) + reader.close()
    sources = make_sources(*(texts or (CATS, DOGS)), work_at=work_at)
    return check_answer(
        text,
        take_apart(text, reader.marks),
        sources=sources,
        checker=WordChecker(),
        question=question,
        strict=strict,
    )


def _weak(checked: Checked) -> list[str]:
    return [span.cut(checked.text) for span in checked.unsupported]


def test_a_supported_sentence_keeps_its_mark_and_gets_its_quote() -> None:
    checked = _check("Mice are hunted at night [1].")
    assert checked.text == "Mice are hunted at night [1]."
    [citation] = checked.citations
    assert citation.label == 1
    assert citation.quote == "They hunt mice at night."
    assert citation.quote_span.cut(CATS) == citation.quote
    assert [span.cut(checked.text) for span in citation.answer_spans] == ["Mice are hunted at night [1]."]
    assert (citation.support, citation.pages, citation.heading_path) == (0.9, (4,), ("1. Start",))
    assert (checked.supported, checked.claims, checked.unsupported) == (1, 1, ())


def test_an_unsupported_sentence_loses_its_mark_and_is_listed_with_the_reason() -> None:
    checked = _check("Cats sleep all day [1]. Cats fly to the moon [2].")
    assert checked.text == "Cats sleep all day [1]. Cats fly to the moon."
    assert _weak(checked) == ["Cats fly to the moon."]
    assert "moon" in checked.reasons[0]
    assert (checked.supported, checked.claims, checked.share) == (1, 2, 0.5)


def test_a_mark_of_another_passage_than_the_one_that_says_it_does_not_stand() -> None:
    checked = _check("Dogs bark at strangers [1].")
    assert checked.text == "Dogs bark at strangers."
    assert checked.citations == ()
    assert _weak(checked) == ["Dogs bark at strangers."]


def test_of_several_marks_those_stay_that_say_it() -> None:
    checked = _check("Dogs bark at strangers [1][2].")
    assert checked.text == "Dogs bark at strangers [2]."
    assert [citation.label for citation in checked.citations] == [2]


def test_what_only_several_passages_say_together_keeps_them_all() -> None:
    checked = _check("Cats hunt mice and dogs fetch sticks [1][2].")
    assert checked.text == "Cats hunt mice and dogs fetch sticks [1][2]."
    assert [(c.label, c.quote) for c in checked.citations] == [
        (1, "They hunt mice at night."),
        (2, "They fetch sticks in parks."),
    ]


def test_a_sentence_without_a_mark_is_unsupported_even_if_a_passage_says_it() -> None:
    checked = _check("Cats sleep all day [1]. Dogs bark at strangers.")
    assert _weak(checked) == ["Dogs bark at strangers."]


def test_a_mark_speaks_for_the_sentences_before_it_and_each_is_checked() -> None:
    checked = _check("Cats sleep all day. Cats fly. Mice are hunted [1].")
    assert checked.text == "Cats sleep all day. Cats fly. Mice are hunted [1]."
    assert _weak(checked) == ["Cats fly."]
    assert checked.supported == 2


def test_a_quote_is_as_many_sentences_as_it_takes() -> None:
    checked = _check("Cats sleep and hunt mice [1].")
    assert [citation.quote for citation in checked.citations] == [
        "Cats sleep all day. They hunt mice at night."
    ]


def test_sentences_with_the_same_quote_share_a_citation() -> None:
    checked = _check("Cats sleep [1]. Cats sleep all day [1].")
    [citation] = checked.citations
    assert len(citation.answer_spans) == 2


def test_the_works_that_a_quote_rests_on_are_named() -> None:
    checked = _check(
        "Cats sleep all day [1]. Kittens drink milk [1].", CATS, work_at=len("Cats sleep all day.")
    )
    by_quote = {citation.quote: [r.number for r in citation.references] for citation in checked.citations}
    assert by_quote == {"Cats sleep all day.": [7], "Kittens drink milk.": []}


def test_strict_leaves_out_what_has_no_support() -> None:
    checked = _check(
        "Cats fly [1]. Cats sleep all day [1]. Dogs swim.\n\n- Moons [2]\n- Kittens drink milk [1]",
        strict=True,
    )
    assert checked.text == "Cats sleep all day [1].\n\n- Kittens drink milk [1]"
    assert checked.unsupported == ()
    assert (checked.supported, checked.claims) == (2, 5)
    assert [span.cut(checked.text) for c in checked.citations for span in c.answer_spans] == [
        "Cats sleep all day [1].",
        "Kittens drink milk",
    ]


def test_strict_may_leave_nothing() -> None:
    checked = _check("Cats fly [1].\nYes.", strict=True)
    assert (checked.text, checked.citations, checked.share) == ("", (), 0.0)


def test_a_lead_in_stands_without_a_passage() -> None:
    checked = _check("In short:\n- Cats sleep all day [1]")
    assert checked.unsupported == ()
    assert checked.claims == 1


_PARTS = st.sampled_from(
    [
        "Cats sleep all day",
        " [1]",
        " [2]",
        "[1]",
        ".",
        " ",
        "\n",
        "\n\n",
        "- ",
        "Dogs bark",
        "Cats fly",
        "In short:",
        "```",
        "| a |",
        "**x**",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(_PARTS, max_size=20).map("".join), st.booleans())
def test_every_mark_that_is_shown_has_been_checked_and_every_span_lies_in_the_text(
    written: str, strict: bool
) -> None:
    checked = _check(written, strict=strict)
    reader = MarkReader(given=range(1, 10))
    reader.feed(checked.text)
    assert not checked.claims or {mark.label for mark in reader.marks} <= {c.label for c in checked.citations}
    assert checked.text == checked.text.strip()
    for citation in checked.citations:
        source = {1: CATS, 2: DOGS}[citation.label]
        assert citation.quote == citation.quote_span.cut(source)
        assert all(span.cut(checked.text).strip() for span in citation.answer_spans)
    assert all(any(c.isalnum() for c in span.cut(checked.text)) for span in checked.unsupported)
    assert not (strict and checked.unsupported)
    assert len(checked.unsupported) == len(checked.reasons)


@pytest.mark.parametrize("strict", [False, True])
def test_an_answer_of_nothing_claims_nothing(strict: bool) -> None:
    checked = _check("", strict=strict)
    assert (checked.text, checked.claims, checked.share) == ("", 0, 0.0)
