"""What the embedded checker sees of a statement and its evidence: a handful of readable measures.

Pure: cosines come in as an array. The evidence that counts is the sentence nearest to the statement and at most two
more that add words it lacks, since a statement may join what two sentences say.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from rag.embed import Vectors
from rag.ground.facts import Name, Number, missing_names, missing_numbers, numbers
from rag.ground.overreach import overstated, turned_round
from rag.ground.polarity import denials, flips
from rag.terms import distinct, terms

_JOINED = 3  # sentences that one statement may join
_ADDS = 0.08  # share of the statement's words that a further sentence must add
_NEAR = 0.25  # cosine that a further sentence must have: it speaks of the same
_FOLD = re.compile(r"[\W_]+")
_DENIES_AFTER = re.compile(r"\b(?:not|never|no|cannot|false|untrue|myth|n't)\b[^.!?]{0,40}$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """Shares are of the statement's weight in content words, [0, 1]; counts are capped so that none rules alone."""

    cosine: float  # of the statement and the nearest sentence
    held: float  # share of its words in the sentences that count
    order: float  # share of neighbouring word pairs that stand near each other there too
    no_number: float  # numbers that are not there, at most 2
    no_name: float  # names that are not there, at most 3
    flipped: float  # words of opposite sense, at most 2
    denied: float  # negations that the evidence does not have, at most 1
    strange: float  # content words that are not there, log(1 + count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """Features with what they rest on, for stance and reasons."""

    features: Features
    best: int | None  # position of the sentence that speaks of it most
    counted: tuple[int, ...]  # positions of the sentences that count, best first
    verbatim: bool
    numbers: tuple[Number, ...]  # of the statement, missing
    other_numbers: bool  # the evidence that counts has numbers where one is missing
    names: tuple[Name, ...]
    flipped: tuple[str, ...]
    overstated: tuple[str, ...] = ()  # absolutes that the evidence does not have
    turned_round: bool = False  # it compares the same things the other way round


def look(statement: str, evidence: Sequence[str], cosines: Vectors) -> Seen:
    """Measure one statement. `cosines`: `(sentences,)` of the statement with each sentence."""
    wanted = distinct(terms(statement))
    held = [frozenset(terms(sentence)) for sentence in evidence]
    counted = _count(wanted, held, cosines)
    texts = [evidence[n] for n in counted]
    no_numbers = missing_numbers(statement, texts)
    no_names = missing_names(statement, texts)
    flipped = flips(statement, texts[0]) if texts else ()
    denied = denials(statement) - denials(" ".join(texts))
    union: frozenset[str] = frozenset().union(*(held[n] for n in counted))
    features = Features(
        cosine=float(max(cosines, default=0.0)),
        held=_share(wanted, union),
        order=_order(terms(statement), [terms(text) for text in texts]),
        no_number=float(min(len(no_numbers), 2)),
        no_name=float(min(len(no_names), 3)),
        flipped=float(min(len(flipped), 2)),
        denied=float(min(max(denied, 0), 1)),
        strange=float(np.log1p(sum(word not in union for word in wanted))),
    )
    return Seen(
        features=features,
        best=counted[0] if counted else None,
        counted=tuple(counted),
        verbatim=_is_verbatim(statement, evidence),
        numbers=no_numbers,
        other_numbers=any(numbers(text) for text in texts),
        names=no_names,
        flipped=flipped,
        overstated=overstated(statement, texts),
        turned_round=turned_round(statement, texts),
    )


def _count(wanted: Sequence[str], held: Sequence[frozenset[str]], cosines: Vectors) -> list[int]:
    """The best sentence, then those that add enough of what is still missing."""
    if not held:
        return []
    scores: npt.NDArray[np.float64] = np.array(
        [0.5 * float(cosine) + 0.5 * _share(wanted, one) for cosine, one in zip(cosines, held, strict=True)]
    )
    order = [int(n) for n in np.argsort(-scores, kind="stable")]
    counted, union = [order[0]], held[order[0]]
    while len(counted) < _JOINED:
        gains = {
            n: _share(wanted, held[n] | union) - _share(wanted, union)
            for n in order
            if n not in counted and cosines[n] >= _NEAR
        }
        best = max(gains, key=lambda n: gains[n], default=None)
        if best is None or gains[best] < _ADDS:
            break
        counted.append(best)
        union |= held[best]
    return counted


def _share(wanted: Sequence[str], held: frozenset[str]) -> float:
    return sum(word in held for word in wanted) / len(wanted) if wanted else 0.0


def _order(said: Sequence[str], told: Sequence[Sequence[str]]) -> float:
    """Pairs of neighbouring words of the statement that stand within three words of each other, in that order."""
    pairs = list(pairwise(said))
    near = {(one, other) for words in told for n, one in enumerate(words) for other in words[n + 1 : n + 4]}
    return sum(pair in near for pair in pairs) / len(pairs) if pairs else 0.0


def _is_verbatim(statement: str, evidence: Sequence[str]) -> bool:
    """Whether the evidence holds the very words, and not right behind a denial."""
    said, told = _fold(statement), _fold(" ".join(evidence))
    at = told.find(said)
    return bool(said.strip()) and at >= 0 and not _DENIES_AFTER.search(told[:at].rstrip())


def _fold(text: str) -> str:
    return f" {_FOLD.sub(' ', text.lower()).strip()} "
