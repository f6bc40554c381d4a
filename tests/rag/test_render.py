"""An answer in a terminal; nothing in a document can drive that terminal."""

import io
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from rag.answer import EXTRACTIVE, Answer, AnswerStatus, Citation, Provenance, Reference, Says, Timings, Usage
from rag.render import answer_console, plain, show_answer, show_stream
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
    standalone="Why?",
    search_query="Why?",
    status=AnswerStatus.ANSWERED,
    text="Momentum helps. [1]",
    raw_text="Momentum helps. [1]",
    citations=(CITATION,),
    passages=(),
    cut=(),
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


def test_neighbours_from_one_place_with_the_same_works_are_listed_together() -> None:
    third = replace(CITATION, label=3, heading_path=("2. Serving",))
    shown = _shown(replace(ANSWER, citations=(CITATION, replace(CITATION, label=2), third)))
    assert [line.rstrip() for line in shown.splitlines()][2:] == [
        "[1] [2] 1.1. Training",
        "    rests on 44. LoRA",
        "    https://example.org/lora",
        "[3] 2. Serving",
        "    rests on 44. LoRA",
    ]


def test_an_address_is_never_cut_and_an_item_goes_on_below_its_own_text() -> None:
    url = "https://example.org/" + "a" * 80
    citation = replace(CITATION, references=(Reference(number=44, title="LoRA", url=url),))
    answer = replace(ANSWER, text="- Momentum helps a lot. [1]\n- No.", citations=(citation,))
    out = io.StringIO()
    show_answer(answer, Console(file=out, width=20, force_terminal=True, color_system=None))
    assert [line.rstrip() for line in out.getvalue().splitlines()][:3] == [
        "- Momentum helps a",
        "  lot. [1]",
        "- No.",
    ]
    assert url in out.getvalue()


def test_what_goes_to_another_program_has_each_line_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = replace(ANSWER, text="- " + "word " * 100 + "end. [1]")
    monkeypatch.delenv("COLUMNS", raising=False)
    show_answer(answer, answer_console())
    assert capsys.readouterr().out.splitlines()[:3] == [answer.text, "", "[1] 1.1. Training"]
    monkeypatch.setenv("COLUMNS", "60")
    show_answer(answer, answer_console())
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 60


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


# --- An answer that a model wrote -----------------------------------------------------------------------------------


def test_an_unsupported_sentence_is_marked_in_words() -> None:
    text = "Momentum helps. [1] It was\x1b found by a bird. It is old."
    start = text.index("It was")
    weak = (Span(start=start, end=start + len("It was\x1b found by a bird.")),)
    shown = _shown(replace(BY_A_MODEL, text=text, unsupported_spans=weak))
    assert shown.startswith("Momentum helps. [1] It was found by a bird. (unsupported) It is old.")


def test_a_stream_that_is_no_terminal_shows_the_checked_answer_once() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, color_system=None)
    answer = show_stream(iter(["Momentum ", "helps [9]. [1]", ANSWER]), console)
    assert answer is ANSWER
    assert out.getvalue() == _shown(ANSWER)


def test_a_stream_in_a_terminal_shows_what_is_written_before_it_is_checked() -> None:
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system=None, legacy_windows=False)
    show_stream(iter(["Half an ", "answer\x1b]0;x\x07", ANSWER]), console)
    assert "Half an answer" in out.getvalue()
    assert "\x1b]0" not in out.getvalue()
    assert out.getvalue().index("Half an") < out.getvalue().index("Momentum helps.")


def _with_says(verdict: str, quote: str = "It freezes weights.") -> Answer:
    says = Says(
        verdict=verdict,  # type: ignore[arg-type]
        source_id="s",
        title="The LoRA page",
        path="p",
        quote=quote,
        quote_span=Span(start=0, end=1),
        heading_path=(),
        pages=(3,),
        score=0.8,
    )
    reference = replace(CITATION.references[0], says=says)
    return replace(ANSWER, citations=(replace(CITATION, references=(reference,)),))


@pytest.mark.parametrize("verdict", ["agrees", "differs"])
def test_what_a_source_says_is_shown_with_its_place(verdict: str) -> None:
    shown = " ".join(_shown(_with_says(verdict)).split())
    assert f"The source says ({verdict}): “It freezes weights.” — The LoRA page, p. 3" in shown


def test_a_source_that_does_not_say_it_is_not_quoted() -> None:
    shown = _shown(_with_says("not_found"))
    assert "The source does not clearly say this." in shown
    assert "freezes" not in shown


def test_a_quote_of_a_source_cannot_drive_the_terminal() -> None:
    assert "\x1b" not in _shown(_with_says("agrees", EVIL))
