"""A BERT encoder from safetensors to ONNX bytes. The only place that needs torch to serve the packaged model.

The graph maps token ids and mask to the last hidden states; pooling stays outside, where parts of a text are known.
`python -m rag.embed.export FOLDER` writes the bytes to standard output: the conversion runs in a process of its own,
because torch would stay in the memory of the one that asks (a server of the page: 879 MiB against 431).
"""

import io
import logging
import os
import sys
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


def main() -> None:
    """Convert the model of the folder named on the command line."""
    with os.fdopen(os.dup(1), "wb") as output:
        os.dup2(2, 1)  # what libraries print is no part of the model
        output.write(export_onnx(Path(sys.argv[1])))


if __name__ == "__main__":
    main()
