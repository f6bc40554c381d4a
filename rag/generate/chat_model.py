"""Any LangChain chat model as a `Generator`: patience, retries before the first token, cancellation, a typed end.

The model is driven by its own asynchronous stream, on an event loop in a thread that this generator keeps. So a
cancelled answer is a cancelled task: a model on this machine stops computing, a server's connection is closed.
"""

import asyncio
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, HumanMessage, SystemMessage
from langsmith import tracing_context

from rag.errors import (
    GenerationError,
    OutOfMemory,
    PromptTooLong,
    ServerBusy,
    ServerFailed,
    ServerSilent,
    ServerUnreachable,
)
from rag.generate.background import Background
from rag.generate.generator import Finish, Message, StopReason
from rag.generate.tokens import defuse, estimate_tokens

_POLL_S = 0.05  # how often a waiting stream looks whether it was cancelled
_GRACE_S = 0.8  # how long a cancelled stream waits for its model to let go
_PASSING = (ServerBusy, ServerFailed, ServerUnreachable)  # may be gone at the next try
_PAUSE_S = 0.5  # before the second try; twice that before the third
_CLASSES = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}

_Item = str | Finish | Exception


def _no_options(max_new_tokens: int, seed: int | None) -> dict[str, Any]:  # Any: what a model's stream takes
    del max_new_tokens, seed
    return {}


def explain_any(error: Exception) -> GenerationError:
    """The family's error for one of an unknown model."""
    if isinstance(error, GenerationError):
        return error
    if isinstance(error, MemoryError):
        return OutOfMemory("the language model ran out of memory")
    return GenerationError(f"the language model failed: {type(error).__name__}: {error}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one kind of model is spoken to. Seconds; None waits for ever."""

    options: Callable[[int, int | None], dict[str, Any]] = (
        _no_options  # (max_new_tokens, seed) to its arguments
    )
    keeps_length: bool = False  # it ends by itself after max_new_tokens
    tells_end: bool = False  # an end without a reason is a cut
    explain: Callable[[Exception], GenerationError] = explain_any
    first_token_s: float | None = None
    next_token_s: float | None = None
    tries: int = 1  # at most, and only before the first token
    marks: tuple[str, ...] = ()  # of its chat template
    about: str = ""  # a sentence for the doctor and the provenance
    release: Callable[[], Coroutine[Any, Any, None]] | None = None  # gives back what the model holds


class LangchainGenerator:
    """A `Generator` over a `BaseChatModel`."""

    def __init__(
        self,
        model: BaseChatModel,
        *,
        name: str,
        context_tokens: int,
        count_tokens: Callable[[str], int] = estimate_tokens,
        manner: Manner | None = None,
    ) -> None:
        self.model = model
        self.name = name
        self.context_tokens = context_tokens
        self._count = count_tokens
        self._manner = manner or Manner()
        self.about = self._manner.about
        self._background = Background(f"llm {name}")

    def count_tokens(self, text: str) -> int:
        return self._count(defuse(text, self._manner.marks))

    def stream(
        self, messages: Sequence[Message], *, max_new_tokens: int, seed: int | None, cancel: threading.Event
    ) -> Iterator[str | Finish]:
        prompt = sum(self.count_tokens(message.text) for message in messages)
        room = self.context_tokens - prompt
        if room < 1:
            raise PromptTooLong(
                f"the prompt has about {prompt} tokens, the context of {self.name} {self.context_tokens}"
            )
        items: queue.SimpleQueue[_Item] = queue.SimpleQueue()
        most = min(max_new_tokens, room)
        asked = [_CLASSES[one.role](content=defuse(one.text, self._manner.marks)) for one in messages]
        draft = _Draft(prompt_tokens=prompt, count=self._count)
        job = self._background.start(self._write(asked, most=most, seed=seed, draft=draft, emit=items.put))
        try:
            while not cancel.is_set():
                try:
                    item = items.get(timeout=_POLL_S)
                except queue.Empty:
                    if job.ended.is_set() and items.empty():
                        raise GenerationError(f"{self.name} was closed while it wrote") from None
                    continue
                if isinstance(item, Exception):
                    raise item
                yield item
                if isinstance(item, Finish):
                    return
        finally:  # also where the reader goes away in the middle
            job.cancel(wait_s=_GRACE_S)
        yield draft.finish("cancelled")

    def close(self) -> None:
        release = self._manner.release
        self._background.close(None if release is None else release())

    async def _write(
        self,
        asked: list[BaseMessage],
        *,
        most: int,
        seed: int | None,
        draft: "_Draft",
        emit: Callable[[_Item], None],
    ) -> None:
        try:
            # Whatever the environment says: prompts and answers are not sent to LangSmith.
            with tracing_context(enabled=False):
                await self._say(asked, self._manner.options(most, seed), most=most, draft=draft, emit=emit)
            emit(draft.finish("length" if draft.reason == "length" else "eos"))
        except Exception as error:  # noqa: BLE001 (told to the reader, who raises it)
            emit(error)

    async def _say(
        self,
        asked: list[BaseMessage],
        options: dict[str, Any],
        *,
        most: int,
        draft: "_Draft",
        emit: Callable[[_Item], None],
    ) -> None:
        async with aclosing(self._patiently(asked, options)) as chunks:
            async for chunk in chunks:
                text = draft.take(chunk)
                if text:
                    emit(text)
                if not self._manner.keeps_length and self._count(draft.text) >= most:
                    draft.reason = "length"
                    break

    async def _patiently(
        self, asked: list[BaseMessage], options: dict[str, Any]
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """The model's chunks; what may pass is tried again as long as nothing was said and there is time."""
        loop, manner = asyncio.get_running_loop(), self._manner
        deadline = None if manner.first_token_s is None else loop.time() + manner.first_token_s
        for attempt in range(1, manner.tries + 1):
            spoken = False
            try:
                async with aclosing(self._chunks(asked, options, deadline)) as chunks:
                    async for chunk in chunks:
                        spoken = spoken or bool(chunk.text)
                        yield chunk
                return
            except Exception as error:
                trouble = error if isinstance(error, GenerationError) else manner.explain(error)
                pause = max(_PAUSE_S * 2 ** (attempt - 1), getattr(trouble, "wait_s", 0.0))
                late = deadline is not None and loop.time() + pause >= deadline
                if spoken or late or attempt == manner.tries or not isinstance(trouble, _PASSING):
                    raise trouble from error
            await asyncio.sleep(pause)

    async def _chunks(
        self, asked: list[BaseMessage], options: dict[str, Any], deadline: float | None
    ) -> AsyncGenerator[AIMessageChunk, None]:
        """One try. The first token is due at the deadline, each further one a while after the one before."""
        loop, manner = asyncio.get_running_loop(), self._manner
        due, ended, spoken = deadline, False, False
        stream = cast(AsyncGenerator[AIMessageChunk, None], self.model.astream(asked, **options))
        async with aclosing(stream):
            while True:
                try:
                    async with asyncio.timeout_at(due):
                        chunk = await anext(stream, None)
                except TimeoutError as error:
                    waited = manner.next_token_s if spoken else manner.first_token_s
                    which = "further" if spoken else "first"
                    raise ServerSilent(f"{self.name} sent no {which} token within {waited:g} s") from error
                if chunk is None:
                    break
                ended = ended or bool(chunk.response_metadata.get("finish_reason"))
                spoken = spoken or bool(chunk.text)
                if spoken and manner.next_token_s is not None:
                    due = loop.time() + manner.next_token_s
                yield chunk
        if manner.tells_end and not ended:
            raise ServerFailed(f"the stream of {self.name} was cut: it ended without saying why")


class _Draft:
    """What a model has said so far, and what it said about it."""

    def __init__(self, *, prompt_tokens: int, count: Callable[[str], int]) -> None:
        self.text = ""
        self.reason = ""
        self._prompt_tokens = prompt_tokens
        self._completion_tokens: int | None = None
        self._count = count

    def take(self, chunk: AIMessageChunk) -> str:
        """Note a chunk; gives its text."""
        self.reason = chunk.response_metadata.get("finish_reason") or self.reason
        if chunk.usage_metadata is not None:
            self._prompt_tokens = chunk.usage_metadata["input_tokens"]
            self._completion_tokens = chunk.usage_metadata["output_tokens"]
        text = str(chunk.text)
        self.text += text
        return text

    def finish(self, stop_reason: StopReason) -> Finish:
        counted = self._completion_tokens
        return Finish(
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._count(self.text) if counted is None else counted,
            stop_reason=stop_reason,
        )
