"""The child process that reads marked-up text: `python -m ingest.loaders.worker`, one for many documents.

Reads requests from standard input and answers each on standard output: first that the loader is ready, then the
document or why there is none. See `confined` for the parent's side. Knows no format.
"""

import ctypes  # noqa: F401 (loads itself as a library, which is not allowed later)
import json
import sys
from typing import Any

from pydantic import TypeAdapter

from ingest.loaders import find_loader
from ingest.loaders.child import forbid_effects, limit_process, limit_time
from ingest.loaders.outcome import Outcome, Unloadable
from rag.schema import Document

_DOCUMENT: TypeAdapter[Document] = TypeAdapter(Document)
_MOST_BYTES = 100_000_000  # of a document with all its structure: the parent has to hold it


def main() -> None:
    """Answer until the input ends."""
    limit_process()
    is_sealed = False
    for line in iter(sys.stdin.buffer.readline, b""):
        request = json.loads(line)
        data = sys.stdin.buffer.read(request["size_bytes"])
        loader = find_loader(request["media_type"], path=request["path"])
        if not is_sealed:
            forbid_effects()
            is_sealed = True
        _answer({"kind": "ready"})
        limit_time(request["seconds"])
        try:
            document = _DOCUMENT.dump_json(loader(data, path=request["path"]))
        except Unloadable as error:
            _answer({"kind": "refused", "outcome": error.outcome, "reason": error.reason})
        except (MemoryError, RecursionError):
            _refuse(Outcome.LIMIT, "it needs more than a reader is given")
        except Exception as error:  # noqa: BLE001 (whatever a hostile file provokes is an outcome)
            _refuse(Outcome.UNREADABLE, f"its reader failed: {type(error).__name__}")
        else:
            if len(document) > _MOST_BYTES:
                _refuse(Outcome.LIMIT, "its structure takes far more room than its text")
            else:
                _answer({"kind": "document", "size_bytes": len(document)}, document)
        limit_time(None)


def _refuse(outcome: Outcome, reason: str) -> None:
    _answer({"kind": "refused", "outcome": outcome, "reason": reason})


def _answer(record: dict[str, Any], payload: bytes = b"") -> None:  # Any: JSON
    sys.stdout.buffer.write(json.dumps(record).encode() + b"\n" + payload)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
