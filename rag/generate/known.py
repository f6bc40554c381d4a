"""The language models on this machine, in the Hugging Face cache and in a folder of models. Looks, and loads none."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, scan_cache_dir
from huggingface_hub.errors import CacheNotFound

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownModel:
    """One model. `bytes` are those of its safetensors; `trouble` says why it cannot answer, empty if it can."""

    name: str
    folder: Path
    bytes: int
    licence: str
    format: str  # of its numbers: bfloat16, 4 bit (gptq), …
    context_tokens: int | None
    revision: str  # empty for a plain folder
    trouble: str

    @property
    def spec(self) -> str:
        """What `--llm` takes."""
        return f"transformers:{self.name}"


def known_models(folder: Path | None = None, *, cache: Path | None = None) -> tuple[KnownModel, ...]:
    """All causal language models that are found, by name.

    Args:
        folder: a folder with folders of models (the setting `llm_folder`).
        cache: the Hugging Face cache, if not the usual one.
    """
    found = [*_cached(cache), *_in_folder(folder)]
    return tuple(sorted(found, key=lambda model: model.name.lower()))


def _cached(cache: Path | None) -> Iterator[KnownModel]:
    try:
        info = scan_cache_dir(cache)
    except (CacheNotFound, ValueError, OSError):
        return
    for repository in info.repos:
        if repository.repo_type != "model" or not repository.revisions:
            continue
        main = [revision for revision in repository.revisions if "main" in revision.refs]
        newest = max(main or repository.revisions, key=lambda revision: revision.last_modified)
        yield from _described(repository.repo_id, newest.snapshot_path, newest.commit_hash)


def _in_folder(folder: Path | None) -> Iterator[KnownModel]:
    if folder is None or not folder.is_dir():
        return
    for config in sorted(folder.glob("*/config.json")):
        yield from _described(config.parent.name, config.parent, "")


def _described(name: str, folder: Path, revision: str) -> Iterator[KnownModel]:
    """The model, or nothing if the folder holds something else: an embedder, say."""
    config = _config(folder)
    architectures = config.get("architectures") or []
    if not any(str(one).endswith(("ForCausalLM", "ForConditionalGeneration")) for one in architectures):
        return
    text = config.get("text_config") if isinstance(config.get("text_config"), dict) else config
    context = text.get("max_position_embeddings") if isinstance(text, dict) else None
    yield KnownModel(
        name=name,
        folder=folder,
        bytes=sum(file.stat().st_size for file in folder.glob("*.safetensors")),
        licence=_licence(folder),
        format=_format(config),
        context_tokens=context if isinstance(context, int) else None,
        revision=revision,
        trouble=_trouble(folder, config),
    )


def _config(folder: Path) -> dict[str, Any]:  # Any: JSON
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return config if isinstance(config, dict) else {}


def _licence(folder: Path) -> str:
    try:
        card = ModelCard((folder / "README.md").read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        return UNKNOWN
    told = getattr(card.data, "license_name", None) or getattr(card.data, "license", None)
    return str(told) if told else UNKNOWN


def _format(config: dict[str, Any]) -> str:
    quantized = config.get("quantization_config")
    if isinstance(quantized, dict):
        method, bits = str(quantized.get("quant_method", "quantised")), quantized.get("bits")
        return f"{bits} bit ({method})" if bits else method
    return str(config.get("dtype") or config.get("torch_dtype") or UNKNOWN)


def _trouble(folder: Path, config: dict[str, Any]) -> str:
    if not any(folder.glob("*.safetensors")):
        return "no safetensors"
    if "auto_map" in config:
        return "brings program code of its own"
    if not (folder / "tokenizer.json").is_file():
        return "no tokenizer.json"
    if not _has_template(folder):
        return "no chat template"
    return ""


def _has_template(folder: Path) -> bool:
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    try:
        return "chat_template" in json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
