"""How follow-ups read alone, and what earlier turns were about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answer import DECLINED
from rag.schema import Role, Turn
from rag.standalone import background_of, read_history, stand_alone, topic_of

PILLARS = "- Version Control: code and data. [1]\n- Automation: pipelines. [2]\n- Continuous X: delivery. [3]"
PAIR = "- Recall: what was found. [1]\n- Precision: what was right. [1]"
LORA = ("What is LoRA?", "x")


def _talk(*texts: str) -> tuple[Turn, ...]:
    return tuple(Turn(role=Role.ASSISTANT if n % 2 else Role.USER, text=text) for n, text in enumerate(texts))


def _alone(question: str, *talk: str) -> str:
    return stand_alone(question, read_history(_talk(*talk)))


@pytest.mark.parametrize(
    ("talk", "question", "alone"),
    [
        (
            LORA,
            "and by what factor does it reduce parameters?",
            "By what factor does LoRA reduce parameters?",
        ),
        (LORA, "why is it popular?", "Why is LoRA popular?"),
        (LORA, "what are its drawbacks?", "What are LoRA's drawbacks?"),
        (LORA, "who invented this technique?", "Who invented LoRA?"),
        (LORA, "what are the drawbacks?", "What are the drawbacks of LoRA?"),
        (LORA, "give me an example", "Give me an example of LoRA"),
        (LORA, "what's the difference to QLoRA?", "What's the difference between LoRA and QLoRA?"),
        (LORA, "tell me more", "Tell me more about LoRA"),
        (LORA, "what about inference latency?", "What about inference latency of LoRA?"),
        (LORA, "and QLoRA?", "What is QLoRA?"),
        (LORA, "so does quality suffer?", "Does quality suffer (about LoRA)?"),
        ((*LORA, "why is it popular?", "y"), "and its drawbacks?", "LoRA's drawbacks?"),
        ((*LORA, "and QLoRA?", "y"), "is it slow?", "Is QLoRA slow?"),
        (("How does dropout work?", "x"), "does it scale?", "Does dropout scale?"),
        (("How does LoRA cut memory?", "x"), "is it slow?", "Is LoRA slow?"),
        (("Is LoRA cheap?", "x"), "why?", "Why is LoRA cheap?"),
        (("Is LoRA slow?", "x"), "why not?", "Is LoRA slow, and why not?"),
        (("Which models use LoRA?", "x"), "why?", "Which models use LoRA, and why?"),
        (("How is BERT trained?", "x"), "and GPT?", "How is GPT trained?"),
        (("How is BERT trained?", "x"), "and for translation?", "How is BERT trained for translation?"),
        (("What are the four pillars of MLOps?", PILLARS), "explain the second one", "Explain Automation"),
        (("What are the four pillars of MLOps?", PILLARS), "what is the last?", "What is Continuous X?"),
        (("What are the pillars?", PILLARS), "why the ninth one?", "Why the ninth one (about pillars)?"),
        (("Name them", PILLARS, "explain the first one", "x"), "and the third?", "Explain Continuous X"),
        (("Which two measures?", PAIR, "explain the first one", "x"), "and the other?", "Explain Precision"),
        (("Which tool?", "Use DVC or LakeFS."), "is the second one free?", "Is LakeFS free?"),
        (("How does BERT differ from GPT?", "x"), "is the latter newer?", "Is GPT newer?"),
        (("bert vs gpt, who sees what?", "x"), "which is better?", "Which is better (about bert and gpt)?"),
    ],
)
def test_a_follow_up_reads_alone(talk: tuple[str, ...], question: str, alone: str) -> None:
    assert _alone(question, *talk) == alone


def test_a_declined_question_is_no_topic_to_go_on_from() -> None:
    refused = ("Who won the 2022 World Cup?", f"{DECLINED} They never mention it.")
    assert _alone("what about its latency?", *LORA, *refused) == "What about LoRA's latency?"
    assert background_of(read_history(_talk(*LORA, *refused))) == "What is LoRA? x"
    assert _alone("what does it cost?", "What is GPT-9?", f"{DECLINED} No.") == "What does GPT-9 cost?"


def test_the_background_names_what_a_chain_of_follow_ups_is_about() -> None:
    assert background_of(read_history(_talk(*LORA, "why is it popular?", "y"))) == "Why is LoRA popular? y"


def test_without_a_topic_the_question_stays_as_it_is() -> None:
    assert _alone("and why is it so?") == "and why is it so?"
    assert _alone("why is it so?", "Why?", "Because.") == "why is it so?"


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("What is data drift?", "data drift"),
        ("What is Docker good for?", "Docker"),
        ("How does chain-of-thought prompting work?", "chain-of-thought prompting"),
        ("Are RNNs slow to train?", "RNNs"),
        ("BERT vs GPT: which is newer?", "BERT and GPT"),
        ("I am new here. What should I learn about linear algebra?", "linear algebra"),
        ("Why?", ""),
    ],
)
def test_the_topic_is_what_a_question_names(question: str, topic: str) -> None:
    assert topic_of(question) == topic


@given(st.text(max_size=60), st.lists(st.text(max_size=60), max_size=6))
def test_any_conversation_gives_a_question_that_is_no_longer_than_what_was_said(
    question: str, talk: list[str]
) -> None:
    alone = _alone(question, *talk)
    assert len(alone) <= len(question) + sum(map(len, talk)) + 20 * (len(talk) + 1)
    if not talk:
        assert alone == question
