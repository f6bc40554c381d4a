"""A model on this machine: found, checked, and loaded from safetensors alone. Nothing is fetched, no code of it is run.

A folder's `.bin` files are never read, whether there are safetensors beside them or not.
"""

import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from safetensors import SafetensorError, safe_open
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from transformers.utils import logging as transformers_logging

from rag.errors import GenerationError, ModelMissing, ModelUnusable, OutOfMemory
from rag.generate.placement import Placement, Quantization, look_around, place
from rag.generate.pull import Pin, check_pin

FORMATS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
_NO_MEMORY = ("not enough memory", "can't allocate memory", "out of memory")


@dataclass(frozen=True, kw_only=True, eq=False)  # no slots: it is kept weakly
class LocalModel:
    """A loaded model. One answer at a time: `lock` is held while it writes."""

    name: str
    model: Any  # Any: transformers gives a class of each architecture
    tokenizer: Any
    context_tokens: int
    placement: Placement
    marks: tuple[str, ...]  # tokens of its vocabulary that steer it, as text
    lock: threading.Lock = field(default_factory=threading.Lock)


_open: WeakValueDictionary[tuple[Path, str], LocalModel] = WeakValueDictionary()
_opening = threading.Lock()


def open_local(
    name: str,
    *,
    folder: Path | None = None,
    pin: Pin | None = None,
    quantization: Quantization = "none",
) -> LocalModel:
    """The model of that name: a folder, a folder inside `folder`, or a name in the local Hugging Face cache.

    In the cache it is the pinned revision, with its hashes compared, else the newest downloaded one. It is loaded
    once and kept for as long as somebody has it.

    Raises:
        ModelMissing, ModelUnusable, OutOfMemory: it is not here, damaged, of a kind that cannot be used, too big.
        SettingsError: a quantisation that this machine cannot do.
    """
    place_of = find_model(name, folder=folder, revision=None if pin is None else pin.revision)
    with _opening:
        known = _open.get((place_of, quantization))
        if known is None:
            if pin is not None and place_of.name == pin.revision:
                check_pin(place_of, pin)
            known = _open[place_of, quantization] = _load(name, place_of, quantization)
        return known


def find_model(name: str, *, folder: Path | None = None, revision: str | None = None) -> Path:
    """Where the model lies.

    Raises:
        ModelMissing: not on this machine.
    """
    candidates = [Path(name).expanduser()] if folder is None else [Path(name).expanduser(), folder / name]
    for candidate in candidates:
        if name and candidate.is_dir():
            return candidate.resolve()
    try:
        found: Any = snapshot_download(
            name, revision=revision, local_files_only=True
        )  # Any: it may also be asked for a dry run
        return Path(found)
    except (HFValidationError, LocalEntryNotFoundError, ValueError) as error:
        raise ModelMissing(f"the model {name!r} is neither a folder nor in the Hugging Face cache") from error


def count_parameters(folder: Path) -> int:
    """Numbers in the safetensors of a folder, read from their heads.

    Raises:
        ModelUnusable: there are none, or one is damaged.
    """
    files = sorted(folder.glob("*.safetensors"))
    if not files:
        raise ModelUnusable(
            f"{folder} has no safetensors; other forms of weights can carry code and are never read"
        )
    total = 0
    for file in files:
        try:
            with safe_open(file, framework="pt") as tensors:
                total += sum(_product(tensors.get_slice(key).get_shape()) for key in tensors.keys())  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise ModelUnusable(f"{file.name} in {folder} is damaged: {error}") from error
    return total


def _product(shape: list[int]) -> int:
    return shape[0] * _product(shape[1:]) if shape else 1


def out_of_memory(error: Exception) -> bool:
    """Whether one of PyTorch's errors means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _NO_MEMORY)


def _load(name: str, folder: Path, quantization: Quantization) -> LocalModel:
    _refuse_own_code(folder)
    placement = place(count_parameters(folder), look_around(), quantization)
    try:
        tokenizer = _tokenizer(folder)
        model = _model(folder, placement)
    except GenerationError:
        raise
    except Exception as error:  # a damaged folder fails in the ways of four libraries
        if out_of_memory(error):
            raise OutOfMemory(f"the model {name} does not fit into memory: {error}") from error
        raise ModelUnusable(f"the model {name} cannot be loaded: {type(error).__name__}: {error}") from error
    told = getattr(model.config.get_text_config(), "max_position_embeddings", None)
    steering = {str(token) for token in tokenizer.added_tokens_decoder.values() if token.special}
    return LocalModel(
        name=name,
        model=model,
        tokenizer=tokenizer,
        context_tokens=min(int(told or 4096), tokenizer.model_max_length),
        placement=placement,
        marks=tuple(sorted(steering)),
    )


def _refuse_own_code(folder: Path) -> None:
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnusable(f"config.json in {folder} cannot be read: {error}") from error
    if not isinstance(config, dict) or "auto_map" in config:
        raise ModelUnusable(
            f"the model in {folder} brings program code of its own, which Waymark never runs",
            hint="Use a model whose architecture transformers has itself.",
        )


def _tokenizer(folder: Path) -> Any:
    if not (folder / "tokenizer.json").is_file():  # transformers would go on with an empty vocabulary
        raise ModelUnusable(f"{folder} has no tokenizer.json")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not tokenizer.chat_template:
        raise ModelUnusable(
            f"the model in {folder} has no chat template, so it was not taught to answer",
            hint="Use the instruct or chat variant of the model.",
        )
    return tokenizer


def _model(folder: Path, placement: Placement) -> Any:
    transformers_logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    options: dict[str, Any] = {"dtype": FORMATS[placement.format]}  # Any: as from_pretrained takes them
    if placement.quantization != "none":
        quantized: Any = BitsAndBytesConfig  # Any: it is not annotated
        options["device_map"] = {"": 0}
        options["quantization_config"] = quantized(
            load_in_8bit=placement.quantization == "8bit",
            load_in_4bit=placement.quantization == "4bit",
            bnb_4bit_quant_type="nf4",
            bnb_4bit_compute_dtype=FORMATS[placement.format],
        )
    loaded: Any = AutoModelForCausalLM.from_pretrained(
        folder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        output_loading_info=True,
        **options,
    )
    model, told = loaded
    absent = sorted(told["missing_keys"]) + sorted(map(str, told["mismatched_keys"]))
    if absent:  # they would be filled with random numbers
        raise ModelUnusable(f"the weights in {folder} lack {len(absent)} parts, such as {absent[0]}")
    if placement.quantization == "none":
        model = model.to(placement.device)
    return model.eval()
