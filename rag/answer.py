"""An answer: its text, the citations behind it, the passages it was made from, and its JSON form.

Frozen values; they know no index and no model. The JSON is what the command line, the batch, the page and the
evaluation exchange.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from rag.passages import Window
from rag.schema import Hit, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What the indexed source of a cited work says of the sentence that cites it.

    The quote is the nearest that it has; with "not_found" it only shows where the search ended.
    """

    verdict: Literal["agrees", "differs", "not_found"]
    source_id: str
    title: str
    path: str
    quote: str
    quote_span: Span  # in the source's text
    heading_path: tuple[str, ...]
    pages: tuple[int, ...]
    score: float  # [0, 1]: probability that the source says all of it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A work as an answer names it; `says` where its source is indexed."""

    number: int
    title: str
    url: str
    says: Says | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A hit as an answer shows it. Labels are 1-based; in an extractive answer those that it cites come first.

    Where a language model answers, `window` is what it read around the hit, or would have read had there been room.
    """

    label: int
    hit: Hit
    pages: tuple[int, ...] = ()
    window: Window | None = None

    @property
    def text(self) -> str:
        return self.window.text if self.window else self.hit.chunk.text

    @property
    def span(self) -> Span:
        """Of `text` in its document."""
        return self.window.span if self.window else self.hit.chunk.span


@dataclass(frozen=True, slots=True, kw_only=True)
class Citation:
    """A verbatim quote that stands behind part of an answer."""

    label: int  # of its passage
    source_id: str
    title: str
    path: str
    url: str | None
    heading_path: tuple[str, ...]
    pages: tuple[int, ...]
    quote: str
    quote_span: Span  # in the document
    answer_spans: tuple[Span, ...]  # in `Answer.text`: what the quote stands behind
    support: float | None  # [0, 1]; None if nothing checked it
    references: tuple[Reference, ...]

    def to_dict(self) -> dict[str, object]:
        """The citation as it stands in the answer's `to_dict`."""
        return _citation(self)


EXTRACTIVE = "extractive"  # the generator that writes nothing of its own
WAYMARK = "waymark"  # the generator of what is no answer from documents: a greeting returned, what Waymark is
DECLINED = "The indexed documents do not answer this."  # how a refusal begins


class AnswerStatus(StrEnum):
    ANSWERED = "answered"
    INSUFFICIENT_EVIDENCE = "insufficient_evidence"


@dataclass(frozen=True, slots=True, kw_only=True)
class Timings:
    """Seconds on the monotonic clock, from the question on."""

    retrieve_s: float
    first_token_s: float
    total_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """Enough to repeat an answer."""

    index_id: str
    embedder: str  # name@revision
    generator: str
    settings_digest: str
    strategy: str | None = (
        None  # how a language model was asked; these three are None for an extractive answer
    )
    prompt_digest: str | None = None  # 12 hex digits of the templates
    seed: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a language model read and wrote; zeros for an extractive answer."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    stop_reason: str | None = None  # "eos", "length" or "cancelled"


NO_USAGE = Usage()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """A passage that was found and did not fit into the prompt, as a whole or in part."""

    label: int  # of the passage
    tokens: int  # how many were left out, in the generator's own pieces


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, or an honest refusal with the nearest passages."""

    id: str
    question: str
    standalone: (
        str  # the question as it reads without the turns before it; the same where it already stands alone
    )
    search_query: str  # what was searched for: stand-alone, spelling mended
    status: AnswerStatus
    text: str
    raw_text: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    cut: tuple[Cut, ...]  # what the language model did not get to read; empty for an extractive answer
    unknown_labels: tuple[int, ...]
    unsupported_spans: tuple[Span, ...]
    warnings: tuple[str, ...]
    usage: Usage
    timings: Timings
    provenance: Provenance
    evidence: float  # probability that the question can be answered from the passages

    def to_dict(self) -> dict[str, object]:
        """The answer as plain data that `json.dumps` takes, the same for every surface.

        Spans become `[start, end]`, empty pages become null; nothing else is renamed.
        """
        return _answer(self)


def _answer(answer: Answer) -> dict[str, object]:
    return {
        "id": answer.id,
        "question": answer.question,
        "standalone": answer.standalone,
        "search_query": answer.search_query,
        "status": answer.status.value,
        "text": answer.text,
        "raw_text": answer.raw_text,
        "citations": [_citation(citation) for citation in answer.citations],
        "passages": [_passage(passage) for passage in answer.passages],
        "cut": [{"label": cut.label, "tokens": cut.tokens} for cut in answer.cut],
        "unknown_labels": list(answer.unknown_labels),
        "unsupported_spans": [_span(span) for span in answer.unsupported_spans],
        "warnings": list(answer.warnings),
        "evidence": round(answer.evidence, 4),
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "completion_tokens": answer.usage.completion_tokens,
            "stop_reason": answer.usage.stop_reason,
        },
        "timings": {
            "retrieve_s": round(answer.timings.retrieve_s, 4),
            "first_token_s": round(answer.timings.first_token_s, 4),
            "total_s": round(answer.timings.total_s, 4),
        },
        "provenance": {
            "index_id": answer.provenance.index_id,
            "embedder": answer.provenance.embedder,
            "generator": answer.provenance.generator,
            "settings_digest": answer.provenance.settings_digest,
            "strategy": answer.provenance.strategy,
            "prompt_digest": answer.provenance.prompt_digest,
            "seed": answer.provenance.seed,
        },
    }


def _citation(citation: Citation) -> dict[str, object]:
    return {
        "label": citation.label,
        "source_id": citation.source_id,
        "title": citation.title,
        "path": citation.path,
        "url": citation.url,
        "heading_path": list(citation.heading_path),
        "pages": list(citation.pages) or None,
        "quote": citation.quote,
        "quote_span": _span(citation.quote_span),
        "answer_spans": [_span(span) for span in citation.answer_spans],
        "support": citation.support,
        "references": [_reference(reference) for reference in citation.references],
    }


def _reference(reference: Reference) -> dict[str, object]:
    says = reference.says
    return {
        "n": reference.number,
        "title": reference.title,
        "url": reference.url,
        "says": None
        if says is None
        else {
            "verdict": says.verdict,
            "source_id": says.source_id,
            "title": says.title,
            "path": says.path,
            "quote": says.quote,
            "quote_span": _span(says.quote_span),
            "heading_path": list(says.heading_path),
            "pages": list(says.pages) or None,
            "score": round(says.score, 4),
        },
    }


def _passage(passage: Passage) -> dict[str, object]:
    hit = passage.hit
    scores = hit.scores
    return {
        "label": passage.label,
        "source_id": hit.chunk.source_id,
        "title": hit.title,
        "path": hit.path,
        "heading_path": list(hit.chunk.heading_path),
        "pages": list(passage.pages) or None,
        "text": passage.text,
        "span": _span(passage.span),
        "scores": {
            "dense": round(scores.dense, 4),
            "lexical": round(scores.lexical, 4),
            "fused": round(scores.fused, 4),
            "rerank": scores.rerank,
        },
    }


def _span(span: Span) -> list[int]:
    return [span.start, span.end]
