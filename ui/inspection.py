"""What the inspector shows of an answer, as rows for tables, from its record. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ui.display import Record

_SHORT = 90
Row = Mapping[str, Any]  # Any: what a table's cell may be


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    candidates: tuple[Row, ...]  # in the order of the labels
    cut: tuple[str, ...]  # what a language model did not get to read, in words
    facts: tuple[tuple[str, str], ...]


def inspect_answer(record: Record) -> Inspection:
    """Everything that is known of how an answer came about."""
    cited = {one["label"] for one in record.get("citations", ())}
    return Inspection(
        candidates=tuple(_candidate(one, cited) for one in record.get("passages", ())),
        cut=tuple(
            f"passage {one['label']}: {one['tokens']} tokens did not fit" for one in record.get("cut", ())
        ),
        facts=tuple((name, value) for name, value in _facts(record) if value),
    )


def _candidate(passage: Record, cited: set[int]) -> Row:
    scores = passage.get("scores", {})
    place = (passage.get("heading_path") or [passage.get("title", "")])[-1]
    return {
        "label": passage["label"],
        "cited": passage["label"] in cited,
        "place": place,
        "dense": scores.get("dense"),
        "lexical": scores.get("lexical"),
        "fused": scores.get("fused"),
        "rerank": scores.get("rerank"),
        "text": " ".join(str(passage.get("text", "")).split())[:_SHORT],
    }


def _facts(record: Record) -> list[tuple[str, str]]:
    timings, usage = record.get("timings", {}), record.get("usage", {})
    provenance = record.get("provenance", {})
    evidence = record.get("evidence")
    unknown = record.get("unknown_labels", ())
    return [
        ("status", str(record.get("status", ""))),
        ("evidence", "" if evidence is None else f"{evidence:.0%} probability that it can be answered"),
        ("asked as", str(record.get("standalone") or "")),
        ("searched for", str(record.get("search_query") or "")),
        ("retrieval", _seconds(timings.get("retrieve_s"))),
        ("first words", _seconds(timings.get("first_token_s"))),
        ("in all", _seconds(timings.get("total_s"))),
        ("answerer", str(provenance.get("generator") or "")),
        ("strategy", str(provenance.get("strategy") or "")),
        ("tokens read", str(usage.get("prompt_tokens") or "")),
        ("tokens written", str(usage.get("completion_tokens") or "")),
        ("ended by", str(usage.get("stop_reason") or "")),
        ("labels it made up", ", ".join(map(str, unknown))),
        ("seed", "" if provenance.get("seed") is None else str(provenance["seed"])),
        ("prompt", str(provenance.get("prompt_digest") or "")),
        ("embedder", str(provenance.get("embedder") or "")),
        ("index", str(provenance.get("index_id") or "")),
        ("settings", str(provenance.get("settings_digest") or "")),
        ("answer", str(record.get("id") or "")),
    ]


def _seconds(value: object) -> str:
    return f"{value * 1000:.0f} ms" if isinstance(value, int | float) else ""
