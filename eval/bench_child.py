"""What a benchmark times, run in a process of its own: `python -m eval.bench_child STEP WAY FOLDER [FILE…]`.

Steps: `ingest` reads the files and keeps an index in the folder; `cold` opens that index and answers one question;
`ask` opens it, warms up and times questions one by one. Prints one line of JSON. Imports are what differs between the
two ways, so they happen where they are needed.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rag.bundled import roadmap_path

QUESTIONS = (
    "How does LoRA cut memory?",
    "What are the four pillars of MLOps?",
    "What is data drift and how is it noticed?",
    "Which optimizers does the roadmap name?",
    "How do I build a small Docker image?",
    "What is the dying ReLU problem?",
    "How does self-attention work?",
    "What is the difference between bagging and boosting?",
    "What is retrieval-augmented generation?",
    "How are hyperparameters tuned?",
)
K = 8
_ROUNDS = 3

Search = Callable[[str], Sequence[object]]


def main(step: str, way: str, folder: Path, files: Sequence[Path]) -> dict[str, Any]:
    """Do one step and say how long it took; `peak_mib` is the most memory that the process had so far."""
    if step == "ingest":
        result = _ingest(way, folder, files)
    else:
        search = _opened(way, folder)
        result = {"n_hits": len(search(QUESTIONS[0]))} if step == "cold" else _timed(search)
    return {**result, "peak_mib": _peak_mib()}


def _ingest(way: str, folder: Path, files: Sequence[Path]) -> dict[str, Any]:
    began = time.perf_counter()
    if way == "waymark":
        loaded, n_chunks = _ingest_waymark(folder, files)
    else:
        from eval import baseline  # noqa: PLC0415 (its imports are part of what is timed)

        embeddings = baseline.open_embeddings()
        loaded = time.perf_counter()
        n_chunks = baseline.build_store([roadmap_path(), *files], embeddings, folder=folder)
    ended = time.perf_counter()
    return {"n_chunks": n_chunks, "seconds": ended - loaded, "open_s": loaded - began}


def _ingest_waymark(folder: Path, files: Sequence[Path]) -> tuple[float, int]:
    from ingest.library import Library, write_library  # noqa: PLC0415
    from ingest.pipeline import index_corpus  # noqa: PLC0415
    from rag.embed import PACKAGED, open_embedder  # noqa: PLC0415

    if files:
        write_library(folder, Library().with_items(*map(str, files)))
    embedder = open_embedder(PACKAGED, home=folder)
    loaded = time.perf_counter()
    return loaded, index_corpus(folder, embedder=embedder).n_chunks


def _opened(way: str, folder: Path) -> Search:
    if way == "waymark":
        from rag.assistant import Assistant  # noqa: PLC0415
        from rag.settings import Settings  # noqa: PLC0415

        assistant = Assistant.open(Settings(home=folder, llm="extractive"))
        return lambda question: assistant.search(question, k=K)
    from eval import baseline  # noqa: PLC0415

    return baseline.open_store(baseline.open_embeddings(), folder=folder, k=K)


def _timed(search: Search) -> dict[str, Any]:
    for question in QUESTIONS:
        search(question)
    seconds = []
    for question in QUESTIONS * _ROUNDS:
        began = time.perf_counter()
        search(question)
        seconds.append(time.perf_counter() - began)
    return {"seconds": seconds}


def _peak_mib() -> float | None:
    """None where the system does not tell."""
    try:
        import resource  # noqa: PLC0415 (not on Windows)
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 if sys.platform != "darwin" else 1024 * 1024)


if __name__ == "__main__":
    os.environ["HF_HUB_OFFLINE"] = "1"
    _step, _way, _folder, *_files = sys.argv[1:]
    line = json.dumps(main(_step, _way, Path(_folder), [Path(file) for file in _files]))
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
