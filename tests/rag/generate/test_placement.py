"""Where a model runs: a table of machines, and a reason for each choice."""

import pytest

from rag.errors import OutOfMemory, SettingsError
from rag.generate.placement import Machine, look_around, place

GIB = 2**30
HALF_BILLION, FOUR_BILLION = 500_000_000, 4_000_000_000
CUDA = {"gpu": "cuda", "gpu_name": "X", "gpu_free_bytes": 8 * GIB, "free_bytes": 16 * GIB}


@pytest.mark.parametrize(
    ("parameters", "machine", "device", "form", "reason"),
    [
        (HALF_BILLION, Machine(free_bytes=8 * GIB), "cpu", "float32", "no GPU"),
        (
            HALF_BILLION,
            Machine(free_bytes=8 * GIB, cpu_bfloat16=True),
            "cpu",
            "bfloat16",
            "instructions for it",
        ),
        (HALF_BILLION, Machine(free_bytes=2 * GIB), "cpu", "bfloat16", "float32 does not fit"),
        (HALF_BILLION, Machine(), "cpu", "float32", "no GPU"),
        (HALF_BILLION, Machine(**CUDA, gpu_bfloat16=True), "cuda", "bfloat16", "on the GPU X"),
        (HALF_BILLION, Machine(**CUDA), "cuda", "float16", "on the GPU X"),
        (
            FOUR_BILLION,
            Machine(**CUDA | {"gpu_free_bytes": 4 * GIB}),
            "cpu",
            "bfloat16",
            "do not fit into the free",
        ),
        (HALF_BILLION, Machine(gpu="mps", free_bytes=8 * GIB), "mps", "float16", "GPU"),
    ],
)
def test_device_and_format_follow_from_what_there_is_and_are_explained(
    parameters: int, machine: Machine, device: str, form: str, reason: str
) -> None:
    placement = place(parameters, machine)
    assert (placement.device, placement.format, placement.quantization) == (device, form, "none")
    assert reason in placement.why


def test_a_model_that_fits_nowhere_is_told_before_it_is_loaded() -> None:
    with pytest.raises(OutOfMemory, match=r"8\.6 GiB of memory, 2\.0 GiB are free"):
        place(FOUR_BILLION, Machine(free_bytes=2 * GIB))


@pytest.mark.parametrize(
    ("machine", "missing"),
    [(Machine(bitsandbytes=True), "NVIDIA GPU"), (Machine(**CUDA), "package bitsandbytes")],
)
def test_quantisation_where_nothing_can_do_it_names_what_is_missing(machine: Machine, missing: str) -> None:
    with pytest.raises(SettingsError, match=missing) as caught:
        place(HALF_BILLION, machine, "4bit")
    assert "llama.cpp" in caught.value.hint


def test_quantised_weights_fit_where_whole_ones_do_not() -> None:
    machine = Machine(**CUDA | {"free_bytes": 32 * GIB}, gpu_bfloat16=True, bitsandbytes=True)
    assert place(FOUR_BILLION * 2, machine).device == "cpu"
    assert place(FOUR_BILLION * 2, machine, "4bit").quantization == "4bit"
    with pytest.raises(OutOfMemory, match="even in 8bit"):
        place(FOUR_BILLION * 2, machine, "8bit")


def test_this_machine_says_what_it_has() -> None:
    machine = look_around()
    assert machine.free_bytes is None or machine.free_bytes > 100_000_000
