"""How long a local model takes when it is called directly, with nothing of Waymark between."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers.generation.streamers import BaseStreamer

from rag.generate.generator import Message
from rag.generate.weights import LocalModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    prompt_tokens: int
    completion_tokens: int
    first_token_s: float  # from the call, chat template included, to the first token
    total_s: float

    @property
    def read_per_s(self) -> float:
        """Tokens of the prompt per second."""
        return self.prompt_tokens / self.first_token_s

    @property
    def written_per_s(self) -> float | None:
        """Tokens per second after the first; None if there was only one."""
        further = self.completion_tokens - 1
        return further / (self.total_s - self.first_token_s) if further > 0 else None


class _Clock(BaseStreamer):
    """Notes when tokens come; transformers gives it the prompt first."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def put(self, value: torch.Tensor) -> None:
        del value
        self.times.append(time.perf_counter())

    def end(self) -> None:
        """Nothing is left to note."""


def time_directly(local: LocalModel, messages: Sequence[Message], *, max_new_tokens: int) -> Speed:
    """One greedy answer of the model itself."""
    with local.lock, torch.inference_mode():
        clock, began = _Clock(), time.perf_counter()
        prompt: Any = local.tokenizer.apply_chat_template(
            [{"role": one.role, "content": one.text} for one in messages],
            add_generation_prompt=True,
            return_dict=True,
            return_tensors="pt",
        )
        local.model.generate(
            **prompt.to(local.model.device), max_new_tokens=max_new_tokens, do_sample=False, streamer=clock
        )
    first = clock.times[1]
    return Speed(
        prompt_tokens=int(prompt["input_ids"].shape[1]),
        completion_tokens=len(clock.times) - 1,
        first_token_s=first - began,
        total_s=clock.times[-1] - began,
    )
