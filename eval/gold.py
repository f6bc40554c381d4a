"""Asking every gold question and adding up what the answers are worth.

The assistant is anything that answers; no index, model or command line is known here. A question that
raises is a failed row: it stays in every denominator and scores 0. Shares are pooled over their items
(evidence pieces, citations, questions) and come with a bootstrap interval over questions.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol, cast

import numpy as np

from eval import metrics
from eval.bootstrap import Interval, median_interval, ratio_interval
from eval.metrics import AnswerRecord, Tally
from eval.questions import Question

FAILED = "failed"
WORDS, RANK, PERCENT = "words", "0..1", "%"
MEDIAN_WORDS = "answer_words_median"
PRECISIONS = ("citation_section_precision", "quote_exactness", "citation_in_passages", "cited_answers")
METRICS = (
    *(f"evidence_recall_{budget}w" for budget in metrics.BUDGETS),
    "mrr", "answer_recall", "key_point_coverage", MEDIAN_WORDS, "citation_recall", *PRECISIONS,
    "references_any", "references_all",
    "abstention_recall", "injection_abstention", "answered_share", "refusal_precision",
)  # fmt: skip
PROVENANCE = ("index_id", "settings_digest", "embedder", "generator")  # named even where not recorded
_log = logging.getLogger(__name__)


class Reply(Protocol):
    def to_dict(self) -> Mapping[str, object]: ...


class GoldAssistant(Protocol):
    """What is measured. `document_text` is the text in which quote spans count."""

    def ask(self, question: str, *, history: Sequence[Mapping[str, str]]) -> Reply: ...

    def document_text(self, source_id: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldRow:
    """One question and what came of it. `failure` is empty unless asking or measuring raised."""

    question_id: str
    type: str
    status: str
    text: str
    tallies: Mapping[str, Tally]
    words: int | None  # of the answer; None where none was due or given
    latency_s: float  # wall clock
    evidence: float | None = None  # the gate's probability that the question can be answered
    provenance: Mapping[str, str] = field(default_factory=dict)
    failure: str = ""
    question: str = ""

    def to_dict(self) -> dict[str, object]:
        tallies = {name: [tally.hits, tally.total] for name, tally in self.tallies.items() if tally.total}
        return asdict(self) | {"tallies": tallies}


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A metric over some questions: value and interval in `unit`, pooled over `n_items`."""

    name: str
    unit: str
    interval: Interval
    n_items: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """The metrics of the questions of one type, or of all of them. What has no item is left out."""

    name: str
    n: int
    n_failed: int
    measured: Mapping[str, Measured]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldReport:
    overall: Group
    by_type: tuple[Group, ...]
    latency_median_s: float | None  # None where every question failed
    latency_p95_s: float | None
    provenance: Mapping[
        str, str
    ]  # whatever the answers record of themselves; several values joined by commas
    rows: tuple[GoldRow, ...]

    def to_dict(self) -> dict[str, object]:
        """Everything but the rows, as plain JSON values."""
        record = {name: value for name, value in asdict(self).items() if name != "rows"}
        return record | {"failures": {row.question_id: row.failure for row in self.rows if row.failure}}


def run_gold(
    assistant: GoldAssistant,
    questions: Sequence[Question],
    *,
    originals: Mapping[str, str] | None = None,
    on_row: Callable[[GoldRow], None] | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> GoldReport:
    """Ask the questions in order and report.

    `originals` maps file names to their text as published: quotes from those files must stand there, too.
    """
    rows: list[GoldRow] = []
    for question in questions:
        rows.append(_ask(assistant, question, originals=originals or {}, clock=clock))
        if on_row:
            on_row(rows[-1])
    return make_report(rows)


def make_report(rows: Sequence[GoldRow]) -> GoldReport:
    """Add up rows; types keep the order in which they first occur."""
    latencies = [row.latency_s for row in rows if not row.failure]
    median, p95 = (
        (float(value) for value in np.percentile(latencies, [50, 95])) if latencies else (None, None)
    )
    types = dict.fromkeys(row.type for row in rows)
    return GoldReport(
        overall=_group("all", rows),
        by_type=tuple(_group(name, [row for row in rows if row.type == name]) for name in types),
        latency_median_s=median,
        latency_p95_s=p95,
        provenance=join_provenance([row.provenance for row in rows]),
        rows=tuple(rows),
    )


def measure(
    question: Question, answer: AnswerRecord, *, documents: Mapping[str, str], originals: Mapping[str, str]
) -> dict[str, Tally]:
    """Every tally of one answer, by metric name."""
    citations, passages, text = answer["citations"], answer["passages"], answer["text"]
    any_named, all_named = metrics.references_named(question, citations)
    answered = answer["status"] == metrics.ANSWERED
    return {
        f"evidence_recall_{budget}w": metrics.evidence_recall(question, passages, budget=budget)
        for budget in metrics.BUDGETS
    } | {
        "mrr": metrics.reciprocal_rank(question, passages),
        "answer_recall": metrics.answer_recall(question, text),
        "key_point_coverage": metrics.key_point_coverage(question, text),
        "citation_recall": metrics.citation_recall(question, citations),
        "citation_section_precision": metrics.citation_section_precision(question, citations),
        "quote_exactness": metrics.quote_exactness(citations, documents, originals),
        "citation_in_passages": metrics.citations_in_passages(citations, passages),
        "cited_answers": Tally(hits=answered and bool(citations), total=answered),
        "references_any": any_named,
        "references_all": all_named,
        **metrics.abstention(question, answer["status"]),
    }


def _ask(
    assistant: GoldAssistant,
    question: Question,
    *,
    originals: Mapping[str, str],
    clock: Callable[[], float],
) -> GoldRow:
    started = clock()
    try:
        record = assistant.ask(question.question, history=question.history).to_dict()
        latency_s = clock() - started
        answer = cast("AnswerRecord", record)  # a record of another shape raises below and is a failed row
        _require_known_status(answer)
        sources = {citation["source_id"] for citation in answer["citations"]}
        documents = {source_id: assistant.document_text(source_id) for source_id in sorted(sources)}
        tallies = measure(question, answer, documents=documents, originals=originals)
        provenance = cast("Mapping[str, object]", record.get("provenance") or {})
        evidence = cast("float | None", record.get("evidence"))
    except Exception as error:  # noqa: BLE001 (a question that fails is a counted row)
        _log.info("gold question %s failed", question.id, exc_info=error)
        return _failed_row(question, failure=f"{type(error).__name__}: {error}", latency_s=clock() - started)
    due = question.answerable and answer["status"] == metrics.ANSWERED
    return GoldRow(
        question_id=question.id,
        type=question.type,
        status=answer["status"],
        text=answer["text"],
        tallies=tallies,
        words=metrics.answer_words(answer) if due else None,
        latency_s=latency_s,
        evidence=None if evidence is None else float(evidence),
        provenance={name: str(value) for name, value in provenance.items() if value not in (None, "")},
        question=question.question,
    )


def _require_known_status(answer: AnswerRecord) -> None:
    """Raise a ValueError for a status that is neither of the two."""
    if answer["status"] not in (metrics.ANSWERED, metrics.REFUSED):
        raise ValueError(f"unknown status {answer['status']!r}")


def _failed_row(question: Question, *, failure: str, latency_s: float) -> GoldRow:
    """A row that scores 0 of what was due: for precisions, of one citation that an answer should have had."""
    nothing = AnswerRecord(status=FAILED, text="", citations=(), passages=())
    tallies = measure(question, nothing, documents={}, originals={})
    if question.answerable:
        tallies |= {name: Tally(hits=0, total=1) for name in PRECISIONS}
    return GoldRow(
        question_id=question.id,
        type=question.type,
        status=FAILED,
        text="",
        tallies=tallies,
        words=None,
        latency_s=latency_s,
        failure=failure,
        question=question.question,
    )


def _group(name: str, rows: Sequence[GoldRow]) -> Group:
    found = {metric: _measured(metric, rows) for metric in METRICS}
    return Group(
        name=name,
        n=len(rows),
        n_failed=sum(bool(row.failure) for row in rows),
        measured={metric: value for metric, value in found.items() if value},
    )


def _measured(name: str, rows: Sequence[GoldRow]) -> Measured | None:
    if name == MEDIAN_WORDS:
        lengths = [row.words for row in rows if row.words is not None]
        if not lengths:
            return None
        return Measured(name=name, unit=WORDS, interval=median_interval(lengths), n_items=len(lengths))
    tallies = [row.tallies[name] for row in rows if row.tallies[name].total]
    if not tallies:
        return None
    unit, scale = (RANK, 1) if name == "mrr" else (PERCENT, 100)
    totals = [tally.total for tally in tallies]
    interval = ratio_interval([scale * tally.hits for tally in tallies], totals)
    return Measured(name=name, unit=unit, interval=interval, n_items=sum(totals))


def join_provenance(records: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """Every key that any answer records, with its distinct values in order."""
    names = dict.fromkeys((*PROVENANCE, *(name for record in records for name in record)))
    return {name: _joined(record.get(name, "") for record in records) for name in names}


def _joined(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(value for value in values if value))
