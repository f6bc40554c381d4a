"""A model on this machine as a LangChain chat model, and as a `Generator`.

Its chat template puts the prompt together; `local_writing` does the writing.
"""

import asyncio
import gc
import queue
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any

import torch
from jinja2 import TemplateError
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from pydantic import PrivateAttr

from rag.errors import GenerationError, PromptTooLong
from rag.generate.chat_model import LangchainGenerator, Manner
from rag.generate.local_writing import Emit, Item, Writing, decoding
from rag.generate.pull import read_pin
from rag.generate.weights import LocalModel, open_local
from rag.settings import Settings

_ROLES = {"system": "system", "human": "user", "ai": "assistant"}


def open_transformers(name: str, settings: Settings) -> LangchainGenerator:
    """The `Generator` over a local model; the errors are those of `open_local`."""
    local = open_local(
        name,
        folder=settings.llm_folder,
        pin=read_pin(name, home=settings.home),
        quantization=settings.llm_quantization,
    )
    return generator_of(local, name=f"transformers:{name}", context_tokens=settings.llm_context)


def generator_of(local: LocalModel, *, name: str, context_tokens: int | None = None) -> LangchainGenerator:
    """The `Generator` over a model that is loaded; its context may be narrowed."""
    own = min(local.context_tokens, context_tokens or local.context_tokens)
    model = LocalChatModel(local, context_tokens=own)
    tokenizer = local.tokenizer  # and not `local`, so that closing lets go of the weights

    def count(text: str) -> int:
        return len(tokenizer.encode(text, add_special_tokens=False, verbose=False))

    manner = Manner(
        options=lambda most, seed: {"max_new_tokens": most, "seed": seed},
        keeps_length=True,
        tells_end=True,
        marks=local.marks,
        release=model.release,
        about=local.placement.why,
    )
    return LangchainGenerator(model, name=name, context_tokens=own, count_tokens=count, manner=manner)


class LocalChatModel(BaseChatModel):
    """A causal language model with a chat template. `max_new_tokens` and `seed` may be given with each call."""

    _local: LocalModel | None = PrivateAttr()
    _context_tokens: int = PrivateAttr()

    def __init__(self, local: LocalModel, *, context_tokens: int) -> None:
        super().__init__()
        self._local = local
        self._context_tokens = context_tokens

    @property
    def _llm_type(self) -> str:
        return "waymark-transformers"

    async def release(self) -> None:
        """Let go of the weights; the memory comes back unless another generator has them, too."""
        self._local = None
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return generate_from_stream(self._stream(messages, stop=stop, run_manager=run_manager, **kwargs))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002 (LangChain calls it so)
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        items: queue.SimpleQueue[Item] = queue.SimpleQueue()
        writing = self._begin(messages, items.put, stop=stop, **kwargs)
        try:
            while (item := items.get()) is not None:
                yield _told(item)
        finally:
            writing.leave()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,  # noqa: ARG002
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        loop = asyncio.get_running_loop()
        items: asyncio.Queue[Item] = asyncio.Queue()

        def emit(item: Item) -> None:
            loop.call_soon_threadsafe(items.put_nowait, item)

        writing = self._begin(messages, emit, stop=stop, **kwargs)
        try:
            while (item := await items.get()) is not None:
                yield _told(item)
        finally:
            writing.unwanted.set()
            await asyncio.shield(asyncio.to_thread(writing.leave))

    def _begin(
        self,
        messages: Sequence[BaseMessage],
        emit: Emit,
        *,
        stop: list[str] | None,
        max_new_tokens: int = 512,
        seed: int | None = None,
        **_: Any,
    ) -> "Writing":
        if stop:
            raise ValueError("stop words are not supported")
        if self._local is None:
            raise GenerationError("the model was closed")
        local, limit = self._local, self._context_tokens
        prompt = _prompt(local, messages)
        length = int(prompt["input_ids"].shape[1])
        if length >= limit:
            raise PromptTooLong(f"the prompt has {length} tokens, the context of {local.name} {limit}")
        most = min(max_new_tokens, limit - length)
        config = decoding(local.model.generation_config, most=most, sampled=seed is not None)
        return Writing(local, prompt, config, seed=seed, emit=emit)


def _prompt(local: LocalModel, messages: Sequence[BaseMessage]) -> Any:  # Any: BatchEncoding, (1, tokens)
    turns = [{"role": _ROLES[one.type], "content": str(one.text)} for one in messages]
    try:
        return _templated(local, turns)
    except TemplateError:  # some templates know no system; what it says then opens the first question
        return _templated(local, _without_system(turns))


def _templated(local: LocalModel, turns: list[dict[str, str]]) -> Any:
    return local.tokenizer.apply_chat_template(
        turns,
        add_generation_prompt=True,
        return_dict=True,
        return_tensors="pt",
        enable_thinking=False,  # templates that know no such thing do not look at it
    )


def _without_system(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    said = "\n\n".join(turn["content"] for turn in turns if turn["role"] == "system")
    others = [dict(turn) for turn in turns if turn["role"] != "system"]
    if said and others:
        others[0]["content"] = f"{said}\n\n{others[0]['content']}"
    return others


def _told(item: ChatGenerationChunk | Exception) -> ChatGenerationChunk:
    if isinstance(item, Exception):
        raise item
    return item
