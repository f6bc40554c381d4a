"""One answer of a local model being written in a thread of its own, which ends with it.

Text comes out as soon as a token's letters are whole. Stopping is real: before every layer of the network the thread
looks whether it is still wanted, so that even the reading of a long prompt can be broken off.
"""

import threading
from collections.abc import Callable
from typing import Any

import torch
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk
from tokenizers.decoders import DecodeStream
from transformers import GenerationConfig
from transformers.generation.streamers import BaseStreamer

from rag.errors import GenerationError, OutOfMemory
from rag.generate.weights import LocalModel, out_of_memory

_TEMPERATURE, _TOP_P = 0.7, 0.9  # where a seed asks for a sample
_WAIT_S = 0.05

Item = ChatGenerationChunk | Exception | None  # None is the end
Emit = Callable[[Item], None]


def decoding(
    own: GenerationConfig, *, most: int, sampled: bool
) -> Any:  # Any: GenerationConfig is not annotated
    """The likeliest token each time, or a sample; where to stop is the model's own."""
    config: Any = GenerationConfig
    return config(
        max_new_tokens=most,
        eos_token_id=own.eos_token_id,
        bos_token_id=own.bos_token_id,
        pad_token_id=own.pad_token_id if own.pad_token_id is not None else _first(own.eos_token_id),
        do_sample=sampled,
        **({"temperature": _TEMPERATURE, "top_p": _TOP_P} if sampled else {}),
    )


def _first(tokens: int | list[int] | None) -> int | None:
    return tokens[0] if isinstance(tokens, list) else tokens


class _Unwanted(Exception):
    """Raised inside the network to leave it."""


class Writing(BaseStreamer):
    """One answer being written in a thread; each token's text is emitted as soon as its letters are whole."""

    def __init__(
        self, local: LocalModel, prompt: Any, config: GenerationConfig, *, seed: int | None, emit: Emit
    ) -> None:
        self.unwanted = threading.Event()
        self._local, self._prompt, self._config, self._seed, self._emit = local, prompt, config, seed, emit
        self._decoder = DecodeStream(skip_special_tokens=True)
        self._prompt_seen = False
        self._written = 0
        self._last = -1
        self._thread = threading.Thread(target=self._run, name=f"writing with {local.name}", daemon=True)
        self._thread.start()

    def leave(self) -> None:
        """Stop if it still writes; comes back when the thread is gone."""
        self.unwanted.set()
        self._thread.join()

    def end(self) -> None:
        """The model is done; `_run` tells it."""

    def put(self, value: torch.Tensor) -> None:
        """One step of the model: first the prompt, then a token at a time."""
        if not self._prompt_seen:
            self._prompt_seen = True
            return
        for token in value.flatten().tolist():
            self._written, self._last = self._written + 1, token
            text = self._decoder.step(self._local.tokenizer.backend_tokenizer, token)
            if text:
                self._emit(ChatGenerationChunk(message=AIMessageChunk(content=text)))
        self._look()

    def _look(self, *_: object) -> None:
        if self.unwanted.is_set():
            raise _Unwanted

    def _run(self) -> None:
        try:
            while not self._local.lock.acquire(timeout=_WAIT_S):
                self._look()
            try:
                self._write()
            finally:
                self._local.lock.release()
            self._emit(self._ending())
        except _Unwanted:
            pass
        except Exception as error:  # noqa: BLE001 (told to the reader, who raises it)
            self._emit(_explained(error, self._local.name))
        finally:
            self._emit(None)

    def _write(self) -> None:
        model = self._local.model
        layers = [
            layer for part in model.modules() if isinstance(part, torch.nn.ModuleList) for layer in part
        ]
        hooks = [layer.register_forward_pre_hook(self._look) for layer in layers]
        try:
            with torch.random.fork_rng(enabled=self._seed is not None), torch.inference_mode():
                if self._seed is not None:
                    torch.manual_seed(self._seed)
                model.generate(**self._prompt.to(model.device), generation_config=self._config, streamer=self)
        finally:
            for hook in hooks:
                hook.remove()

    def _ending(self) -> ChatGenerationChunk:
        stops = self._config.eos_token_id
        ended = self._last in (stops if isinstance(stops, list) else [stops])
        read = int(self._prompt["input_ids"].shape[1])
        usage = UsageMetadata(
            input_tokens=read, output_tokens=self._written, total_tokens=read + self._written
        )
        return ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                usage_metadata=usage,
                response_metadata={"finish_reason": "stop" if ended else "length"},
            )
        )


def _explained(error: Exception, name: str) -> GenerationError:
    if isinstance(error, GenerationError):
        return error
    if out_of_memory(error):
        return OutOfMemory(f"the model {name} ran out of memory while it wrote")
    return GenerationError(f"the model {name} failed: {type(error).__name__}: {error}")
