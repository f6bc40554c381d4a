"""A real server: `transformers serve` with the tiny model, asked through `openai:`. Nothing leaves this machine."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rag.errors import ModelMissing
from rag.generate import Finish, Generator, Message, open_generator
from rag.settings import Settings

pytestmark = pytest.mark.slow

ASKED = [Message(role="system", text="Be brief."), Message(role="user", text="What is LoRA?")]
_UP_S = 120


@pytest.fixture(scope="module")
def url(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cache = tmp_path_factory.mktemp("cache")
    (cache / "hub").mkdir()  # without it the server's list of models is an error
    environ = os.environ | {"HF_HOME": str(cache), "HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    command = ["serve", str(tiny_model), "--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    program = Path(sys.executable).with_name("transformers")
    with (cache / "log").open("wb") as log:
        server = subprocess.Popen([program, *command], env=environ, stdout=log, stderr=log)
    try:
        _wait(f"http://127.0.0.1:{port}/health", server, cache / "log")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        server.terminate()
        server.wait(20)


def _wait(address: str, server: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + _UP_S
    while time.monotonic() < until and server.poll() is None:
        try:
            if httpx.get(address, timeout=2, trust_env=False).is_success:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail(f"the server did not come up: {log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


@pytest.fixture
def llm(url: str, tiny_model: Path) -> Iterator[Generator]:
    opened = open_generator(Settings(llm=f"openai:{tiny_model}", llm_url=url, llm_tokenizer=tiny_model))
    assert opened is not None
    yield opened
    opened.close()


def _answer(llm: Generator, *, seed: int | None = None) -> tuple[list[str], Finish]:
    *pieces, finish = llm.stream(ASKED, max_new_tokens=12, seed=seed, cancel=threading.Event())
    assert isinstance(finish, Finish)
    return [str(piece) for piece in pieces], finish


def test_it_streams_says_how_it_ended_and_what_it_used(llm: Generator, tiny_model: Path) -> None:
    pieces, finish = _answer(llm)
    assert len(pieces) > 1
    assert finish.completion_tokens == 12
    assert finish.stop_reason == "length"
    local = open_generator(Settings(llm=f"transformers:{tiny_model}"))
    assert local is not None
    directly, there = _answer(local)
    assert finish.prompt_tokens == there.prompt_tokens
    assert "".join(pieces) == "".join(directly)
    local.close()


def test_four_clients_at_once_get_the_answer_that_one_gets(llm: Generator) -> None:
    alone = "".join(_answer(llm)[0])
    together: list[str] = []
    threads = [threading.Thread(target=lambda: together.append("".join(_answer(llm)[0]))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert together == [alone] * 4


def test_a_cancelled_answer_ends_within_a_second_and_the_server_goes_on(llm: Generator) -> None:
    cancel = threading.Event()
    stream = llm.stream(ASKED, max_new_tokens=1000, seed=1, cancel=cancel)
    assert isinstance(next(stream), str)
    cancel.set()
    began = time.monotonic()
    *_, finish = stream
    assert isinstance(finish, Finish)
    assert finish.stop_reason == "cancelled"
    assert time.monotonic() - began < 1
    assert _answer(llm)[0]


def test_a_wrong_name_is_a_missing_model(url: str) -> None:
    llm = open_generator(Settings(llm="openai:another", llm_url=url))
    assert llm is not None
    with pytest.raises(ModelMissing, match="another"):
        _answer(llm)
    llm.close()
