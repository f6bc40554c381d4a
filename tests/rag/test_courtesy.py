"""What is said to Waymark itself: recognised as a whole, answered shortly, and never taken for a question."""

import io

import pytest
from rich.console import Console

from rag.answer import DECLINED, AnswerStatus
from rag.assistant import Assistant
from rag.courtesy import is_courtesy, reply_to
from rag.followup import needs_history
from rag.options import AskOptions
from rag.render import show_answer
from rag.schema import Role, Turn


@pytest.mark.parametrize(
    "message",
    [
        *("hello", "Hi there!", "good morning", "hey Waymark, how are you?", "Hi! How are you doing today?"),
        *("thanks", "Thank you so much!", "ok, thanks 😀", "great, that helps", "thanks for the explanation"),
        *("bye", "Thanks, bye!", "see you later", "Good night"),
        *("who are you?", "What is Waymark?", "are you ChatGPT?", "Are you a real person?", "who made you"),
        *("help", "what can you do?", "how do you work?", "What can I ask?", "How do I use this app?"),
        *("What documents do you have?", "Can I add my own files?", "hello, what can you do?"),
    ],
)
def test_what_is_said_to_waymark_is_recognised(message: str) -> None:
    assert is_courtesy(message)


@pytest.mark.parametrize(
    "message",
    [
        *(
            "Hi, what is LoRA?",
            "thanks, and what about QLoRA?",
            "ok why?",
            "great, how does it work?",
            "why?",
        ),
        *(
            "help me understand PCA",
            "How does this work?",
            "What is this?",
            "What can LLMs do?",
            "who made BERT?",
        ),
        *("what's up with overfitting?", "Are you supposed to normalise the data?", "Is ChatGPT a decoder?"),
        *(
            "What documents does RAG need?",
            "How do I use PyTorch?",
            "Can I add my own layers?",
            "good results?",
        ),
        *("What is a good learning rate", "bye-bye effect", "?", "...", "test"),
    ],
)
def test_a_question_is_never_taken_for_a_courtesy(message: str) -> None:
    assert not is_courtesy(message)
    assert reply_to(message, title="Roadmap", others=0) == ""


def test_of_several_courtesies_the_one_that_asks_is_answered() -> None:
    assert "“Roadmap”, and 2 other documents." in reply_to("Hi! What can you do?", title="Roadmap", others=2)
    assert reply_to("Thanks, bye!", title="Roadmap", others=0) == "Goodbye."


def test_a_courtesy_rests_on_no_evidence_and_is_shown_as_no_refusal(assistant: Assistant) -> None:
    answer = assistant.ask("hello", options=AskOptions(llm="transformers:no/such-model"))
    assert (answer.status, answer.provenance.generator) == (AnswerStatus.INSUFFICIENT_EVIDENCE, "waymark")
    assert (answer.citations, answer.passages, answer.warnings, answer.evidence) == ((), (), (), 0.0)
    assert not answer.text.startswith(DECLINED)
    console = Console(file=io.StringIO(), force_terminal=True, color_system="standard", width=200)
    show_answer(answer, console)
    assert "\x1b[33m" not in console.file.getvalue()  # the yellow of refusals


def test_passages_for_it_can_still_be_searched(assistant: Assistant) -> None:
    assert len(assistant.search("hello", k=3)) == 3


def test_thanks_lean_on_nothing_and_change_no_topic(assistant: Assistant) -> None:
    history = (
        Turn(role=Role.USER, text="What is RAG?"),
        Turn(role=Role.ASSISTANT, text="RAG is a hybrid approach. [1]"),
        Turn(role=Role.USER, text="Thanks!"),
        Turn(role=Role.ASSISTANT, text="You are welcome."),
    )
    assert not needs_history("thanks!")
    assert assistant.ask("thanks!", history=history[:2]).search_query == "thanks!"
    assert assistant.ask("does it reduce hallucinations?", history=history).standalone == (
        "Does RAG reduce hallucinations?"
    )
