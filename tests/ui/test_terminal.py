"""The conversation in the terminal, with a scripted assistant and a scripted person."""

import io
import threading
from collections.abc import Iterator, Sequence

import pytest
from rich.console import Console

from rag.answer import Answer, AnswerStatus, Provenance, Timings, Usage
from rag.errors import QuestionError, StorageError
from rag.schema import Role, Turn
from ui.terminal import run_chat


def _answer(question: str, text: str) -> Answer:
    return Answer(
        id="1",
        question=question,
        standalone=question,
        search_query=question,
        status=AnswerStatus.ANSWERED,
        text=text,
        raw_text=text,
        citations=(),
        passages=(),
        cut=(),
        unknown_labels=(),
        unsupported_spans=(),
        warnings=(),
        usage=Usage(),
        timings=Timings(retrieve_s=0, first_token_s=0, total_s=0),
        provenance=Provenance(index_id="i", embedder="e", generator="extractive", settings_digest="d"),
        evidence=1.0,
    )


class Scripted:
    """Repeats what it is asked; keeps the history that came with it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Sequence[Turn]]] = []
        self.cancels: list[threading.Event] = []

    def stream(
        self, question: str, *, history: Sequence[Turn], cancel: threading.Event
    ) -> Iterator[str | Answer]:
        self.asked.append((question, history))
        self.cancels.append(cancel)
        if question == "long":
            yield "It begins"
            raise KeyboardInterrupt
        if question == "?":
            raise QuestionError("The question is empty.")
        if question == "broken":
            raise StorageError("The disk is gone.")
        yield f"Answer to {question}"
        yield _answer(question, f"Answer to {question}")


@pytest.fixture
def scripted() -> Scripted:
    return Scripted()


def _talk(scripted: Scripted, monkeypatch: pytest.MonkeyPatch, typed: str) -> str:
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    shown = io.StringIO()
    run_chat(scripted, Console(file=shown, width=100))  # type: ignore[arg-type]
    return shown.getvalue()


def test_the_end_of_input_ends_the_conversation(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _talk(scripted, monkeypatch, "What is LoRA?\n")
    assert "Answer to What is LoRA?" in shown
    assert len(scripted.asked) == 1


@pytest.mark.parametrize("word", ["/quit", "exit", "QUIT", ":q"])
def test_a_word_of_leave_ends_it_and_what_follows_is_not_asked(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    _talk(scripted, monkeypatch, f"a\n{word}\nb\n")
    assert [question for question, _ in scripted.asked] == ["a"]


def test_later_questions_carry_the_turns_before(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    _talk(scripted, monkeypatch, "a\nb\n")
    assert scripted.asked[0] == ("a", ())
    assert scripted.asked[1] == (
        "b",
        (Turn(role=Role.USER, text="a"), Turn(role=Role.ASSISTANT, text="Answer to a")),
    )


def test_new_forgets_the_turns_before(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = _talk(scripted, monkeypatch, "a\n/new\nb\n")
    assert "A new conversation." in shown
    assert scripted.asked[1] == ("b", ())


def test_a_blank_line_asks_nothing(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    _talk(scripted, monkeypatch, "\n   \na\n")
    assert [question for question, _ in scripted.asked] == ["a"]


def test_a_bad_question_is_told_with_its_hint_kept_out_of_the_history_and_ends_nothing(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _talk(scripted, monkeypatch, "?\na\n")
    assert "The question is empty. Ask one question of at most 4,000 characters." in shown
    assert scripted.asked[1] == ("a", ())


def test_an_interrupted_answer_is_stopped_and_the_conversation_goes_on_without_it(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _talk(scripted, monkeypatch, "long\na\n")
    assert "Stopped." in shown
    assert [cancel.is_set() for cancel in scripted.cancels] == [True, False]
    assert scripted.asked[1] == ("a", ())


def test_an_unknown_command_is_not_asked_as_a_question(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _talk(scripted, monkeypatch, "/help\n")
    assert scripted.asked == []
    assert shown.count("/new starts afresh") == 2


def test_other_failures_are_left_to_the_command_line(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StorageError):
        _talk(scripted, monkeypatch, "broken\n")


def test_markup_and_escapes_in_an_answer_are_shown_and_not_obeyed(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = _talk(scripted, monkeypatch, "[bold]x[/bold] [/red] \x1b[31mred\n")
    assert "Answer to [bold]x[/bold] [/red] [31mred" in shown
    assert "\x1b" not in shown
