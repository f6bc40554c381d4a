"""Where a local model runs and in which number format, and the sentence that says why. Pure, but for `look_around`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rag.errors import OutOfMemory, SettingsError

Quantization = Literal["none", "8bit", "4bit"]
Format = Literal["float32", "bfloat16", "float16"]

_HEADROOM = 1.15  # weights, and what computing needs beside them
_BYTES = {"float32": 4, "bfloat16": 2, "float16": 2}
_QUANTIZED_BYTES = {"8bit": 1.1, "4bit": 0.65}  # scales and the layers that stay whole included


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What there is. Free memory in bytes, None where the system does not tell."""

    free_bytes: int | None = None
    gpu: Literal["none", "cuda", "mps"] = "none"
    gpu_name: str = ""
    gpu_free_bytes: int | None = None
    gpu_bfloat16: bool = False
    cpu_bfloat16: bool = False
    bitsandbytes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    device: Literal["cpu", "cuda", "mps"]
    format: Format
    why: str  # one sentence, for the doctor and the provenance
    quantization: Quantization = "none"


def place(parameters: int, machine: Machine, quantization: Quantization = "none") -> Placement:
    """Choose device and format for a model of that many parameters.

    Raises:
        SettingsError: quantisation where nothing can do it.
        OutOfMemory: it fits nowhere.
    """
    if quantization != "none":
        return _quantized(parameters, machine, quantization)
    why_not = "no GPU is visible to PyTorch"
    if machine.gpu != "none":
        form: Format = "bfloat16" if machine.gpu_bfloat16 else "float16"
        if _fits(parameters * _BYTES[form], machine.gpu_free_bytes):
            return Placement(
                device=machine.gpu, format=form, why=f"{form} on the GPU {machine.gpu_name}".rstrip()
            )
        why_not = f"{_gib(parameters * _BYTES[form] * _HEADROOM)} do not fit into the free memory of the GPU"
    return _on_processor(parameters, machine, why_not)


def _on_processor(parameters: int, machine: Machine, why_not: str) -> Placement:
    if machine.cpu_bfloat16 and _fits(parameters * 2, machine.free_bytes):
        why = f"bfloat16 on the processor, which has instructions for it; {why_not}"
        return Placement(device="cpu", format="bfloat16", why=why)
    if _fits(parameters * 4, machine.free_bytes):
        slower = "" if machine.cpu_bfloat16 else ", where bfloat16 would read prompts several times slower"
        return Placement(device="cpu", format="float32", why=f"float32 on the processor{slower}; {why_not}")
    if _fits(parameters * 2, machine.free_bytes):
        why = f"bfloat16 on the processor, slow at reading prompts, as float32 does not fit into memory; {why_not}"
        return Placement(device="cpu", format="bfloat16", why=why)
    needed, free = _gib(parameters * 2 * _HEADROOM), _gib(machine.free_bytes or 0)
    raise OutOfMemory(f"the model needs at least {needed} of memory, {free} are free; {why_not}")


def _quantized(parameters: int, machine: Machine, quantization: Quantization) -> Placement:
    if machine.gpu != "cuda" or not machine.bitsandbytes:
        missing = "an NVIDIA GPU" if machine.gpu != "cuda" else "the package bitsandbytes"
        raise SettingsError(
            f"llm_quantization = {quantization!r} needs {missing}",
            hint="Set llm_quantization to none, or serve a quantised model with llama.cpp or Ollama and --llm-url.",
        )
    needed = int(parameters * _QUANTIZED_BYTES[quantization])
    if not _fits(needed, machine.gpu_free_bytes):
        raise OutOfMemory(
            f"even in {quantization} the model needs {_gib(needed * _HEADROOM)} of the GPU, which are not free"
        )
    return Placement(
        device="cuda",
        format="bfloat16" if machine.gpu_bfloat16 else "float16",
        quantization=quantization,
        why=f"{quantization} weights on the GPU {machine.gpu_name}, as the settings ask",
    )


def _fits(needed: float, free: int | None) -> bool:
    return free is None or needed * _HEADROOM <= free


def _gib(number: float) -> str:
    return f"{number / 2**30:.1f} GiB"


def look_around() -> Machine:
    """What this machine has. Loads PyTorch."""
    from importlib.util import find_spec  # noqa: PLC0415

    import torch  # noqa: PLC0415 (heavy; only where a model is to be placed)

    free, flags = _free_memory(), _processor_flags()
    native = bool(flags & {"avx512_bf16", "amx_bf16", "bf16"})
    quantizes = find_spec("bitsandbytes") is not None and find_spec("accelerate") is not None
    if torch.cuda.is_available():
        return Machine(
            free_bytes=free,
            cpu_bfloat16=native,
            gpu="cuda",
            gpu_name=torch.cuda.get_device_name(),
            gpu_free_bytes=torch.cuda.mem_get_info()[0],
            gpu_bfloat16=torch.cuda.is_bf16_supported(),
            bitsandbytes=quantizes,
        )
    if torch.backends.mps.is_available():
        return Machine(free_bytes=free, gpu="mps", gpu_name="of this Mac", gpu_free_bytes=free)
    return Machine(free_bytes=free, cpu_bfloat16=native, bitsandbytes=quantizes)


def _free_memory() -> int | None:
    """Bytes that a new process can have; None where the system does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable:"))
    except (OSError, StopIteration, ValueError):
        pass
    try:  # all of it, on systems that tell no more
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _processor_flags() -> set[str]:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {flag for line in lines if line.lower().startswith(("flags", "features")) for flag in line.split()}
