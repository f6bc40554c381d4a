"""How reading a source ended: the six outcomes that every loader shares, and the refusal that names one.

Knows no format. A source that can be read gives a `Document`; one that cannot raises `Unloadable`, so that
whoever reads many sources can list each refusal with its reason.
"""

from enum import StrEnum

from rag.errors import DocumentError


class Outcome(StrEnum):
    OK = "ok"
    EMPTY = "empty"  # readable, but without text
    ENCRYPTED = "encrypted"
    UNREADABLE = "unreadable"  # damaged, or not what its name says
    LIMIT = "limit"  # too large, too deep or too slow to read safely
    UNSUPPORTED = "unsupported"


class Unloadable(DocumentError):
    """A source that gives no document. `reason` is for people and does not repeat the path."""

    def __init__(self, reason: str, *, outcome: Outcome, path: str = "") -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.outcome = outcome
        self.reason = reason
