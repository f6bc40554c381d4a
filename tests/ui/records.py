"""Records of answers for tests of the page, as `Answer.to_dict()` makes them."""

from typing import Any

from ingest.gather import ROADMAP_PATH

Record = dict[str, Any]


def citation(label: int = 1, **changes: Any) -> Record:
    """A citation of one sentence."""
    return {
        "label": label,
        "source_id": "s1",
        "title": "Guide",
        "path": "guide.txt",
        "url": None,
        "heading_path": ["Part I", "1.1. Training"],
        "pages": None,
        "quote": "Momentum helps.",
        "quote_span": [10, 25],
        "answer_spans": [[0, 15]],
        "support": 0.9,
        "references": [{"n": 44, "title": "LoRA", "url": "https://example.org/lora"}],
    } | changes


def passage(label: int = 1, **changes: Any) -> Record:
    """A passage with its scores."""
    return {
        "label": label,
        "source_id": "s1",
        "title": "Guide",
        "path": "guide.txt",
        "heading_path": ["Part I", "1.1. Training"],
        "pages": None,
        "text": "Momentum helps. So does rest.",
        "span": [10, 39],
        "scores": {"dense": 0.7, "lexical": 3.1, "fused": 0.8, "rerank": None},
    } | changes


def answer(**changes: Any) -> Record:
    """An answer of one cited sentence."""
    return {
        "id": "a1",
        "question": "Does momentum help?",
        "standalone": "Does momentum help?",
        "search_query": "Does momentum help?",
        "status": "answered",
        "text": "Momentum helps. [1]",
        "citations": [citation()],
        "passages": [passage()],
        "cut": [],
        "unknown_labels": [],
        "unsupported_spans": [],
        "warnings": [],
        "evidence": 0.93,
        "usage": {"prompt_tokens": 0, "completion_tokens": 0, "stop_reason": None},
        "timings": {"retrieve_s": 0.01, "first_token_s": 0.02, "total_s": 0.02},
        "provenance": {"index_id": "i", "embedder": "e", "generator": "extractive", "settings_digest": "d"},
    } | changes


def refusal(**changes: Any) -> Record:
    """A refusal with two near passages of one place and one of another."""
    return (
        answer(
            status="insufficient_evidence",
            text="The indexed documents do not answer this. They never mention “cup”.\n\nWhat lies nearest:\n- 1.1. …",
            citations=[],
            passages=[
                passage(1, path=ROADMAP_PATH),
                passage(2, path=ROADMAP_PATH),
                passage(
                    3,
                    path=ROADMAP_PATH,
                    heading_path=["Part II", "Section 4: Evaluation - Measuring What Matters"],
                    text="Measure it.",
                ),
            ],
        )
        | changes
    )
