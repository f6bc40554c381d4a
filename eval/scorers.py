"""Everything that says how well a statement rests on its evidence, in one form: from word counts to a language model.

A pair is put to a scorer as a sample whose response is the statement and whose passages are the evidence, so that
judges are timed, kept and counted as everywhere. The trivial baselines stand beside: what does not beat them
measures nothing.
"""

import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import BaseModel, Field

from eval.judging import JudgeModel
from eval.metrics import content_words, share_inside, words
from eval.pairs import Pair
from eval.samples import Sample
from eval.scoring import Metric
from rag.embed import Embedder
from rag.ground import Checker

QUESTION = "What does the text say?"
BASELINES = ("length", "word overlap", "cosine")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scorer:
    """`threshold` is the scorer's own; None has none, and the best one on the set is taken, which flatters it."""

    metric: Metric
    threshold: float | None
    is_probability: bool

    @property
    def name(self) -> str:
        return self.metric.name


class Verdict(BaseModel):
    """What a language model is asked for."""

    reason: str = Field(description="one short sentence")
    supported: float = Field(
        ge=0, le=1, description="probability from 0 to 1 that the text states the statement"
    )


def pair_sample(pair: Pair, *, name: str) -> Sample:
    """A pair as a sample."""
    return Sample(
        question_id=name,
        type=pair.kind,
        user_input=QUESTION,
        response=pair.statement,
        retrieved_contexts=pair.evidence,
        reference="",
        reference_contexts=(),
        answered=True,
    )


def baseline_scorers(embedder: Embedder) -> tuple[Scorer, ...]:
    """Length (shorter counts as supported), overlap of content words, greatest cosine."""

    def cosine(sample: Sample) -> float:
        statement = embedder.embed_query(sample.response)
        best = max(float(embedder.embed_query(text) @ statement) for text in sample.retrieved_contexts)
        return min(1.0, max(0.0, best))

    return tuple(
        Scorer(metric=_metric(name, score), threshold=None, is_probability=False)
        for name, score in zip(BASELINES, (_length, _overlap, cosine), strict=True)
    )


def checker_scorer(checker: Checker, *, threshold: float) -> Scorer:
    """A checker of `rag.ground`: its probability, judged at its own threshold."""

    def score(sample: Sample) -> float:
        return checker.check(sample.response, sample.retrieved_contexts).score

    return Scorer(metric=_metric(checker.name, score), threshold=threshold, is_probability=True)


def llm_scorers(model: JudgeModel) -> tuple[Scorer, ...]:
    """A language model asked outright, and Ragas' faithfulness with the same model."""
    from eval.ragas_judge import GeneratorJudge, WholeFaithfulness  # noqa: PLC0415 (Ragas takes seconds to load)
    from eval.ragas_quiet import VERSION  # noqa: PLC0415

    judge = GeneratorJudge(model.generator)
    faithfulness = WholeFaithfulness(llm=judge)

    async def ask(sample: Sample) -> float:
        text = "\n".join(sample.retrieved_contexts)
        prompt = (
            "Does the text state the statement? Other numbers, names or negations mean that it does not.\n\n"
            f"Text:\n{text}\n\nStatement:\n{sample.response}\n\n"
            'Reply as JSON: {"reason": "one short sentence", "supported": probability from 0 to 1}'
        )
        return (await judge.agenerate(prompt, Verdict)).supported

    async def ragas(sample: Sample) -> float:
        contexts = list(sample.retrieved_contexts)
        result = await faithfulness.ascore(
            user_input=sample.user_input, response=sample.response, retrieved_contexts=contexts
        )
        return float(result.value)

    def made(name: str, key: str, score: Callable[[Sample], Awaitable[float]]) -> Metric:
        return Metric(name=name, key=f"{key} {model.key}", due=lambda _: True, score=score)

    return (
        Scorer(metric=made("llm", "llm 1", ask), threshold=0.5, is_probability=True),
        Scorer(metric=made("ragas", f"ragas {VERSION} strict", ragas), threshold=0.5, is_probability=False),
    )


def _metric(name: str, score: Callable[[Sample], float]) -> Metric:
    async def at_once(sample: Sample) -> float:
        return score(sample)

    return Metric(name=name, key=None, due=lambda _: True, score=at_once)


def _length(sample: Sample) -> float:
    return math.exp(-len(words(sample.response)) / 20)


def _overlap(sample: Sample) -> float:
    return share_inside(content_words(sample.response), words(" ".join(sample.retrieved_contexts)))
