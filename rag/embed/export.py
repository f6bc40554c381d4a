"""A BERT encoder from safetensors to ONNX bytes. The only place that needs torch to serve the packaged model.

The graph maps token ids and mask to the last hidden states; pooling stays outside, where parts of a text are known.
"""

import io
import logging
import warnings
from pathlib import Path
from typing import Any, cast

import torch
from transformers import AutoModel
from transformers.utils.logging import disable_progress_bar


class _Encoder(torch.nn.Module):
    """Two named inputs, one output: what the runtime session expects."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        states: torch.Tensor = self.model(
            input_ids=input_ids, attention_mask=attention_mask
        ).last_hidden_state
        return states


def export_onnx(folder: Path) -> bytes:
    """Convert the model in `folder` (config.json and model.safetensors; nothing is fetched)."""
    logging.getLogger("transformers").setLevel(logging.ERROR)
    disable_progress_bar()  # type: ignore[no-untyped-call]  # so declared there
    model = AutoModel.from_pretrained(
        str(folder), local_files_only=True, use_safetensors=True, attn_implementation="eager"
    )
    ids = torch.ones((2, 8), dtype=torch.long)
    buffer = io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        # What the tracer says of constants; the contract test compares the vectors.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            _Encoder(model).eval(),
            (ids, torch.ones_like(ids)),
            cast(Any, buffer),  # declared as a path, though a file object is taken as well
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state"],
            dynamic_axes={
                name: {0: "batch", 1: "tokens"}
                for name in ("input_ids", "attention_mask", "last_hidden_state")
            },
            opset_version=17,
            dynamo=False,
        )
    return buffer.getvalue()
