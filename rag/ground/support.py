"""What a check of a statement against evidence says. Values and the seam behind which every checker stands.

A checker reads a statement and the sentences it is said to rest on, nothing else: no index, no question, no answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Stance(StrEnum):
    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True, kw_only=True)
class Support:
    """Whether evidence states something.

    `score` is the probability, [0, 1], that the evidence states all of it, as calibrated on the fitting pairs;
    `evidence` is the position of the sentence that speaks of it most, None if there is none. `reasons` say in plain
    words what is missing or different; they are empty for what is simply supported.
    """

    score: float
    stance: Stance
    evidence: int | None
    reasons: tuple[str, ...] = ()


class Checker(Protocol):
    @property
    def name(self) -> str: ...

    def check(self, statement: str, evidence: Sequence[str]) -> Support:
        """Check one statement against the sentences of its evidence, in reading order; there may be none."""
