"""Other languages are noticed where a refusal can say so, and English never is."""

import json
from pathlib import Path

import pytest

from rag.answer import AnswerStatus
from rag.assistant import Assistant
from rag.language import is_not_english
from rag.refuse import IN_ENGLISH

SETS = Path(__file__).parents[2] / "eval" / "questions"


@pytest.mark.parametrize(
    "question",
    [
        "Wie funktioniert die Rückpropagierung?",
        "Qu'est-ce que l'apprentissage supervisé ?",
        "¿Qué es el descenso de gradiente?",
        "Che cos'è la regressione logistica?",
        "O que é uma rede neural?",
        "Wat is het verschil tussen BERT en GPT?",
        "Как работает LoRA?",
        "什么是RAG?",
    ],
)
def test_another_language_is_noticed(question: str) -> None:
    assert is_not_english(question)


@pytest.mark.parametrize(
    "question", ["What is LoRA?", "den of RAG", "What does α stand for in x = αy?", "LoRA", "42?"]
)
def test_english_is_not(question: str) -> None:
    assert not is_not_english(question)


def test_no_question_of_the_sets_is_taken_for_another_language() -> None:
    records = [
        json.loads(line)
        for file in sorted(SETS.glob("*.jsonl"))
        for line in file.read_text("utf-8").splitlines()
    ]
    questions = [record["question"] for record in records if "question" in record]
    assert len(questions) > 1000
    assert [question for question in questions if is_not_english(question)] == []


def test_a_refusal_says_in_which_language_to_ask(assistant: Assistant) -> None:
    answer = assistant.ask("Qu'est-ce que l'apprentissage supervisé ?")
    assert answer.status is AnswerStatus.INSUFFICIENT_EVIDENCE
    assert IN_ENGLISH in answer.text.splitlines()[0]
