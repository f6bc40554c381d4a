"""The metrics of `waymark eval ragas`: Ragas' own, with and without a judge, and Waymark's groundedness beside them.

Ragas runs them; how they are due, timed, kept and counted is `eval.scoring`'s. The non-LLM context metrics compare
whole texts by edit distance, as Ragas defines them: a short piece of evidence inside a long passage counts as far away.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from eval.groundedness import CitedGroundedness, Groundedness
from eval.judging import JudgeModel
from eval.ragas_judge import GeneratorJudge, WholeFaithfulness
from eval.ragas_quiet import (
    VERSION,
    AnswerRelevancy,
    BaseRagasEmbedding,
    ContextPrecisionWithReference,
    ContextRecall,
    NonLLMContextPrecisionWithReference,
    NonLLMContextRecall,
    NonLLMStringSimilarity,
    SingleTurnMetric,
    SingleTurnSample,
)
from eval.samples import Sample
from eval.scoring import Metric
from rag.embed import Embedder
from rag.ground import Checker

EMBEDDED = (
    "groundedness",
    "cited_groundedness",
    "non_llm_context_recall",
    "non_llm_context_precision",
    "string_similarity",
)
JUDGED = ("faithfulness", "response_relevancy", "context_precision", "context_recall")


def embedded_metrics(checker: Checker) -> tuple[Metric, ...]:
    """What needs no language model. Cheap, so nothing of it is kept: a better checker shows at once."""
    single = (
        ("non_llm_context_recall", NonLLMContextRecall(), _has_evidence),
        ("non_llm_context_precision", NonLLMContextPrecisionWithReference(), _has_evidence),
        ("string_similarity", NonLLMStringSimilarity(), _is_answered_and_has_evidence),
    )
    return (
        _single("groundedness", Groundedness(checker=checker), _is_answered),
        Metric(name="cited_groundedness", key=None, due=_is_answered, score=CitedGroundedness(checker).score),
        *(_single(name, metric, due) for name, metric, due in single),
    )


def judged_metrics(model: JudgeModel, embedder: Embedder) -> tuple[Metric, ...]:
    """What a language model judges."""
    judge, key = GeneratorJudge(model.generator), f"ragas {VERSION} strict {model.key}"
    relevancy = AnswerRelevancy(llm=judge, embeddings=RagasEmbedding(embedder))
    chosen: Sequence[tuple[str, Any, Callable[[Sample], bool], tuple[str, ...]]] = (
        ("faithfulness", WholeFaithfulness(llm=judge), _is_answered, ("response", "retrieved_contexts")),
        ("response_relevancy", relevancy, _is_answered, ("response",)),
        (
            "context_precision",
            ContextPrecisionWithReference(llm=judge),
            _has_evidence,
            ("reference", "retrieved_contexts"),
        ),
        ("context_recall", ContextRecall(llm=judge), _has_evidence, ("reference", "retrieved_contexts")),
    )
    return tuple(
        Metric(name=name, key=key, due=due, score=_collected(metric, fields))
        for name, metric, due, fields in chosen
    )


class RagasEmbedding(BaseRagasEmbedding):
    """Waymark's embedder as Ragas wants it."""

    def __init__(self, embedder: Embedder) -> None:
        super().__init__()
        self._embedder = embedder

    def embed_text(self, text: str, **kwargs: Any) -> list[float]:  # Any: Ragas' own
        del kwargs
        return [float(value) for value in self._embedder.embed_query(text)]

    async def aembed_text(self, text: str, **kwargs: Any) -> list[float]:  # Any: Ragas' own
        return await asyncio.to_thread(self.embed_text, text, **kwargs)


def _single(name: str, metric: SingleTurnMetric, due: Callable[[Sample], bool]) -> Metric:
    async def score(sample: Sample) -> float:
        return float(await metric.single_turn_ascore(_turn(sample)))

    return Metric(name=name, key=None, due=due, score=score)


def _collected(metric: Any, fields: tuple[str, ...]) -> Callable[[Sample], Awaitable[float]]:
    async def score(sample: Sample) -> float:
        turn = _turn(sample)
        result = await metric.ascore(
            user_input=sample.user_input, **{name: getattr(turn, name) for name in fields}
        )
        return float(result.value)

    return score


def _turn(sample: Sample) -> SingleTurnSample:
    return SingleTurnSample(
        user_input=sample.user_input,
        response=sample.response,
        retrieved_contexts=list(sample.retrieved_contexts),
        reference=sample.reference,
        reference_contexts=list(sample.reference_contexts),
    )


def _is_answered(sample: Sample) -> bool:
    return sample.answered


def _has_evidence(sample: Sample) -> bool:
    return bool(sample.reference_contexts)


def _is_answered_and_has_evidence(sample: Sample) -> bool:
    return sample.answered and bool(sample.reference_contexts)
