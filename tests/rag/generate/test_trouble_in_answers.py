"""Trouble with a model, seen from a question: the passages and the extractive answer are there, and a clear warning."""

import time
from pathlib import Path

import pytest

from rag.answer import Answer, AnswerStatus
from rag.assistant import Assistant
from rag.options import AskOptions
from rag.settings import Settings
from rag.testing import Reply, ScriptedServer, Timing

pytestmark = pytest.mark.slow

QUESTION = "How does LoRA cut memory?"
PATIENCE_S = 1.0

TROUBLE = {
    "silent": (Reply("late", timing=Timing(head_s=20)), "no first token"),
    "500": (Reply(status=500, body="the engine broke"), "the engine broke"),
    "429": (Reply(status=429, body="slow down"), "too many requests"),
    "401": (Reply(status=401, body="who are you"), "WAYMARK_LLM_KEY"),
    "broken JSON": (Reply(raw=("data: {broken", "")), "not JSON"),
    "cut at once": (Reply("never", cut_after=0), "cut"),
    "cut in the middle": (Reply("LoRA freezes ", "the weights [1].", cut_after=1), "cut"),
    "silent in the middle": (Reply("LoRA freezes ", "late", timing=Timing(next_s=20)), "no further token"),
    "out of memory": (Reply(status=500, body="CUDA out of memory"), "out of memory"),
}


@pytest.fixture(scope="module")
def extracted(assistant: Assistant) -> Answer:
    return assistant.ask(QUESTION, options=AskOptions(llm="extractive"))


def _ask(home: Path, url: str, llm: str = "openai:scripted") -> tuple[Answer, float]:
    settings = Settings(
        home=home,
        llm=llm,
        llm_url=url,
        llm_first_token_s=PATIENCE_S,
        llm_next_token_s=PATIENCE_S,
        llm_context=8192,
    )
    with Assistant.open(settings) as assistant:
        began = time.monotonic()
        return assistant.ask(QUESTION), time.monotonic() - began


def _check(answer: Answer, extracted: Answer, words: str) -> None:
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.text == extracted.text
    assert answer.provenance.generator == "extractive"
    assert [passage.text for passage in answer.passages] == [passage.text for passage in extracted.passages]
    assert any(words in warning for warning in answer.warnings), answer.warnings


@pytest.mark.parametrize(("reply", "words"), TROUBLE.values(), ids=TROUBLE)
def test_a_servers_trouble_leaves_the_passages_and_the_extractive_answer(
    roadmap_home: Path, extracted: Answer, reply: Reply, words: str
) -> None:
    with ScriptedServer(reply) as server:
        answer, seconds = _ask(roadmap_home, server.url)
    _check(answer, extracted, words)
    assert seconds < 2 * PATIENCE_S + 5
    assert len(server.requests) <= 3


def test_a_wrong_model_names_those_that_there_are(roadmap_home: Path, extracted: Answer) -> None:
    with ScriptedServer(models=("qwen3",)) as server:
        answer, _ = _ask(roadmap_home, server.url)
    _check(answer, extracted, "It offers: openai:qwen3.")


def test_a_server_that_dies_before_the_question_leaves_them_too(
    roadmap_home: Path, extracted: Answer
) -> None:
    with ScriptedServer() as server:
        url = server.url
    answer, seconds = _ask(roadmap_home, url)
    _check(answer, extracted, "--llm-url")
    assert seconds < PATIENCE_S + 5


@pytest.mark.parametrize("damage", [b"", b"{damaged"])
def test_a_corrupt_model_file_leaves_them_too(
    roadmap_home: Path, extracted: Answer, tiny_model: Path, tmp_path: Path, damage: bytes
) -> None:
    for file in tiny_model.iterdir():
        (tmp_path / file.name).write_bytes(damage if file.suffix == ".safetensors" else file.read_bytes())
    answer, _ = _ask(roadmap_home, "http://127.0.0.1:9", llm=f"transformers:{tmp_path}")
    _check(answer, extracted, "is damaged")
