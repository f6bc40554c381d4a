"""Faithfulness without a language model: the share of an answer's sentences that the passages support.

`Groundedness` is a Ragas metric over `rag.ground`'s checker, so that the suite scores faithfulness where no judge is
at hand; `CitedGroundedness` holds each cited part of an answer against its own quotes, which Ragas' samples cannot
carry. A sentence counts when the checker's stance is "supported".
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from eval.ragas_quiet import MetricType, SingleTurnMetric, SingleTurnSample
from eval.samples import Sample
from rag.ground import Checker, Stance
from rag.sentences import split_sentences

_BULLET = "-•* "


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of all paragraphs of a text."""
    return tuple(span.cut(line) for line in text.splitlines() for span in split_sentences(line))


def supported_share(checker: Checker, statements: Sequence[str], evidence: Sequence[str]) -> float:
    """The share [0, 1] of statements that the evidence supports; NaN for no statement."""
    if not statements:
        return float("nan")
    supported = (checker.check(statement, evidence).stance is Stance.SUPPORTED for statement in statements)
    return sum(supported) / len(statements)


@dataclass
class Groundedness(SingleTurnMetric):
    """The answer's sentences against all sentences of the retrieved contexts."""

    name: str = "groundedness"
    checker: Checker | None = None
    _required_columns: dict[MetricType, set[str]] = field(
        default_factory=lambda: {MetricType.SINGLE_TURN: {"response", "retrieved_contexts"}}
    )

    def init(self, run_config: Any) -> None:  # Any: Ragas' own
        """Nothing to prepare; Ragas wants the method."""

    async def _single_turn_ascore(self, sample: SingleTurnSample, callbacks: Any) -> float:  # Any: Ragas' own
        del callbacks
        if self.checker is None or not sample.retrieved_contexts:
            raise ValueError("there is no passage to check against")
        evidence = [sentence for context in sample.retrieved_contexts for sentence in sentences(context)]
        return supported_share(self.checker, sentences(sample.response or ""), evidence)


class CitedGroundedness:
    """Each sentence of an answer against the quotes that stand behind it and the headings over them.

    A sentence that no quote stands behind counts as 0.
    """

    def __init__(self, checker: Checker) -> None:
        self._checker = checker

    async def score(self, sample: Sample) -> float:
        """The share of the answer's sentences that their own quotes support."""
        statements = sentences(sample.response)
        if not statements:
            return float("nan")
        return sum(self._holds(statement, sample) for statement in statements) / len(statements)

    def _holds(self, statement: str, sample: Sample) -> bool:
        said = statement.lstrip(_BULLET)
        quotes = [
            sentence
            for part, behind in sample.claims
            if said in part or part.lstrip(_BULLET) in said
            for quote in behind
            for sentence in sentences(quote)
        ]
        return bool(quotes) and self._checker.check(statement, quotes).stance is Stance.SUPPORTED
