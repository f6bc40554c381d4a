"""Fitting the embedded checker: pairs from data that is not reported, and a logistic model over their features.

Two sources. What people wrote from the roadmap: the reference answers of a question set against the sentences that
they were written from. And prose of other fields, the corpora of chunking_evaluation: sentences reworded by rule
against the lines around them. Changed and swapped forms of both are the pairs without support. Kinds weigh the same
whatever their number, so a probability is one at even odds.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from eval.pairs import Pair, Stated
from eval.perturb import reword
from eval.questions import Question
from rag.errors import QuestionSetError
from rag.ground.features import Features, Seen
from rag.index.reader import Index
from rag.schema import Chunk
from rag.sentences import split_sentences
from rag.terms import words

CORPORA = "data/chunking_evaluation/corpora"
FILES = ("pubmed.md", "state_of_the_union.md", "wikitexts.md")  # those that are prose with capitals
WORKS_CITED = "works_cited"  # what is said of a list entry rests on its number, which is no part of its text
PER_FILE = 150  # sentences
REJECTED = (
    0.95  # share to reject of each kind without support: wrong support is worse than support that is missed
)
FOLDS = 10
INVERSE_PENALTY = 1.0  # C of the logistic regression over standardised features

Floats = npt.NDArray[np.float64]


class Looks(Protocol):
    """Whatever can say what a checker sees of a pair."""

    def look(self, statement: str, evidence: Sequence[str]) -> Seen: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Features `(n, features)`, labels, weights, kinds and the original of each row, `(n,)`."""

    features: Floats
    supported: npt.NDArray[np.bool_]
    weights: Floats
    groups: npt.NDArray[np.int64]
    kinds: npt.NDArray[np.str_]


def reference_statements(index: Index, questions: Sequence[Question]) -> Iterator[Stated]:
    """The sentences and key points of each reference answer with the chunks that hold its evidence.

    The others are the chunks of the same section that hold none.
    """
    chunks = [c for c in index.chunks(range(len(index))) if c.section_id != WORKS_CITED]
    for question in questions:
        wanted = [_plain(piece) for piece in question.evidence]
        gold = [c for c in chunks if any(piece in _plain(c.text) for piece in wanted)]
        if not question.answerable or not gold:
            continue
        others = [c for c in chunks if c.section_id == gold[0].section_id and c not in gold]
        told = [span.cut(question.reference) for span in split_sentences(question.reference)]
        told += [point for point in question.key_points if len(words(point)) > 2]
        for statement in told:
            yield Stated(statement=statement, evidence=_readable(gold), others=_readable(others))


def corpus_statements(folder: Path, *, seed: int = 0) -> Iterator[Stated]:
    """Reworded sentences of the corpora with the sentence itself and its two neighbours on each side.

    The others are up to five sentences of the same paragraph beyond them.

    Raises:
        QuestionSetError: the corpora are not in the folder of evaluation data.
    """
    draw = random.Random(seed)  # noqa: S311 (a repeatable choice)
    for name in FILES:
        path = folder / CORPORA / name
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except OSError as error:
            raise QuestionSetError(f"{path} cannot be read: {error}") from error
        found = [stated for line in lines for stated in _reworded(line)]
        yield from draw.sample(found, min(PER_FILE, len(found)))


def _reworded(line: str) -> Iterator[Stated]:
    sentences = tuple(span.cut(line) for span in split_sentences(line))
    for n, sentence in enumerate(sentences):
        new = reword(sentence) if 8 <= len(words(sentence)) <= 40 else None
        if new is not None:
            near, far = sentences[max(0, n - 2) : n + 3], sentences[n + 3 : n + 8]
            yield Stated(statement=new, evidence=near, others=far)


def sample(checker: Looks, *sources: Sequence[Pair]) -> Sample:
    """What the checker sees of every pair. In each source each kind weighs 1 in all, originals as much as the rest."""
    parts = [_sample(checker, pairs) for pairs in sources]
    shift = np.cumsum([0, *(part.groups.max() + 1 for part in parts)])
    return Sample(
        features=np.concatenate([part.features for part in parts]),
        supported=np.concatenate([part.supported for part in parts]),
        weights=np.concatenate([part.weights for part in parts]),
        kinds=np.concatenate([part.kinds for part in parts]),
        groups=np.concatenate([part.groups + add for part, add in zip(parts, shift, strict=False)]),
    )


def _sample(checker: Looks, pairs: Sequence[Pair]) -> Sample:
    kinds = [pair.kind for pair in pairs]
    n_false = len({pair.kind for pair in pairs if not pair.supported})
    return Sample(
        features=np.array(
            [list(asdict(checker.look(p.statement, p.evidence).features).values()) for p in pairs]
        ),
        supported=np.array([pair.supported for pair in pairs]),
        weights=np.array([(n_false if p.supported else 1.0) / kinds.count(p.kind) for p in pairs]),
        kinds=np.array(kinds),
        groups=np.array([pair.of for pair in pairs]),
    )


def fit_checker(data: Sample) -> dict[str, Any]:
    """The record of `rag/ground/checker.json`; the lowest threshold that rejects enough of every kind."""
    held_out = np.zeros(len(data.supported))
    for seen, unseen in GroupKFold(FOLDS).split(data.features, data.supported, data.groups):
        coefficients, intercept = _fit(data, seen)
        held_out[unseen] = 1 / (1 + np.exp(-(data.features[unseen] @ coefficients + intercept)))
    kinds = [data.kinds == kind for kind in sorted(set(data.kinds[~data.supported]))]
    threshold = max(float(np.quantile(held_out[chosen], REJECTED)) for chosen in kinds)
    coefficients, intercept = _fit(data, np.arange(len(data.supported)))
    names = Features.__dataclass_fields__
    auroc = roc_auc_score(data.supported, held_out, sample_weight=data.weights)
    return {
        "coefficients": dict(zip(names, (round(float(c), 5) for c in coefficients), strict=True)),
        "intercept": round(intercept, 5),
        "threshold": round(threshold, 4),
        "fitted": {
            "n_supported": int(data.supported.sum()),
            "n_not": int((~data.supported).sum()),
            "inverse_penalty": INVERSE_PENALTY,
            "cross_validated_auroc": round(float(auroc), 3),
            "supported_accepted": round(float((held_out[data.supported] >= threshold).mean()), 3),
            "rejected": {
                str(data.kinds[chosen][0]): round(float((held_out[chosen] < threshold).mean()), 3)
                for chosen in kinds
            },
        },
    }


def _fit(data: Sample, rows: npt.NDArray[np.int64]) -> tuple[Floats, float]:
    """Coefficients on the features as they are, and the intercept."""
    features, weights = data.features[rows], data.weights[rows]
    mean, scale = features.mean(axis=0), features.std(axis=0) + 1e-9
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=2000)
    model.fit(
        (features - mean) / scale, data.supported[rows], sample_weight=weights * len(rows) / weights.sum()
    )
    coefficients: Floats = model.coef_[0] / scale
    return coefficients, float(model.intercept_[0] - mean @ coefficients)


def _readable(chunks: Sequence[Chunk]) -> tuple[str, ...]:
    """The headings of chunks and their sentences, each with what must be known to read it."""
    found = []
    for chunk in chunks:
        start = chunk.span.start
        cut = [chunk.text[s.span.start - start : s.span.end - start] for s in chunk.sentences]
        found += [" › ".join(chunk.heading_path), *(s.context for s in chunk.sentences if s.context)]
        found += [s.shown or text for s, text in zip(chunk.sentences, cut, strict=True)]
    return tuple(dict.fromkeys(found))


def _plain(text: str) -> str:
    return " ".join(text.split())
