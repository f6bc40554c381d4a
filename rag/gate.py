"""The evidence gate: whether what was found is enough to answer, and if not, why.

A logistic model over a few readable features of the question and its hits. Scores alone cannot decide this (AUROC
0.57-0.65 on SQuAD 2.0), so they are joined by how much of the question's vocabulary the best passages hold. The
coefficients and the threshold are fitted on labelled questions by `waymark eval fit-gate` and kept, with where they
come from, in `gate.json` beside this module. Documents beside the roadmap have a gate of their own in
`gate_others.json`: among so many words a question always finds something that sounds like it.
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

from rag.query import Query, Wanted
from rag.retrieve import held_terms
from rag.schema import Hit
from rag.terms import distinct, terms

ROADMAP, OTHERS = "gate", "gate_others"  # the models that ship with Waymark
_LOOK = 5  # hits
_LOOK_CLOSELY = 3  # sentences
# What a question may ask for in particular, and what a sentence that tells it must show.
_DETAILS = (
    (
        re.compile(
            r"(?:^|[,.;:?!-] ?|\band )"
            r"how (?:many|much|long|large|big|small|old|often|fast|far|high|deep)\b"
            r"|\bwhen (?:was|were|did)\b|\b(?:what|which) (?:exact )?"
            r"(?:year|percentage|percent|share|fraction|number|size|ratio|value|version|date|price|accuracy)\b"
            r"|\b(?:percentage|learning rate|batch size|salary|price)\b",
            re.IGNORECASE,
        ),
        re.compile(
            r"\d|\b(?:two|three|four|five|six|seven|eight|nine|ten|dozens?|hundreds?|thousands?|millions?|billions?)\b",
            re.IGNORECASE,
        ),
    ),
    (re.compile(r"\b(?:formula|equation)s?\b", re.IGNORECASE), re.compile(r"[=∑√^]|theorem", re.IGNORECASE)),
    (
        re.compile(
            r"\bwho (?:wrote|invented|authored|discovered|proposed|introduced|published)\b|\bauthors?\b",
            re.IGNORECASE,
        ),
        re.compile(r"\bby [A-Z]|\b[A-Z]\w+ (?:introduced|proposed|invented|wrote)\b"),
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The features of the gate. Shares are of the question's term weight (inverse document frequency), [0, 1]."""

    dense: float  # cosine of the best chunk
    sentence: float  # cosine of the best sentence
    sentence_mean: float  # mean of the best three sentences
    held: float  # share of the terms in the best single passage with its headings
    names: float  # how many names the question holds that the index does not have, at most 2
    works: float  # 1 if it asks for sources
    no_detail: float  # 1 if it asks for a figure, a formula or an author and no best sentence has one
    followup: float  # 1 if it leans on earlier turns
    searched: float = (
        0.0  # natural logarithm of the chunks searched: among more of them, more sounds alike by chance
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`probability` that the question can be answered from what was found; calibrated on the fitting questions."""

    probability: float
    answer: bool
    missing: tuple[str, ...] = ()  # words of the question that no passage has
    no_detail: bool = False  # it asks for a figure, a formula or an author, and no close passage has one


@dataclass(frozen=True, slots=True, kw_only=True)
class GateModel:
    """Coefficients over `Evidence`, the threshold, and the record of the fit."""

    coefficients: Mapping[str, float]
    intercept: float
    threshold: float
    fitted: Mapping[str, object]


@cache
def load_gate(name: str = ROADMAP) -> GateModel:
    """A fitted model that ships with Waymark."""
    record = json.loads(Path(__file__).with_name(f"{name}.json").read_bytes())
    return GateModel(
        coefficients=record["coefficients"],
        intercept=record["intercept"],
        threshold=record["threshold"],
        fitted=record["fitted"],
    )


def weigh_evidence(
    query: Query,
    hits: Sequence[Hit],
    *,
    weigh: Callable[[str], float],
    names: Sequence[str] = (),
    searched: int = 1,
) -> Evidence:
    """The features of one question.

    `names` are those that the index does not have, `searched` is the number of chunks that the hits come from.
    """
    asked = distinct(terms(query.focus))
    if query.background:
        asked = distinct((*asked, *terms(query.background)))
    total = sum(weigh(term) for term in asked) or 1.0

    def share(held: frozenset[str]) -> float:
        return sum(weigh(term) for term in asked if term in held) / total

    held = [held_terms(hit.chunk) for hit in hits[:_LOOK]]
    scored = sorted(
        ((score, n, hit) for hit in hits for n, score in enumerate(hit.sentence_scores)), key=lambda s: -s[0]
    )
    sentences = [score for score, _, _ in scored]
    best = " ".join(_sentence(hit, n) for _, n, hit in scored[:_LOOK_CLOSELY])
    return Evidence(
        dense=max((hit.scores.dense for hit in hits), default=0.0),
        sentence=sentences[0] if sentences else 0.0,
        sentence_mean=sum(sentences[:3]) / len(sentences[:3]) if sentences else 0.0,
        held=max((share(one) for one in held), default=0.0),
        names=float(min(len(names), 2)),
        works=float(query.wanted is Wanted.WORKS),
        no_detail=float(any(asks.search(query.focus) and not has.search(best) for asks, has in _DETAILS)),
        followup=float(bool(query.background)),
        searched=math.log(max(searched, 1)),
    )


def _sentence(hit: Hit, position: int) -> str:
    span, start = hit.chunk.sentences[position].span, hit.chunk.span.start
    return hit.chunk.text[span.start - start : span.end - start]


def judge(
    evidence: Evidence,
    *,
    missing: Sequence[str] = (),
    threshold: float | None = None,
    model: GateModel | None = None,
) -> Verdict:
    """Answer or refuse, by the roadmap's gate or another model.

    `threshold` overrides the fitted one: 0 answers everything, 1 refuses everything.
    """
    model = model or load_gate()
    values = asdict(evidence)
    score = model.intercept + sum(weight * values[name] for name, weight in model.coefficients.items())
    probability = 1 / (1 + math.exp(-score))
    limit = model.threshold if threshold is None else threshold
    return Verdict(
        probability=probability,
        answer=probability >= limit,
        missing=tuple(missing),
        no_detail=bool(evidence.no_detail),
    )
