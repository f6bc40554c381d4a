"""Any other embedding model, through sentence-transformers: a folder, or a name from the local Hugging Face cache.

Nothing is downloaded and nothing but safetensors is read. The whole text's vector is the model's own, whatever its
pooling; the vectors of parts are means of the token states of that same pass. A model's prompts for questions and
documents are put before the texts, and are part of its `spec`.
"""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from huggingface_hub import snapshot_download
from sentence_transformers import SentenceTransformer
from transformers.utils import logging as transformers_logging

from rag.embed import Passage, Vectors, pool_parts, refuse_overlong
from rag.errors import EmbedderError
from rag.schema import EmbedderSpec, Span

_BATCH = 16  # as many are lost if the process is killed; fewer cost each run more time (eval/LOG.md)
_HINT = (
    "Set the embedder to a folder with a sentence-transformers model in safetensors, or to a name already in the "
    "Hugging Face cache; Waymark downloads nothing."
)


class SentenceTransformerEmbedder:
    """`Embedder` over one sentence-transformers model."""

    def __init__(self, model: SentenceTransformer, spec: EmbedderSpec) -> None:
        self._model = model
        self._spec = spec
        self._tokenizer: Any = model.tokenizer  # Any: each architecture has a class of its own

    @property
    def spec(self) -> EmbedderSpec:
        return self._spec

    def count_tokens(self, text: str) -> int:
        return len(self._tokenize(self._spec.passage_prefix + text)["input_ids"])

    def embed_query(self, text: str) -> Vectors:
        vector: Vectors = self._encode([self._spec.query_prefix + text])[0][0]
        return vector

    def embed_passages(self, passages: Sequence[Passage]) -> Iterator[tuple[int, Vectors]]:
        texts = [self._spec.passage_prefix + passage.text for passage in passages]
        lengths = [len(self._tokenize(text)["input_ids"]) for text in texts]
        for passage, length in zip(passages, lengths, strict=True):
            refuse_overlong(length, self._spec, passage.text)
        order = sorted(range(len(texts)), key=lengths.__getitem__)
        for start in range(0, len(order), _BATCH):
            batch = order[start : start + _BATCH]
            for i, (whole, states) in zip(batch, self._encode([texts[i] for i in batch]), strict=True):
                yield i, self._pooled(texts[i], passages[i].parts, whole, states)

    def _pooled(self, text: str, parts: Sequence[Span], whole: Vectors, states: Vectors) -> Vectors:
        if not parts:
            return whole[None, :]
        offsets = np.asarray(self._tokenize(text)["offset_mapping"], dtype=np.int64)
        if len(offsets) != len(states) or states.shape[1] != len(whole):
            raise EmbedderError(
                f"{self._spec.model} gives no vectors for the sentences of a passage", hint=_HINT
            )
        shift = len(self._spec.passage_prefix)
        shifted = [Span(start=part.start + shift, end=part.end + shift) for part in parts]
        return np.concatenate([whole[None, :], pool_parts(states, offsets, shifted)[1:]])

    def _encode(self, texts: list[str]) -> list[tuple[Vectors, Vectors]]:
        """Per text its unit vector `(dim,)` and the states of its own tokens `(tokens, hidden)`."""
        encode: Any = self._model.encode  # Any: with output_value=None a list of dictionaries of tensors
        found = encode(
            texts,
            prompt="",
            batch_size=_BATCH,
            output_value=None,
            normalize_embeddings=True,
            show_progress_bar=False,
        )
        return [
            (
                _unit(one["sentence_embedding"].float().cpu().numpy()),
                one["token_embeddings"][one["attention_mask"].bool()].float().cpu().numpy(),
            )
            for one in found
        ]

    def _tokenize(self, text: str) -> Any:
        return self._tokenizer(text, return_offsets_mapping=True, truncation=False, verbose=False)


def open_sentence_transformer(name: str, *, home: Path) -> SentenceTransformerEmbedder:
    """Open a model by its folder, or by its name in the local Hugging Face cache.

    Raises:
        EmbedderError: it is not on this machine, or cannot be used.
    """
    del home  # nothing is converted
    quiet: Any = transformers_logging.disable_progress_bar  # Any: it is not annotated
    quiet()
    try:
        folder = _folder(name)
        weights = sorted(folder.rglob("*.safetensors"))
        if not weights:
            raise FileNotFoundError(f"no safetensors in {folder}")
        model = SentenceTransformer(
            str(folder),
            local_files_only=True,
            trust_remote_code=False,
            backend="torch",
            model_kwargs={"use_safetensors": True},
        )
        model.eval()
        spec = _spec(name, model, weights)
    except Exception as error:  # a broken folder fails in the ways of four libraries
        raise EmbedderError(f"the embedder {name} cannot be opened: {error}", hint=_HINT) from error
    return SentenceTransformerEmbedder(model, spec)


def _folder(name: str) -> Path:
    if Path(name).is_dir():
        return Path(name).resolve()
    repository = name if "/" in name else f"sentence-transformers/{name}"
    return Path(snapshot_download(repository, local_files_only=True))


def _spec(name: str, model: SentenceTransformer, weights: Sequence[Path]) -> EmbedderSpec:
    tokenizer: Any = model.tokenizer
    if not tokenizer.is_fast:
        raise ValueError("its tokenizer does not say where in a text a token stands")
    dim, max_tokens = model.get_embedding_dimension(), model.max_seq_length
    if not dim or not max_tokens:
        raise ValueError("it does not say how many dimensions it has, or how many tokens it reads")
    prompts = model.prompts
    return EmbedderSpec(
        model=name,
        revision=_digest(weights),
        dim=dim,
        max_tokens=max_tokens,
        query_prefix=prompts.get("query") or "",
        passage_prefix=prompts.get("document") or prompts.get("passage") or "",
    )


def _digest(paths: Sequence[Path]) -> str:
    """One file's SHA-256, or that of the SHA-256s of several."""
    digests = []
    for path in paths:
        with path.open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256(" ".join(digests).encode()).hexdigest()


def _unit(vector: Vectors) -> Vectors:
    unit: Vectors = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return unit
