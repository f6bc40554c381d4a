"""Scores that were already paid for: one JSON line an item, added at once, so that a run cut short goes on.

The key is a hash of the metric, the judge and all that the judge was shown. Only scores are kept: an item that
failed is tried again. A last line that was cut is passed over.
"""

import json
import threading
from pathlib import Path

from rag.errors import StorageError

FILE = "scores.jsonl"


class ScoreCache:
    """Scores in [0, 1] by key. Threads of one process may share it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._scores = _read(self._path)

    def get(self, key: str) -> float | None:
        return self._scores.get(key)

    def put(self, key: str, score: float) -> None:
        """Keep a score, on disk before this returns.

        Raises:
            StorageError: It cannot be written.
        """
        with self._lock:
            self._scores[key] = score
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(json.dumps([key, score]) + "\n")
            except OSError as error:
                raise StorageError(f"{self._path}: {error}") from error


def _read(path: Path) -> dict[str, float]:
    scores: dict[str, float] = {}
    if not path.is_file():
        return scores
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            key, score = json.loads(line)
            scores[str(key)] = float(score)
        except (ValueError, TypeError):
            continue  # cut short, or not ours
    return scores
