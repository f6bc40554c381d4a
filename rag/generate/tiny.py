"""A language model of a few hundred thousand random numbers, made in a moment: for tests and for measuring overhead.

It has a tokenizer trained on a given text, a chat template and everything else that a real model's folder has; what it
writes means nothing.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
)
from transformers.utils import logging as transformers_logging

_START, _END, _PAD = "<|im_start|>", "<|im_end|>", "<|endoftext|>"
_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
_SHAPES: dict[str, Callable[[dict[str, Any]], PreTrainedModel]] = {
    "qwen2": lambda sizes: Qwen2ForCausalLM(Qwen2Config(**sizes)),
    "llama": lambda sizes: LlamaForCausalLM(LlamaConfig(**sizes)),
}


def make_tiny_model(
    folder: Path,
    text: Sequence[str],
    *,
    shape: Literal["qwen2", "llama"] = "qwen2",
    context_tokens: int = 2048,
    vocabulary: int = 1000,
) -> Path:
    """Write the model into the folder; the same text and shape give the same model.

    Args:
        text: what the tokenizer's vocabulary is learnt from.
    """
    tokenizer = _tokenizer(text, vocabulary, context_tokens)
    sizes: dict[str, Any] = {  # Any: as the configurations take them
        "vocab_size": len(tokenizer),
        "hidden_size": 64,
        "intermediate_size": 128,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": context_tokens,
        "eos_token_id": tokenizer.convert_tokens_to_ids(_END),
        "bos_token_id": None,
        "pad_token_id": tokenizer.convert_tokens_to_ids(_PAD),
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = _SHAPES[shape](sizes)
    folder.mkdir(parents=True, exist_ok=True)
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(text: Sequence[str], vocabulary: int, context_tokens: int) -> PreTrainedTokenizerFast:
    bare = Tokenizer(models.BPE())
    bare.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bare.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[_PAD, _START, _END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bare.train_from_iterator(text, trainer)
    fast: Any = PreTrainedTokenizerFast  # Any: it is not annotated
    tokenizer: PreTrainedTokenizerFast = fast(
        tokenizer_object=bare, eos_token=_END, pad_token=_PAD, model_max_length=context_tokens
    )
    tokenizer.chat_template = _TEMPLATE
    return tokenizer
