"""Downloading a language model: only when a person asks for it, only what is needed, and one revision for good.

Safetensors, tokenizer and configuration are taken, nothing that could carry code. What was downloaded is compared with
the hub's SHA-256 and noted in the data folder; from then on that revision is the one that opens.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

import httpx
from huggingface_hub import HfApi, constants, hf_hub_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

from rag.errors import ModelMissing, ModelUnusable, Offline, StorageError

PINS = Path("models", "pulled.json")  # in the data folder
# In the repository's top folder only. README and licence come along: they say what one may do with the model.
_WANTED = (
    "*.safetensors",
    "*.json",
    "*.jinja",
    "merges.txt",
    "vocab.txt",
    "tokenizer.model",
    "README.md",
    "LICENSE*",
)
_UNWANTED = ("consolidated*",)  # the same weights once more, in another arrangement
_OFFLINE = (OfflineModeIsEnabled, LocalEntryNotFoundError, httpx.TransportError)


@dataclass(frozen=True, slots=True, kw_only=True)
class PullFile:
    path: str
    bytes: int
    sha256: str | None  # the hub tells it of large files only


@dataclass(frozen=True, slots=True, kw_only=True)
class PullPlan:
    """What a download would bring, before anything of it is fetched."""

    name: str
    revision: str
    licence: str
    files: tuple[PullFile, ...]

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """The revision that opens under a name, and the SHA-256 of its weights by file."""

    revision: str
    sha256: tuple[tuple[str, str], ...]


def plan_pull(name: str, *, revision: str | None = None) -> PullPlan:
    """Ask the hub what the model consists of.

    Raises:
        Offline: the hub cannot be reached.
        ModelMissing, ModelUnusable: there is no such model, or it has no safetensors.
    """
    try:
        info = HfApi().model_info(name, revision=revision, files_metadata=True, timeout=20)
    except _OFFLINE as error:
        raise _offline() from error
    except GatedRepoError as error:
        raise ModelMissing(
            f"{name} is given only to those who accept its terms", hint="Use an open model."
        ) from error
    except (RepositoryNotFoundError, RevisionNotFoundError, HFValidationError) as error:
        raise ModelMissing(
            f"the Hugging Face hub has no model {name!r}", hint="A name looks like Qwen/Qwen3-0.6B."
        ) from error
    except HfHubHTTPError as error:
        raise Offline(f"the Hugging Face hub failed: {error}", hint="Try again in a while.") from error
    files = tuple(
        PullFile(path=one.rfilename, bytes=one.size or 0, sha256=one.lfs.sha256 if one.lfs else None)
        for one in info.siblings or ()
        if _is_wanted(one.rfilename)
    )
    if not any(file.path.endswith(".safetensors") for file in files):
        raise ModelUnusable(f"{name} has no safetensors", hint="Choose a model that has them.")
    licence = info.card_data.get("license", "unknown") if info.card_data else "unknown"
    return PullPlan(name=name, revision=str(info.sha), licence=str(licence), files=files)


def pull(plan: PullPlan, *, home: Path) -> Path:
    """Download, check and note; gives the folder. What is already here is not fetched again.

    The hub's own bars on standard error show the progress of each file.

    Raises:
        StorageError: not enough room.
        Offline: the hub went away; running it again goes on where it stopped.
        ModelUnusable: a file is not the one that the hub promised.
    """
    _check_room(plan)
    folder = Path()
    for file in sorted(plan.files, key=lambda one: one.bytes):
        try:
            got = Path(hf_hub_download(plan.name, file.path, revision=plan.revision))
        except (*_OFFLINE, HfHubHTTPError) as error:
            raise _offline() from error
        except OSError as error:
            raise StorageError(f"{file.path} cannot be written: {error}") from error
        _check(got, file)
        folder = got.parent
    _note(plan, home)
    return folder


def read_pin(name: str, *, home: Path) -> Pin | None:
    """What was noted when Waymark downloaded this model; None if it did not."""
    noted = _noted(home).get(name)
    try:
        digests = tuple(sorted(noted["sha256"].items()))  # type: ignore[index]  # whatever it is, it is tried
        return Pin(revision=noted["revision"], sha256=digests)  # type: ignore[index]
    except (AttributeError, KeyError, TypeError):
        return None


def check_pin(folder: Path, pin: Pin) -> None:
    """Compare the weights with what was downloaded; about a second for each gigabyte.

    Raises:
        ModelUnusable: a file has changed or is gone.
    """
    for name, expected in pin.sha256:
        try:
            digest = _sha256(folder / name)
        except OSError as error:
            raise ModelUnusable(f"{name} in {folder} cannot be read: {error.strerror}") from error
        if digest != expected:
            raise ModelUnusable(f"{name} in {folder} is not the file that was downloaded")


def _is_wanted(path: str) -> bool:
    wanted, unwanted = (any(fnmatch(path, one) for one in some) for some in (_WANTED, _UNWANTED))
    return wanted and not unwanted and "/" not in path


def _check_room(plan: PullPlan) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    there = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(there).free
    if free < plan.bytes:
        raise StorageError(
            f"{plan.name} needs {plan.bytes / 1e9:.1f} GB, {free / 1e9:.1f} GB are free under {there}",
            hint="Free some space, or set HF_HOME to a folder on another disk.",
        )


def _check(path: Path, file: PullFile) -> None:
    if path.stat().st_size != file.bytes:
        raise ModelUnusable(f"{file.path} has {path.stat().st_size} bytes, the hub promised {file.bytes}")
    if file.sha256 is None:
        return
    if _sha256(path) != file.sha256:
        path.resolve().unlink()
        raise ModelUnusable(f"{file.path} is not the file that the hub promised; it was deleted")


def _sha256(path: Path) -> str:
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()


def _note(plan: PullPlan, home: Path) -> None:
    noted = _noted(home)
    noted[plan.name] = {
        "revision": plan.revision,
        "licence": plan.licence,
        "pulled": datetime.now(UTC).isoformat(timespec="seconds"),
        "sha256": {file.path: file.sha256 for file in plan.files if file.sha256},
    }
    path = home / PINS
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(noted, indent=1, sort_keys=True), encoding="utf-8")
        os.replace(fresh, path)
    except OSError as error:
        raise StorageError(f"{path} cannot be written: {error.strerror}") from error


def _noted(home: Path) -> dict[str, object]:
    try:
        noted = json.loads((home / PINS).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _offline() -> Offline:
    return Offline(
        "the Hugging Face hub cannot be reached",
        hint="Check the connection and HF_HUB_OFFLINE, or copy the model's folder here and use transformers:FOLDER.",
    )
