"""chunking_evaluation: how much of what answers a question do the first passages hold, and how much else?

The set of github.com/brandonstarxel/chunking_evaluation: five raw texts, 472 questions, 790 spans that answer them.
The measures are computed as its `base_evaluation.py` does, over ranges of characters of the raw texts ("tokens" in its
paper). Pure but for reading the set; knows neither chunker nor retriever.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rag.errors import QuestionSetError

FOLDER = "chunking_evaluation"
TUNED_ON = ("pubmed", "wikitexts")  # the two texts that Waymark's own weights were chosen on


class Range(NamedTuple):
    """Characters `[start, end)` of a raw text."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SpanQuestion:
    """A question and the ranges, all of one text, that answer it."""

    question: str
    text: str
    ranges: tuple[Range, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkingSet:
    texts: Mapping[str, str]  # name to raw text
    questions: tuple[SpanQuestion, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """Means over `n` questions, shares in percent; `chars` is the mean length of the first five passages together."""

    n: int
    recall_5: float
    recall_10: float
    precision_5: float
    iou_5: float
    chars_5: float


Passages = Sequence[Sequence[Range]]  # per question the retrieved passages, best first


def load_chunking(folder: Path | None) -> ChunkingSet:
    """Read the set from its folder.

    Raises:
        QuestionSetError: there is none, or it is not what it should be.
    """
    if folder is None:
        raise QuestionSetError(f"There is no folder {FOLDER} among the evaluation sets.")
    try:
        names = sorted((folder / "corpora").glob("*.md"))
        with (folder / "questions_df.csv").open(encoding="utf-8", newline="") as file:
            questions = tuple(_question(row) for row in csv.DictReader(file))
        texts = {path.stem: path.read_text(encoding="utf-8") for path in names}
    except (OSError, UnicodeDecodeError, KeyError, TypeError, ValueError) as error:
        raise QuestionSetError(f"{folder}: {type(error).__name__}: {error}") from error
    if lost := sorted({question.text for question in questions} - set(texts)) or not questions:
        raise QuestionSetError(f"{folder}: questions about texts that are not there: {lost}")
    return ChunkingSet(texts=texts, questions=questions)


def _question(row: Mapping[str, str]) -> SpanQuestion:
    name = row["corpus_id"]
    spans = json.loads(row["references"])
    ranges = tuple(Range(name, int(span["start_index"]), int(span["end_index"])) for span in spans)
    return SpanQuestion(question=row["question"], text=name, ranges=ranges)


def measure_passages(
    questions: Sequence[SpanQuestion],
    passages: Passages,
    *,
    of: Callable[[str], bool] = lambda text: True,
) -> Overlap:
    """The means over the questions about some of the texts."""
    chosen = [(one, found) for one, found in zip(questions, passages, strict=True) if of(one.text)]
    five = [overlap(one.ranges, found[:5]) for one, found in chosen]
    ten = [overlap(one.ranges, found[:10]) for one, found in chosen]
    return Overlap(
        n=len(chosen),
        recall_5=_mean(100 * recall for recall, _, _ in five),
        recall_10=_mean(100 * recall for recall, _, _ in ten),
        precision_5=_mean(100 * precision for _, precision, _ in five),
        iou_5=_mean(100 * iou for _, _, iou in five),
        chars_5=_mean(sum(one.end - one.start for one in found[:5]) for _, found in chosen),
    )


def overlap(wanted: Sequence[Range], found: Sequence[Range]) -> tuple[float, float, float]:
    """Recall, precision and intersection over union. What two passages both hold counts twice against them."""
    hit = _union(
        Range(one.text, max(one.start, other.start), min(one.end, other.end))
        for one in wanted
        for other in found
        if one.text == other.text and max(one.start, other.start) < min(one.end, other.end)
    )
    n_hit = _length(hit)
    n_missed = _length(_union(wanted)) - n_hit
    n_found = _length(found)
    return (
        n_hit / _length(wanted),
        n_hit / n_found if n_found else 0.0,
        n_hit / (n_found + n_missed) if n_found + n_missed else 0.0,
    )


def _length(ranges: Iterable[Range]) -> int:
    return sum(one.end - one.start for one in ranges)


def _union(ranges: Iterable[Range]) -> list[Range]:
    joined: list[Range] = []
    for one in sorted(ranges):
        last = joined[-1] if joined else None
        if last and last.text == one.text and one.start <= last.end:
            joined[-1] = last._replace(end=max(last.end, one.end))
        else:
            joined.append(one)
    return joined


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / len(found) if found else 0.0
