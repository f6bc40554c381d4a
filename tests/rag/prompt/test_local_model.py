"""The whole way with a real, tiny model on this machine: it writes nonsense, and the check says so."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.answer import Answer, AnswerStatus
from rag.assistant import Assistant
from rag.bundled import roadmap_path
from rag.embed import Embedder
from rag.index.reader import Index
from rag.options import AskOptions
from rag.settings import Settings

pytestmark = pytest.mark.slow

LORA = "How does LoRA cut memory?"


@pytest.fixture(scope="module")
def local(
    roadmap_home: Path, embedder: Embedder, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Assistant]:
    from rag.generate.tiny import make_tiny_model

    folder = tmp_path_factory.mktemp("tiny") / "model"
    make_tiny_model(folder, roadmap_path().read_text(encoding="utf-8").splitlines(), context_tokens=2048)
    settings = Settings(home=roadmap_home, llm=f"transformers:{folder}", answer_tokens=60)
    index = Index.open(roadmap_home, embedder=embedder.spec)
    with Assistant(index, embedder, settings) as assistant:
        yield assistant


def test_it_streams_and_nothing_it_says_passes_for_supported(local: Assistant) -> None:
    *pieces, answer = local.stream(LORA, options=AskOptions(seed=3))
    assert isinstance(answer, Answer)
    assert len(pieces) > 5
    assert answer.usage.completion_tokens <= 60
    assert answer.usage.prompt_tokens + 60 <= 2048
    assert answer.cut
    assert answer.provenance.seed == 3
    assert answer.citations == ()


def test_the_same_seed_says_the_same_and_strict_refuses_it(local: Assistant) -> None:
    options = AskOptions(seed=3, strict=True)
    one, other = (local.ask(LORA, options=options) for _ in range(2))
    assert one.raw_text == other.raw_text
    assert one.status is AnswerStatus.INSUFFICIENT_EVIDENCE
    assert one.passages


def test_it_can_be_stopped(local: Assistant) -> None:
    cancel = threading.Event()
    stream = local.stream(LORA, options=AskOptions(seed=3), cancel=cancel)
    next(stream)
    cancel.set()
    *_, answer = stream
    assert isinstance(answer, Answer)
    assert answer.usage.stop_reason == "cancelled"
    assert answer.usage.completion_tokens < 60
