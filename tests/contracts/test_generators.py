"""What every language model behind `Generator` does, whatever it is: the fake, LangChain, local ones, a server."""

import threading
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from langchain_core.language_models import FakeListChatModel

from rag.bundled import roadmap_path
from rag.errors import GenerationError, PromptTooLong
from rag.generate import Finish, Generator, Message, generator_over, open_generator
from rag.generate.tiny import make_tiny_model
from rag.settings import Settings
from rag.testing import Reply, ScriptedGenerator, ScriptedServer, Timing

pytestmark = pytest.mark.slow

ASKED = [Message(role="system", text="Be brief."), Message(role="user", text="What is LoRA?")]
PIECES = tuple(f"word{n} " for n in range(60))
BACKENDS = ("scripted", "langchain", "transformers-qwen2", "transformers-llama", "openai")


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    lines = roadmap_path().read_text(encoding="utf-8").splitlines()
    return {
        "transformers-qwen2": make_tiny_model(tmp_path_factory.mktemp("qwen2"), lines, shape="qwen2"),
        "transformers-llama": make_tiny_model(tmp_path_factory.mktemp("llama"), lines, shape="llama"),
    }


@pytest.fixture(params=BACKENDS)
def llm(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Iterator[Generator]:
    kind = request.param
    opened: Generator | None
    if kind == "openai":
        slowly = Timing(next_s=0.01)
        with ScriptedServer(Reply(*PIECES, timing=slowly)) as server:
            opened = open_generator(Settings(llm="openai:scripted", llm_url=server.url, llm_context=2048))
            assert opened is not None
            yield opened
            opened.close()
        return
    if kind == "scripted":
        opened = ScriptedGenerator(context_tokens=2048)
        for _ in range(3):
            opened.enqueue(*PIECES)
    elif kind == "langchain":
        model = FakeListChatModel(responses=["".join(PIECES)], sleep=0.001)
        opened = generator_over(model, name="fake", context_tokens=2048)
    else:
        opened = open_generator(Settings(llm=f"transformers:{folders[kind]}"))
    assert opened is not None
    yield opened
    opened.close()


def _answer(
    llm: Generator, *, most: int = 20, seed: int | None = None, asked: list[Message] = ASKED
) -> tuple[str, Finish]:
    *pieces, finish = llm.stream(asked, max_new_tokens=most, seed=seed, cancel=threading.Event())
    assert isinstance(finish, Finish)
    assert all(isinstance(piece, str) and piece for piece in pieces)
    return "".join(map(str, pieces)), finish


def test_pieces_come_first_and_the_finish_last_with_its_counts(llm: Generator) -> None:
    text, finish = _answer(llm)
    assert text
    assert finish.prompt_tokens > 0
    assert 0 < finish.completion_tokens <= 20
    assert finish.stop_reason == "length"


def test_it_says_its_name_and_how_long_its_context_is(llm: Generator) -> None:
    assert llm.name
    assert llm.context_tokens == 2048


@pytest.mark.parametrize("seed", [None, 7])
def test_the_same_seed_gives_the_same_answer(llm: Generator, seed: int | None) -> None:
    assert _answer(llm, seed=seed)[0] == _answer(llm, seed=seed)[0]


def test_a_longer_text_never_has_fewer_tokens(llm: Generator) -> None:
    text = "Low-rank adaptation (LoRA) freezes W ∈ ℝ^{d×k} and learns 2·r·d numbers: ΔW = BA.\n" * 3
    counts = [llm.count_tokens(text[:end]) for end in range(0, len(text), 7)]
    assert counts[0] == 0
    assert counts[-1] > 20
    # Where a word is cut in two, a tokenizer may need a token or two more than for the whole one.
    assert all(later >= earlier - 2 for earlier, later in pairwise(counts))


def test_a_cancelled_stream_ends_within_a_second_and_says_so(llm: Generator) -> None:
    cancel = threading.Event()
    stream = llm.stream(ASKED, max_new_tokens=1500, seed=3, cancel=cancel)
    assert isinstance(next(stream), str)
    cancel.set()
    began = time.monotonic()
    *_, finish = stream
    assert time.monotonic() - began < 1
    assert isinstance(finish, Finish)
    assert finish.stop_reason == "cancelled"


def test_cancelled_before_it_began_it_says_nothing(llm: Generator) -> None:
    cancel = threading.Event()
    cancel.set()
    [finish] = llm.stream(ASKED, max_new_tokens=20, seed=None, cancel=cancel)
    assert isinstance(finish, Finish)
    assert finish.stop_reason == "cancelled"


def test_a_reader_that_goes_away_leaves_no_thread_that_writes(llm: Generator) -> None:
    stream = llm.stream(ASKED, max_new_tokens=1500, seed=3, cancel=threading.Event())
    next(stream)
    stream.close()  # type: ignore[attr-defined]  # an iterator of the contract; all of ours are generators
    until = time.monotonic() + 1
    while time.monotonic() < until and _writing():
        time.sleep(0.01)
    assert not _writing()


def _writing() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("writing")]


def test_a_prompt_longer_than_the_context_is_refused_with_both_numbers(llm: Generator) -> None:
    long = [Message(role="user", text="many words " * 3000)]
    with pytest.raises(PromptTooLong, match="2048") as caught:
        _answer(llm, asked=long)
    assert isinstance(caught.value, GenerationError)
    assert "passages" in caught.value.hint


def test_two_ask_at_once_and_each_gets_a_whole_answer(llm: Generator) -> None:
    answers: list[tuple[str, Finish]] = []
    threads = [threading.Thread(target=lambda: answers.append(_answer(llm))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(answers) == 2
    assert answers[0] == answers[1]


def test_closing_twice_is_no_error_and_ends_its_threads(llm: Generator) -> None:
    _answer(llm)
    llm.close()
    llm.close()
    assert not [
        thread.name for thread in threading.enumerate() if thread.name.startswith(("llm ", "writing"))
    ]
