"""CLAPNQ: real questions, the passage that answers each, a written answer, and which sentences of it are the evidence.

The set (arXiv 2404.02103; Apache-2.0) is not part of Waymark; it is read from the folder of evaluation data. The
task here is to choose, given the written answer, the sentences of the passage that it rests on. Where two people
annotated a question, a sentence that either of them chose counts; the first answer is the one that is asked about.
Beside it stands a second task: to tell questions that their passage answers from those that it does not.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from eval.bootstrap import Interval, interval, ratio_interval
from rag.embed import Embedder
from rag.errors import QuestionSetError

ANSWERABLE = "data/clapnq/clapnq_dev_answerable.jsonl"
UNANSWERABLE = "data/clapnq/clapnq_dev_unanswerable.jsonl"
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One answerable question. `gold` are positions in `sentences`."""

    id: str
    question: str
    answer: str
    title: str
    sentences: tuple[str, ...]
    gold: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """Evidence chosen for every question. Shares, [0, 1], pooled over sentences and as means over questions.

    `f1` is of the pooled shares, `mean_f1` the harmonic mean of the mean precision and the mean recall, with its
    bootstrap interval over questions.
    """

    n: int
    precision: Interval
    recall: Interval
    f1: float
    mean_precision: float
    mean_recall: float
    mean_f1: Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question and its passage. The passage answers it, or does not."""

    question: str
    title: str
    passage: str
    answerable: bool


Chooser = Callable[[Item], frozenset[int]]


def load_items(folder: Path) -> tuple[Item, ...]:
    """The answerable questions in the file's order; those without evidence in the passage are left out.

    Raises:
        QuestionSetError: the set is not in the folder, or has another form.
    """
    return tuple(item for item in _read(folder / ANSWERABLE, _item) if item.gold)


def load_asked(folder: Path) -> tuple[Asked, ...]:
    """All questions with their passages, the answerable ones first.

    Raises:
        QuestionSetError: the set is not in the folder, or has another form.
    """
    answered = _read(folder / ANSWERABLE, lambda data: _asked(data, answerable=True))
    return (*answered, *_read(folder / UNANSWERABLE, lambda data: _asked(data, answerable=False)))


def _read(path: Path, make: Callable[[Any], Made]) -> list[Made]:
    try:
        return [make(json.loads(line)) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
        raise QuestionSetError(f"CLAPNQ cannot be read at {path}: {error!r}") from error


def _asked(data: Any, *, answerable: bool) -> Asked:  # Any: JSON
    passage = data["passages"][0]
    return Asked(
        question=data["input"], title=passage["title"], passage=passage["text"], answerable=answerable
    )


def _item(data: Any) -> Item:  # Any: JSON
    passage, outputs = data["passages"][0], data["output"]
    chosen = {_plain(sentence) for output in outputs for sentence in output["selected_sentences"]}
    sentences = tuple(_plain(sentence) for sentence in passage["sentences"])
    return Item(
        id=data["id"],
        question=data["input"],
        answer=_plain(outputs[0]["answer"]),
        title=passage["title"],
        sentences=sentences,
        gold=frozenset(n for n, sentence in enumerate(sentences) if sentence in chosen),
    )


def _plain(text: str) -> str:
    return " ".join(text.split())


def measure(items: Sequence[Item], choose: Chooser) -> Choice:
    """How well a chooser finds the evidence."""
    rows = []
    for item in items:
        chosen = choose(item)
        rows.append((len(chosen & item.gold), len(chosen), len(item.gold)))
    hits, chosen_n, gold_n = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    # A question for which nothing is chosen has no precision of its own; it still costs recall.
    some = chosen_n > 0
    precision, recall = (
        ratio_interval(list(hits[some]), list(chosen_n[some])),
        ratio_interval(list(hits), list(gold_n)),
    )
    mean_precision = float((hits[some] / chosen_n[some]).mean())
    mean_recall = float((hits / gold_n).mean())

    def of_means(drawn: npt.NDArray[np.int64]) -> float:
        few = drawn[some[drawn]]
        precise = float((hits[few] / chosen_n[few]).mean()) if few.size else 0.0
        return _harmonic(precise, float((hits[drawn] / gold_n[drawn]).mean()))

    return Choice(
        n=len(rows),
        precision=precision,
        recall=recall,
        f1=_harmonic(precision.mean, recall.mean),
        mean_precision=mean_precision,
        mean_recall=mean_recall,
        mean_f1=interval(of_means, n=len(rows)),
    )


def answerability(asked: Sequence[Asked], embedder: Embedder) -> dict[str, Interval]:
    """AUROC [0, 1] of the cosine of question and passage, with and without the passage's title."""
    truth = np.array([one.answerable for one in asked])

    def auroc(passages: Sequence[str]) -> Interval:
        pairs = zip(asked, passages, strict=True)
        cosines = [
            float(embedder.embed_query(one.question) @ embedder.embed_query(text)) for one, text in pairs
        ]
        scores = np.array(cosines)
        wins = (
            np.sign(scores[truth][:, None] - scores[~truth]) + 1
        ) / 2  # of each answerable over each other one

        def share_won(drawn: npt.NDArray[np.int64]) -> float:
            times = np.bincount(drawn, minlength=len(asked))
            ours, others = times[truth], times[~truth]
            return float(ours @ wins @ others / (ours.sum() * others.sum()))

        return interval(share_won, n=len(asked))

    return {
        "cosine of question and passage": auroc([one.passage for one in asked]),
        "cosine of question and passage with its title": auroc(
            [f"{one.title}. {one.passage}" for one in asked]
        ),
    }


def baselines(embedder: Embedder) -> dict[str, Chooser]:
    """What needs no checker: cosine with the question or the answer, every sentence, the first three."""

    def nearest(k: int, *, to_answer: bool) -> Chooser:
        def choose(item: Item) -> frozenset[int]:
            query = embedder.embed_query(item.answer if to_answer else item.question)
            cosines = np.array([embedder.embed_query(sentence) @ query for sentence in item.sentences])
            return frozenset(int(n) for n in np.argsort(-cosines, kind="stable")[:k])

        return choose

    return {
        "top 3 by cosine with the question": nearest(3, to_answer=False),
        "top 4 by cosine with the question": nearest(4, to_answer=False),
        "every sentence": lambda item: frozenset(range(len(item.sentences))),
        "the first three": lambda item: frozenset(range(min(3, len(item.sentences)))),
        "top 3 by cosine with the answer": nearest(3, to_answer=True),
        "top 4 by cosine with the answer": nearest(4, to_answer=True),
    }


def _harmonic(one: float, other: float) -> float:
    return 2 * one * other / (one + other) if one + other else 0.0
