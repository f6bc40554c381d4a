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

from rag.asked import Detail, untold_detail
from rag.query import Query, Wanted
from rag.retrieve import held_terms
from rag.schema import BlockKind, Hit
from rag.terms import distinct, terms

ROADMAP, OTHERS = "gate", "gate_others"  # the models that ship with Waymark
_LOOK = 5  # hits
_LOOK_CLOSELY = 5  # sentences


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The features of the gate. Shares are of the question's term weight (inverse document frequency), [0, 1]."""

    dense: float  # cosine of the best chunk
    sentence: float  # cosine of the best sentence
    sentence_mean: float  # mean of the best three sentences
    held: float  # share of the terms in the best single passage with its headings
    names: float  # how many of the names that the index does not have are written as such (LoRA, k-means), at most 2
    works: float  # 1 if it asks for sources, which sound less like a question than what cites them
    no_detail: float  # 1 if it asks for a particular, such as a date, and no close sentence has one
    foreign: float  # how much closer the best sentence is without the words that no close passage has
    # Natural logarithm of the chunks searched: among more of them, more sounds alike by chance.
    searched: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`probability` that the question can be answered from what was found; calibrated on the fitting questions."""

    probability: float
    answer: bool
    missing: tuple[str, ...] = ()  # words of the question that no passage has
    detail: Detail | None = None  # the particular that it asks for and no close sentence has
    foreign: tuple[str, ...] = ()  # words of the question that no close passage has


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


def weigh_evidence(  # noqa: PLR0913  each is a fact of its own about the question
    query: Query,
    hits: Sequence[Hit],
    *,
    weigh: Callable[[str], float],
    names: Sequence[str] = (),
    no_detail: bool = False,
    foreign: float = 0.0,
    searched: int = 1,
) -> Evidence:
    """The features of one question.

    `names` are those that the index does not have, `no_detail` says that `detail_missing` found one, `foreign` is the
    pull of the foreign words, `searched` the number of chunks that the hits come from.
    """
    asked = distinct(terms(query.focus))
    if query.background:
        asked = distinct((*asked, *terms(query.background)))
    total = sum(weigh(term) for term in asked) or 1.0

    def share(held: frozenset[str]) -> float:
        return sum(weigh(term) for term in asked if term in held) / total

    held = [held_terms(hit.chunk) for hit in hits[:_LOOK]]
    sentences = sorted((score for hit in hits for score in hit.sentence_scores), reverse=True)
    return Evidence(
        dense=max((hit.scores.dense for hit in hits), default=0.0),
        sentence=sentences[0] if sentences else 0.0,
        sentence_mean=sum(sentences[:3]) / len(sentences[:3]) if sentences else 0.0,
        held=max((share(one) for one in held), default=0.0),
        names=float(min(sum(_is_written_as_name(name, query.question) for name in names), 2)),
        works=float(query.wanted is Wanted.WORKS),
        no_detail=float(no_detail),
        foreign=foreign,
        searched=math.log(max(searched, 1)),
    )


def detail_missing(query: Query, hits: Sequence[Hit]) -> Detail | None:
    """The particular that a question asks for and that no close sentence tells. Who asks for works asks for none."""
    if query.wanted is Wanted.WORKS:
        return None
    scored = sorted(
        (
            (score, n, hit)
            for hit in hits
            for n, score in enumerate(hit.sentence_scores)
            if hit.chunk.sentences[n].kind is not BlockKind.ENTRY  # whose figures are of when it was accessed
        ),
        key=lambda s: -s[0],
    )
    return untold_detail(query.text, [_sentence(hit, n) for _, n, hit in scored[:_LOOK_CLOSELY]])


def _is_written_as_name(word: str, question: str) -> bool:
    """Whether a word that the index lacks is surely a name: LoRA, T5, k-means, a Lisbon that opens no question.

    In small letters it is a typing error as often; its pull as a foreign word tells them apart. "50k" is an amount.
    """
    if question.isupper() or word[0].isdigit():
        return False
    inside = word[1:] if question.startswith(word) else word
    in_parts = min(map(len, re.split(r"[-._]", word))) == 1 < len(word)
    return in_parts or any(letter.isupper() or letter.isdigit() for letter in inside)


def _sentence(hit: Hit, position: int) -> str:
    """A sentence with what must be known to read it out of place."""
    sentence, start = hit.chunk.sentences[position], hit.chunk.span.start
    return f"{sentence.context} {hit.chunk.text[sentence.span.start - start : sentence.span.end - start]}"


def judge(
    evidence: Evidence,
    *,
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
    )
