"""Networks of the true size with random numbers in them: to measure speed where no weights are at hand.

What they write means nothing; how long it takes is what the real model would take.
"""

import tempfile
import threading
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, Qwen3Config

from rag.errors import SettingsError
from rag.generate.placement import look_around, place
from rag.generate.tiny import make_tiny_model
from rag.generate.weights import FORMATS, LocalModel, open_local

_from_config: Any = AutoModelForCausalLM.from_config  # Any: it is not annotated

# As the published config.json of each model has it: hidden size, intermediate size, layers, heads, shared embeddings.
_QWEN3 = {
    "qwen3-0.6b": (1024, 3072, 28, 16, True),
    "qwen3-1.7b": (2048, 6144, 28, 16, True),
    "qwen3-4b": (2560, 9728, 36, 32, True),
    "qwen3-8b": (4096, 12288, 36, 32, False),
}
SHAPES = tuple(_QWEN3)


def open_shape(shape: str, text: list[str]) -> LocalModel:
    """A model of that shape on the best device, in memory only; the tokenizer is learnt from the text.

    Raises:
        SettingsError: no such shape.
        OutOfMemory: it does not fit.
    """
    if shape not in _QWEN3:
        raise SettingsError(f"shape = {shape!r} is none of {', '.join(SHAPES)}", hint="Use one of those.")
    hidden, inner, layers, heads, shared = _QWEN3[shape]
    config = Qwen3Config(
        vocab_size=151_936,
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=8,
        head_dim=128,
        tie_word_embeddings=shared,
        max_position_embeddings=8192,
    )
    placement = place(_parameters(config), look_around())
    with tempfile.TemporaryDirectory() as folder:
        small = open_local(str(make_tiny_model(Path(folder) / "tiny", text, context_tokens=8192)))
    with torch.random.fork_rng(), torch.device(placement.device):
        torch.manual_seed(0)
        model = _from_config(config, dtype=FORMATS[placement.format])
    model.generation_config.eos_token_id = None  # it writes as long as it is let
    model.generation_config.pad_token_id = 0
    return LocalModel(
        name=f"{shape}, random weights",
        model=model.eval(),
        tokenizer=small.tokenizer,
        context_tokens=8192,
        placement=placement,
        marks=small.marks,
        lock=threading.Lock(),
    )


def _parameters(config: Qwen3Config) -> int:
    with torch.device("meta"):
        model = _from_config(config)
    return sum(parameter.numel() for parameter in model.parameters())
