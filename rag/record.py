"""The JSON form of an answer: what the command line, the batch, the page and the evaluation exchange.

Pure. Spans become `[start, end]`, empty pages become null; nothing else is renamed.
"""

from rag.schema import Answer, Citation, Passage, Span


def to_dict(answer: Answer) -> dict[str, object]:
    """Plain data that `json.dumps` takes."""
    return {
        "id": answer.id,
        "question": answer.question,
        "search_query": answer.search_query,
        "status": answer.status.value,
        "text": answer.text,
        "raw_text": answer.raw_text,
        "citations": [_citation(citation) for citation in answer.citations],
        "passages": [_passage(passage) for passage in answer.passages],
        "unknown_labels": list(answer.unknown_labels),
        "unsupported_spans": [_span(span) for span in answer.unsupported_spans],
        "warnings": list(answer.warnings),
        "evidence": round(answer.evidence, 4),
        "usage": {
            "prompt_tokens": answer.usage.prompt_tokens,
            "completion_tokens": answer.usage.completion_tokens,
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
        "references": [{"n": r.number, "title": r.title, "url": r.url} for r in citation.references],
    }


def _passage(passage: Passage) -> dict[str, object]:
    hit = passage.hit
    scores = hit.scores
    return {
        "label": passage.label,
        "source_id": hit.chunk.source_id,
        "title": hit.title,
        "heading_path": list(hit.chunk.heading_path),
        "text": hit.chunk.text,
        "scores": {
            "dense": round(scores.dense, 4),
            "lexical": round(scores.lexical, 4),
            "fused": round(scores.fused, 4),
            "rerank": scores.rerank,
        },
    }


def _span(span: Span) -> list[int]:
    return [span.start, span.end]
