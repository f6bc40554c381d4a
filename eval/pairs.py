"""Labelled pairs of statement and evidence, for fitting and for measuring what checks groundedness.

Pure: texts in, pairs out, seeded. A pair is labelled by how it was made, not by a person: what a person wrote from
its evidence is supported; the same with a changed number, name or negation is not, nor is it by evidence of another
topic.
"""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import roc_auc_score

from eval.clapnq import Item
from eval.perturb import Change, find_names, perturb
from rag.ground import Checker
from rag.schema import Chunk
from rag.sentences import split_sentences
from rag.terms import words

ORIGINAL, SWAPPED, OTHERS, SECTION = "original", "swapped", "other sentences", "another section"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """`kind` is how it was made: original, number, name, negation, swapped, other sentences.

    Pairs with the same `of` come from one original.
    """

    statement: str
    evidence: tuple[str, ...]
    supported: bool
    kind: str
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A statement with the sentences that it was written from, and others near them that it was not."""

    statement: str
    evidence: tuple[str, ...]
    others: tuple[str, ...] = ()


def pairs_of(stated: Sequence[Stated], *, seed: int = 0) -> tuple[Pair, ...]:
    """Each statement with its evidence, changed with the same evidence, and as it is with evidence of another.

    Names are replaced by names of other evidence; "others" make pairs of their own.
    """
    names = names_of(text for one in stated for text in one.evidence)
    draw = random.Random(seed)  # noqa: S311 (a repeatable choice)
    return tuple(
        pair
        for n, one in enumerate(stated)
        for pair in (*_changed(one, n, names=names, seed=seed), *_elsewhere(one, n, stated, draw))
    )


def _changed(one: Stated, n: int, *, names: Sequence[str], seed: int) -> Iterator[Pair]:
    yield Pair(statement=one.statement, evidence=one.evidence, supported=True, kind=ORIGINAL, of=n)
    for change in Change:
        changed = perturb(one.statement, change, names=names, seed=seed)
        if changed is not None:
            yield Pair(statement=changed, evidence=one.evidence, supported=False, kind=change.value, of=n)


def _elsewhere(one: Stated, n: int, stated: Sequence[Stated], draw: random.Random) -> Iterator[Pair]:
    strangers = [other for other in stated if not set(other.evidence) & set(one.evidence)]
    if strangers:
        swapped = draw.choice(strangers).evidence
        yield Pair(statement=one.statement, evidence=swapped, supported=False, kind=SWAPPED, of=n)
    if one.others:
        yield Pair(statement=one.statement, evidence=one.others, supported=False, kind=OTHERS, of=n)


def answer_pairs(items: Sequence[Item], *, seed: int = 0) -> tuple[Pair, ...]:
    """CLAPNQ: the sentences of each written answer against the evidence chosen for it.

    The title of the passage is part of all evidence: whoever reads a passage sees it. The others are the sentences
    of the passage that nobody chose.
    """
    stated = []
    for item in items:
        gold = (item.title, *(item.sentences[n] for n in sorted(item.gold)))
        rest = tuple(s for n, s in enumerate(item.sentences) if n not in item.gold)
        for span in split_sentences(item.answer):
            if len(words(sentence := span.cut(item.answer))) > 1:  # stray quotation marks are no statements
                others = (item.title, *rest) if rest else ()
                stated.append(Stated(statement=sentence, evidence=gold, others=others))
    return pairs_of(stated, seed=seed)


def quote_pairs(items: Sequence[Item], *, seed: int = 0) -> tuple[Pair, ...]:
    """CLAPNQ: each evidence sentence, as it is and changed, against the whole passage."""
    return pairs_of(
        [
            Stated(statement=item.sentences[n], evidence=item.sentences)
            for item in items
            for n in sorted(item.gold)
        ],
        seed=seed,
    )


def check_pairs(checker: Checker, pairs: Sequence[Pair]) -> npt.NDArray[np.float64]:
    """`(pairs,)` scores of a checker."""
    return np.array([checker.check(pair.statement, pair.evidence).score for pair in pairs], dtype=np.float64)


def section_pairs(chunks: Sequence[Chunk], *, n: int = 500, seed: int = 0) -> tuple[Pair, ...]:
    """Sentences of one section against all sentences of a chunk of another part of the document."""
    draw = random.Random(seed)  # noqa: S311 (a repeatable choice)
    told = [
        (chunk, sentence) for chunk in chunks for sentence in _sentences(chunk) if len(words(sentence)) > 5
    ]
    pairs = []
    for of, (chunk, sentence) in enumerate(draw.sample(told, min(n, len(told)))):
        others = [one for one in chunks if one.heading_path[:1] != chunk.heading_path[:1]]
        evidence = tuple(_sentences(draw.choice(others)))
        pairs.append(Pair(statement=sentence, evidence=evidence, supported=False, kind=SECTION, of=of))
    return tuple(pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How the pairs of one kind fare. Shares, [0, 1].

    `right` are accepted originals or rejected others; `apart` are pairs of which the original is accepted and the
    other is not; `auroc` is of this kind against the originals. None where there are no originals.
    """

    kind: str
    n: int
    right: float
    apart: float | None
    auroc: float | None


def tell(pairs: Sequence[Pair], scores: npt.NDArray[np.float64], *, threshold: float) -> tuple[Told, ...]:
    """Results by kind, originals first."""
    originals = {pair.of: score for pair, score in zip(pairs, scores, strict=True) if pair.supported}
    found = []
    for kind in dict.fromkeys(pair.kind for pair in sorted(pairs, key=lambda pair: not pair.supported)):
        chosen = [(pair, score) for pair, score in zip(pairs, scores, strict=True) if pair.kind == kind]
        false = [(pair.of, score) for pair, score in chosen if not pair.supported]
        both = [originals[of] >= threshold > score for of, score in false if of in originals]
        labels = [True] * len(originals) + [False] * len(false)
        ranked = [*originals.values(), *(score for _, score in false)]
        found.append(
            Told(
                kind=kind,
                n=len(chosen),
                right=float(np.mean([(score >= threshold) == pair.supported for pair, score in chosen])),
                apart=float(np.mean(both)) if both else None,
                auroc=float(roc_auc_score(labels, ranked)) if both else None,
            )
        )
    return tuple(found)


def overall_auroc(pairs: Sequence[Pair], scores: npt.NDArray[np.float64]) -> float:
    """Of supported against all others."""
    return float(roc_auc_score([pair.supported for pair in pairs], scores))


def _sentences(chunk: Chunk) -> list[str]:
    start = chunk.span.start
    return [chunk.text[s.span.start - start : s.span.end - start] for s in chunk.sentences]


def names_of(texts: Iterable[str]) -> tuple[str, ...]:
    """The names in texts, each once."""
    return tuple(dict.fromkeys(name for text in texts for name in find_names(text)))
