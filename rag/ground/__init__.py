"""Checks statements against evidence: is a sentence said by the passages, or by the work, that it is said to rest on?

`open_checker` gives the `Checker`; `rag.ground.support` has the values. A checker reads no index, retrieves nothing and
writes no text; `rag.ground.sources` asks the indexed sources of cited works with it.
"""

from pathlib import Path

from rag.embed import Embedder
from rag.errors import SettingsError
from rag.ground.support import Checker, Stance, Support
from rag.settings import Settings

__all__ = ["Checker", "Stance", "Support", "open_checker"]

AUTO, EMBEDDED, CROSS_ENCODER = "auto", "embedded", "cross-encoder:"
# Entailment models that `auto` takes when one was downloaded: open licences, small enough for a processor; best first.
INSTALLED = (
    "cross-encoder/nli-deberta-v3-base",
    "cross-encoder/nli-deberta-v3-small",
    "cross-encoder/nli-MiniLM2-L6-H768",
)


def open_checker(embedder: Embedder, settings: Settings) -> Checker:
    """The checker that the settings name; the embedded one needs nothing beyond the embedder.

    Raises:
        SettingsError: no such checker.
        ModelMissing, ModelUnusable: the entailment model is not on this machine, or cannot be used.
    """
    spec = settings.checker
    if spec == AUTO:
        spec = next((CROSS_ENCODER + name for name in INSTALLED if _is_cached(name)), EMBEDDED)
    if spec == EMBEDDED:
        from rag.ground.embedded import EmbeddedChecker  # noqa: PLC0415 (its model file is read on opening)

        return EmbeddedChecker(embedder)
    if spec.startswith(CROSS_ENCODER):
        from rag.ground.cross_encoder import open_cross_encoder  # noqa: PLC0415 (torch)

        return open_cross_encoder(spec.removeprefix(CROSS_ENCODER))
    raise SettingsError(
        f"checker = {spec!r} is neither {AUTO}, {EMBEDDED} nor {CROSS_ENCODER}NAME_OR_FOLDER",
        hint="Leave it at auto.",
    )


def _is_cached(name: str) -> bool:
    """Whether a model was downloaded, without loading any library of models."""
    from huggingface_hub.constants import HF_HUB_CACHE  # noqa: PLC0415 (only when a checker is opened)

    snapshots = Path(HF_HUB_CACHE) / f"models--{name.replace('/', '--')}" / "snapshots"
    return any(snapshots.glob("*/model.safetensors"))
