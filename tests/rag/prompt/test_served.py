"""The whole way with a model server that a test wrote: question, prompt over HTTP, stream, check; and its troubles."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rag.answer import Answer, AnswerStatus
from rag.assistant import Assistant
from rag.embed import Embedder
from rag.index.reader import Index
from rag.settings import Settings
from rag.testing import Reply, ScriptedServer, Timing

LORA = "How does LoRA cut memory?"
TRUE = "LoRA drastically reduces the number of trainable parameters [1]."
Served = Callable[..., Assistant]


@pytest.fixture
def served(roadmap_home: Path, embedder: Embedder) -> Iterator[Served]:
    opened: list[Assistant] = []

    def make(url: str, *, llm: str = "openai:scripted", **settings: object) -> Assistant:
        chosen = Settings(home=roadmap_home, llm=llm, llm_url=url, **settings)  # type: ignore[arg-type]
        opened.append(Assistant(Index.open(roadmap_home, embedder=embedder.spec), embedder, chosen))
        return opened[-1]

    yield make
    for assistant in opened:
        assistant.close()


@pytest.mark.parametrize("llm", ["openai:scripted", "auto"])
def test_a_servers_answer_streams_and_is_checked(served: Served, llm: str) -> None:
    with ScriptedServer(
        Reply("LoRA drastically reduces the ", "number of trainable parameters [", "1].")
    ) as server:
        *pieces, answer = served(server.url, llm=llm).stream(LORA)
    assert isinstance(answer, Answer)
    assert len(pieces) > 1
    assert "".join(map(str, pieces)) == answer.text == TRUE
    assert answer.provenance.generator == "openai:scripted"
    assert [citation.label for citation in answer.citations] == [1]
    roles = [message["role"] for message in server.requests[-1]["messages"]]
    assert roles == ["system", "user"]


TROUBLE = {
    "500": (Reply(status=500, body="the engine broke"), "the engine broke"),
    "429": (Reply(status=429, body={"error": {"message": "slow down"}}), "slow down"),
    "broken JSON": (Reply(raw=('data: {"choices": [', "")), "JSON"),
    "cut in the middle": (Reply("LoRA ", "is ", "never said", cut_after=2), "cut"),
    "cut at once": (Reply("x", cut_after=0), "cut"),
    "wrong model": (Reply(status=404, body={"error": {"message": "no model scripted"}}), "scripted"),
    "out of memory": (Reply(status=500, body="CUDA out of memory"), "memory"),
    "silent": (Reply("x", timing=Timing(first_s=30)), "llm_first_token_s"),
    "silent in the middle": (Reply("LoRA ", "is", timing=Timing(next_s=30)), "llm_next_token_s"),
    "nothing said": (Reply(""), "wrote no answer"),
}


@pytest.mark.parametrize(("reply", "told"), TROUBLE.values(), ids=TROUBLE)
def test_whatever_a_server_does_the_passages_and_the_extractive_answer_are_there(
    served: Served, reply: Reply, told: str
) -> None:
    with ScriptedServer(reply) as server:
        began = time.monotonic()
        answer = served(server.url, llm_first_token_s=1.0, llm_next_token_s=1.0).ask(LORA)
        assert time.monotonic() - began < 1.0 + 5.0
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.provenance.generator == "extractive"
    assert answer.citations
    assert answer.passages
    assert told in answer.warnings[-1]
    assert len(server.requests) <= 3


def test_no_server_at_all_is_told_and_answered_from_the_passages(served: Served) -> None:
    answer = served("http://127.0.0.1:9/v1").ask(LORA)
    assert "cannot be reached" in answer.warnings[-1]
    assert answer.citations


def test_four_clients_at_once_get_their_own_answers(served: Served) -> None:
    questions = [LORA, "What is data drift?", "What is the dying ReLU problem?", "What is gradient descent?"]
    with ScriptedServer(
        Reply("LoRA drastically reduces ", "the number of trainable parameters [1].")
    ) as server:
        assistant = served(server.url)
        with ThreadPoolExecutor(max_workers=4) as pool:
            answers = list(pool.map(assistant.ask, questions))
    assert [answer.question for answer in answers] == questions
    assert {answer.raw_text for answer in answers} == {TRUE}
    assert answers[0].unsupported_spans == ()
    assert [len(answer.unsupported_spans) for answer in answers[1:]] == [1, 1, 1]
