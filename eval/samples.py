"""What a judge is shown of one answer: question, prose without marks, passages in label order, and the gold.

The mapping to Ragas: `user_input` is the question, `response` the answer's prose, `retrieved_contexts` the passages'
texts in label order, `reference` and `reference_contexts` the gold. Knows no metric and no judge.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from eval.gold import GoldAssistant
from eval.metrics import ANSWERED, answer_prose
from eval.questions import Question

_BEFORE_STOP = re.compile(r" ([.,;:!?])")
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One answered or refused question. `failure` is empty unless asking raised."""

    question_id: str
    type: str
    user_input: str
    response: str
    retrieved_contexts: tuple[str, ...]
    reference: str
    reference_contexts: tuple[str, ...]  # empty for a question that wants no answer
    answered: bool
    claims: tuple[
        tuple[str, tuple[str, ...]], ...
    ] = ()  # parts of the answer, each with the quotes behind it
    failure: str = ""

    def digest(self) -> str:
        """SHA-256 of all that a metric can see."""
        seen = {name: value for name, value in asdict(self).items() if name not in ("question_id", "type")}
        return hashlib.sha256(json.dumps(seen, sort_keys=True).encode()).hexdigest()


def ask_sample(
    assistant: GoldAssistant, question: Question, *, n_contexts: int
) -> tuple[Sample, Mapping[str, str]]:
    """Ask one question; gives the sample and what the answer records of itself.

    A question that raises is a sample with a failure: it stays in every count.
    """
    try:
        record: Mapping[str, Any] = assistant.ask(question.question, history=question.history).to_dict()
        sample = make_sample(question, record, n_contexts=n_contexts)
        provenance = record.get("provenance") or {}
    except Exception as error:  # noqa: BLE001 (a question that fails is a counted item)
        _log.info("question %s failed", question.id, exc_info=error)
        return _failed(question, f"{type(error).__name__}: {error}"), {}
    return sample, {name: str(value) for name, value in provenance.items() if value not in (None, "")}


def make_sample(question: Question, record: Mapping[str, Any], *, n_contexts: int) -> Sample:
    """From an answer's JSON record; the first `n_contexts` passages by label are shown."""
    answered = record["status"] == ANSWERED
    passages = sorted(record["passages"], key=lambda passage: int(passage["label"]))[:n_contexts]
    return Sample(
        question_id=question.id,
        type=question.type,
        user_input=question.question,
        response=_prose(record["text"]) if answered else "",
        retrieved_contexts=tuple(passage["text"] for passage in passages),
        reference=question.reference,
        reference_contexts=question.evidence,
        answered=answered,
        claims=tuple(_claims(record["text"], record["citations"])) if answered else (),
    )


def _claims(text: str, citations: Sequence[Mapping[str, Any]]) -> list[tuple[str, tuple[str, ...]]]:
    """Each cited part of the text with the quotes that stand behind it and the headings over them, in order."""
    behind: dict[tuple[int, int], list[str]] = {}
    for citation in citations:
        shown = [*citation.get("heading_path", ()), citation["quote"]]
        for start, end in citation.get("answer_spans", ()):
            behind.setdefault((start, end), []).extend(shown)
    parts = ((_prose(text[start:end]), tuple(behind[start, end])) for start, end in sorted(behind))
    return [(part, quotes) for part, quotes in parts if part]


def _prose(text: str) -> str:
    """A text in one line without its marks, and without the spaces that they leave before a stop."""
    return _BEFORE_STOP.sub(r"\1", " ".join(answer_prose(text).split()))


def _failed(question: Question, failure: str) -> Sample:
    return Sample(
        question_id=question.id,
        type=question.type,
        user_input=question.question,
        response="",
        retrieved_contexts=(),
        reference=question.reference,
        reference_contexts=question.evidence,
        answered=question.answerable,
        failure=failure,
    )
