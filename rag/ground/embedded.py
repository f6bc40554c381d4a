"""The checker that needs no model beyond the embedder: likeness, words, numbers, names and negations.

A logistic model over `Features`. Its coefficients are fitted by `waymark eval fit-checker` and kept, with where they
come from, in `checker.json` beside this module. It knows no grammar and no world: it notices a changed number,
name or negation, what is simply not there, a plain absolute and a comparison turned round, but not a false conclusion
that keeps all the words: see the written set in eval/LOG.md.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from rag.embed import Embedder, Vectors
from rag.ground.features import Features, Seen, look
from rag.ground.support import Stance, Support
from rag.sentences import split_sentences

_MODEL = Path(__file__).with_name("checker.json")
_VERBATIM = 0.995  # a quote: what is left is that its context turns it round
_TOO_FAR = 0.1  # of what goes plainly further than the evidence, whatever its words
# A paraphrase: so near to one sentence in meaning, with so many of its words, and nothing that speaks against it.
# Chosen on eval/questions/written.jsonl; what it costs elsewhere is in eval/LOG.md.
_SAME_MEANING, _SAME_WORDS = 0.75, 0.4
_KEPT = 2048  # vectors: the sentences of an answer are checked against the same passages
_FEW = 0.5  # share of the words below which a reason says so


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckerModel:
    """Coefficients over `Features`, the threshold of support, and the record of the fit."""

    coefficients: Mapping[str, float]
    intercept: float
    threshold: float
    fitted: Mapping[str, object]


@cache
def load_model() -> CheckerModel:
    """The fitted model that ships with Waymark."""
    record = json.loads(_MODEL.read_bytes())
    return CheckerModel(
        coefficients=record["coefficients"],
        intercept=record["intercept"],
        threshold=record["threshold"],
        fitted=record["fitted"],
    )


class EmbeddedChecker:
    """`Checker` over an embedder. Safe to share between threads as far as the embedder is."""

    name = "embedded"

    def __init__(self, embedder: Embedder, *, model: CheckerModel | None = None) -> None:
        self._embed = lru_cache(maxsize=_KEPT)(embedder.embed_query)
        self._model = model or load_model()

    def check(self, statement: str, evidence: Sequence[str]) -> Support:
        return self.judge(self.look(statement, evidence))

    def look(self, statement: str, evidence: Sequence[str]) -> Seen:
        """What the check rests on; for fitting and for people who want to know why."""
        vectors = [self._embed(text) for text in (statement, *evidence)]
        return look(statement, evidence, _cosines(vectors[0], vectors[1:]))

    def choose(self, text: str, evidence: Sequence[str]) -> tuple[int, ...]:
        """Positions of the sentences that a text of one or more sentences rests on, in reading order."""
        counted = {n for span in split_sentences(text) for n in self.look(span.cut(text), evidence).counted}
        return tuple(sorted(counted))

    def judge(self, seen: Seen) -> Support:
        """From measures to probability, stance and reasons."""
        score = _VERBATIM if seen.verbatim else self._probability(seen.features)
        if not seen.verbatim and (seen.overstated or seen.turned_round):
            score = min(score, _TOO_FAR)
        elif _is_paraphrase(seen):
            score = max(score, self._model.threshold)
        supported = score >= self._model.threshold
        conflict = not supported and (seen.turned_round or self._conflicts(seen))
        return Support(
            score=score,
            stance=Stance.SUPPORTED if supported else Stance.CONTRADICTED if conflict else Stance.NOT_FOUND,
            evidence=seen.best,
            reasons=() if supported else _reasons(seen),
        )

    def _probability(self, features: Features) -> float:
        values = asdict(features)
        score = self._model.intercept + sum(
            weight * values[name] for name, weight in self._model.coefficients.items()
        )
        return 1 / (1 + math.exp(-score))

    def _conflicts(self, seen: Seen) -> bool:
        """Whether all of it would be supported, were it not for another number, an opposite or a denial."""
        features = seen.features
        rest = replace(features, no_number=0.0, flipped=0.0, denied=0.0)
        other = seen.other_numbers and features.no_number > 0
        differs = other or features.flipped > 0 or features.denied > 0
        return differs and self._probability(rest) >= self._model.threshold


def _is_paraphrase(seen: Seen) -> bool:
    features = seen.features
    against = seen.numbers or seen.names or seen.flipped or features.denied
    return not against and features.cosine >= _SAME_MEANING and features.held >= _SAME_WORDS


def _cosines(vector: Vectors, others: Sequence[Vectors] | Vectors) -> Vectors:
    return np.asarray([float(other @ vector) for other in others], dtype=np.float32)


def _reasons(seen: Seen) -> tuple[str, ...]:
    found = [f"the number {number.written} is not in the passage" for number in seen.numbers]
    found += [f"“{name.written}” is not in the passage" for name in seen.names]
    found += [f"“{word}” is more than the passage says" for word in seen.overstated]
    if seen.turned_round:
        found.append("the passage compares them the other way round")
    if seen.flipped:
        found.append(f"the passage uses “{seen.flipped[0]}” in the opposite sense")
    elif seen.features.denied:
        found.append("it denies something that the passage does not deny")
    if not found and seen.features.held < _FEW:
        found.append("the passage has few of its words")
    return tuple(found) or ("the passage does not clearly say this",)
