"""An answer in a terminal; nothing in a document can drive that terminal."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rag.answer import EXTRACTIVE, Answer, AnswerStatus, Citation, Provenance, Reference, Timings, Usage
from rag.render import plain, show_answer
from rag.schema import Span

CITATION = Citation(
    label=1,
    source_id="s",
    title="Guide",
    path="guide.txt",
    url=None,
    heading_path=("Part I", "1.1. Training"),
    pages=(),
    quote="Momentum helps.",
    quote_span=Span(start=0, end=15),
    answer_spans=(Span(start=0, end=15),),
    support=1.0,
    references=(Reference(number=44, title="LoRA", url="https://example.org/lora"),),
)
ANSWER = Answer(
    id="1",
    question="Why?",
    search_query="Why?",
    status=AnswerStatus.ANSWERED,
    text="Momentum helps. [1]",
    raw_text="Momentum helps. [1]",
    citations=(CITATION,),
    passages=(),
    unknown_labels=(),
    unsupported_spans=(),
    warnings=(),
    usage=Usage(),
    timings=Timings(retrieve_s=0.0, first_token_s=0.0, total_s=0.0),
    provenance=Provenance(index_id="i", embedder="e", generator=EXTRACTIVE, settings_digest="d"),
    evidence=0.9,
)
BY_A_MODEL = replace(ANSWER, provenance=replace(ANSWER.provenance, generator="openai:x"))
EVIL = "\x1b]8;;https://evil.example\x1b\\click\x1b[31m\x07\r\x9b2J\u202e\x08"


def _shown(answer: Answer, *, terminal: bool = False) -> str:
    out = io.StringIO()
    show_answer(
        answer, Console(file=out, width=100, force_terminal=terminal, color_system=None, legacy_windows=False)
    )
    return out.getvalue()


@given(st.text())
def test_plain_text_holds_no_control_or_format_character(text: str) -> None:
    cleaned = plain(text)
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", cleaned)
    assert plain(cleaned) == cleaned


def test_plain_keeps_words_line_ends_and_the_room_of_a_tab() -> None:
    assert plain("a\tb\nc – “é” 漢") == "a b\nc – “é” 漢"


@pytest.mark.parametrize("terminal", [False, True])
def test_escape_sequences_in_any_field_stay_inert(terminal: bool) -> None:
    citation = replace(
        CITATION,
        title=EVIL,
        heading_path=(EVIL,),
        quote=EVIL,
        references=(Reference(number=1, title=EVIL, url=EVIL),),
    )
    answer = replace(BY_A_MODEL, text=EVIL, search_query=EVIL, warnings=(EVIL,), citations=(citation,))
    shown = _shown(answer, terminal=terminal)
    assert shown.count("click") == 7  # each field is there, as words
    ours = re.sub("\x1b\\[[0-9;]*m", "", shown) if terminal else shown  # the terminal's own bold and dim
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", ours)
    assert "\x1b[31m" not in shown


def test_markup_in_a_document_is_not_obeyed() -> None:
    text = "[bold]not bold[/bold] [link=https://evil.example]x[/link] :smile: [/]"
    assert text in _shown(replace(ANSWER, text=text))
    shown = _shown(replace(ANSWER, text=text), terminal=True)
    assert text in shown


def test_an_answer_shows_its_text_then_its_sources() -> None:
    assert [line.rstrip() for line in _shown(ANSWER).splitlines()] == [
        "Momentum helps. [1]",
        "",
        "[1] 1.1. Training",
        "    rests on 44. LoRA",
        "    https://example.org/lora",
    ]


def test_a_models_answer_shows_the_quotes_behind_it_and_an_extractive_one_does_not_repeat_itself() -> None:
    assert "“Momentum helps.”" in _shown(BY_A_MODEL)
    assert "“" not in _shown(ANSWER)


def test_a_long_quote_is_shortened_between_words() -> None:
    citation = replace(CITATION, quote="word " * 100)
    shown = " ".join(_shown(replace(BY_A_MODEL, citations=(citation,))).split())
    assert f"“{'word ' * 44}…”" in shown


def test_a_source_is_listed_once_with_all_its_works_once() -> None:
    other = Reference(number=45, title="QLoRA", url="https://example.org/qlora")
    again = replace(CITATION, references=(*CITATION.references, other))
    shown = _shown(replace(ANSWER, citations=(CITATION, again)))
    assert [shown.count(text) for text in ("[1] 1.1.", "44. LoRA", "45. QLoRA")] == [1, 1, 1]


def test_sources_follow_the_order_of_their_citing() -> None:
    second = replace(CITATION, label=2, heading_path=("2. Serving",))
    shown = _shown(replace(ANSWER, citations=(second, CITATION)))
    assert shown.index("[2] 2. Serving") < shown.index("[1] 1.1. Training")


def test_pages_are_named_and_a_source_without_headings_goes_by_its_title() -> None:
    citation = replace(CITATION, pages=(3, 4), heading_path=())
    assert "[1] Guide, p. 3, 4" in _shown(replace(ANSWER, citations=(citation,)))


def test_warnings_come_first_and_a_rewritten_question_is_told() -> None:
    lines = _shown(
        replace(ANSWER, warnings=("The index is old.",), search_query="Why momentum?")
    ).splitlines()
    assert [line.rstrip() for line in lines[:3]] == [
        "Warning: The index is old.",
        "Searched for: Why momentum?",
        "Momentum helps. [1]",
    ]
    assert "Searched for" not in _shown(ANSWER)


def test_a_refusal_has_no_sources_and_no_blank_end() -> None:
    refused = replace(ANSWER, status=AnswerStatus.INSUFFICIENT_EVIDENCE, text="No.", citations=())
    assert _shown(refused) == "No.\n"
