"""`waymark bench llm`: what Waymark adds before the first token, and how fast a local model reads and writes.

The same prompt is given to the model directly and through Waymark, in turns; Waymark's time starts with the question,
so it holds retrieval, the gate, packing and the threads. Without `--model` a tiny model is made: what it writes means
nothing, and the share of Waymark is plain to see.
"""

import statistics
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rag.bundled import roadmap_path
from rag.cli.output import print_facts, print_json
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from rag.generate import Finish, Generator, Message
    from rag.generate.speed import Speed
    from rag.generate.weights import LocalModel

_QUESTIONS = (
    "How does LoRA cut memory?",
    "What does the roadmap say about chunking?",
    "Which optimizers does the roadmap name?",
    "What is self-attention?",
)
_NEW_TOKENS = 32
_PROMPT_CHARS = 3000  # about a thousand tokens of the small vocabulary
_WARM_UP = 2  # turns that are not counted


@dataclass(frozen=True, slots=True, kw_only=True)
class Overhead:
    """Medians over `n` turns, in seconds."""

    n: int
    prompt_tokens: float
    direct_first_token_s: float
    waymark_first_token_s: float  # from the question to the model's first token
    waymark_before_model_s: float  # of it, before the model was called
    added_s: float  # median of the differences
    added_p90_s: float


@dataclass(slots=True)
class _Watched:
    """A generator that notes what it was asked, when, and when its first token came."""

    inner: "Generator"
    name: str = "watched"
    asked: "list[Sequence[Message]]" = field(default_factory=list)
    called: float = 0.0
    first: float = 0.0

    @property
    def context_tokens(self) -> int:
        return self.inner.context_tokens

    def count_tokens(self, text: str) -> int:
        return self.inner.count_tokens(text)

    def stream(
        self, messages: "Sequence[Message]", *, max_new_tokens: int, seed: int | None, cancel: threading.Event
    ) -> "Iterator[str | Finish]":
        self.asked.append(messages)
        self.called, self.first = time.perf_counter(), 0.0
        for item in self.inner.stream(messages, max_new_tokens=max_new_tokens, seed=seed, cancel=cancel):
            self.first = self.first or time.perf_counter()
            yield item

    def close(self) -> None:
        self.inner.close()


def llm(
    *,
    model: Annotated[
        str | None, typer.Option(help="Folder or name of a local model; else a tiny one.")
    ] = None,
    shape: Annotated[
        str | None, typer.Option(help="A network of this size with random weights, such as qwen3-0.6b.")
    ] = None,
    turns: Annotated[int, typer.Option("-n", min=1, help="How often each way is timed.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: Annotated[
        Path | None, typer.Option(help="Data folder, instead of the one in the settings.")
    ] = None,
) -> None:
    """Time to the first token, directly and through Waymark; tokens read and written per second."""
    settings = load_settings({"home": home}).settings
    lines = roadmap_path().read_text(encoding="utf-8").splitlines()
    if shape is not None:
        _print(measure_shape(shape, lines), as_json=as_json)
        return
    local = _open(model, lines, settings)
    overhead, speed = measure(local, settings, turns=turns)
    record = {
        "model": model or "tiny, random weights",
        "where": local.placement.why,
        **asdict(overhead),
        "read_per_s": speed.read_per_s,
        "written_per_s": speed.written_per_s,
    }
    _print(record, as_json=as_json)


def _print(record: dict[str, object], *, as_json: bool) -> None:
    if as_json:
        print_json(record)
        return
    print_facts({name: f"{it:.4g}" if isinstance(it, float) else str(it) for name, it in record.items()})


def measure_shape(shape: str, lines: list[str]) -> dict[str, object]:
    """Speed of a network of that size with random weights, on one prompt of about a thousand tokens."""
    from rag.generate import Message  # noqa: PLC0415
    from rag.generate.shapes import open_shape  # noqa: PLC0415 (loads PyTorch)
    from rag.generate.speed import time_directly  # noqa: PLC0415

    local = open_shape(shape, lines)
    text = " ".join(lines)[:_PROMPT_CHARS]
    time_directly(local, [Message(role="user", text=text[:100])], max_new_tokens=2)  # warms up
    speed = time_directly(local, [Message(role="user", text=text)], max_new_tokens=_NEW_TOKENS)
    return {
        "model": local.name,
        "where": local.placement.why,
        **asdict(speed),
        "read_per_s": speed.read_per_s,
        "written_per_s": speed.written_per_s,
    }


def measure(local: "LocalModel", settings: Settings, *, turns: int) -> "tuple[Overhead, Speed]":
    """Both ways in turns over the same questions, each with the prompt that Waymark made.

    Raises:
        IndexMissing: there is nothing to ask about.
    """
    from rag.assistant import Assistant  # noqa: PLC0415 (heavy)
    from rag.generate.local import generator_of  # noqa: PLC0415
    from rag.generate.speed import time_directly  # noqa: PLC0415

    watched = _Watched(generator_of(local, name="bench"))
    rows: list[tuple[Speed, float, float]] = []
    with Assistant.open(settings, generator=watched) as assistant:
        for turn in range(turns + _WARM_UP):
            began, asked = time.perf_counter(), len(watched.asked)
            cancel = threading.Event()
            for _ in assistant.stream(_QUESTIONS[turn % len(_QUESTIONS)], cancel=cancel):
                if watched.first:
                    cancel.set()  # and read to the end, so that nothing still writes while the model is called directly
            if len(watched.asked) == asked:
                continue  # declined: no model was asked
            # In a thread of its own, too: in the main thread OpenMP waits otherwise, and longer on a busy machine.
            with ThreadPoolExecutor(1) as thread:
                directly = thread.submit(time_directly, local, watched.asked[-1], max_new_tokens=1).result()
            if turn >= _WARM_UP:
                rows.append((directly, watched.first - began, watched.called - began))
        speed = time_directly(local, watched.asked[-1], max_new_tokens=_NEW_TOKENS)
    added = [through - directly.first_token_s for directly, through, _ in rows]
    return Overhead(
        n=len(rows),
        prompt_tokens=statistics.median(directly.prompt_tokens for directly, _, _ in rows),
        direct_first_token_s=statistics.median(directly.first_token_s for directly, _, _ in rows),
        waymark_first_token_s=statistics.median(through for _, through, _ in rows),
        waymark_before_model_s=statistics.median(before for _, _, before in rows),
        added_s=statistics.median(added),
        added_p90_s=sorted(added)[int(0.9 * (len(added) - 1))],
    ), speed


def _open(model: str | None, lines: list[str], settings: Settings) -> "LocalModel":
    from rag.generate.weights import open_local  # noqa: PLC0415 (loads PyTorch)

    if model is not None:
        return open_local(model, folder=settings.llm_folder)
    from rag.generate.tiny import make_tiny_model  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        return open_local(str(make_tiny_model(Path(folder) / "tiny", lines, context_tokens=8192)))
