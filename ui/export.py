"""Answers and conversations as Markdown and JSON, for people to keep. Pure.

What documents and models wrote can neither load an image nor open a tag where the Markdown is shown.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from ui.conversations import AskedTurn
from ui.display import Evidence, Record, pages_text, shown

FORMAT = 1  # of the JSON


def answer_markdown(record: Record) -> str:
    """The answer with its sources, as it is copied."""
    answer = shown(record)
    return "\n".join([_inert(record["text"]), *_sources(answer.evidence)]).strip() + "\n"


def conversation_markdown(title: str, turns: Sequence[AskedTurn]) -> str:
    """A whole conversation to read."""
    parts = [f"# {_inert(title)}"]
    parts += [
        f"## {_inert(' '.join(turn.question.split()))}\n\n{answer_markdown(turn.record)}" for turn in turns
    ]
    return "\n\n".join(parts)


def conversation_json(title: str, turns: Sequence[AskedTurn]) -> str:
    """A whole conversation with the record of each answer, as `waymark ask --json` prints it."""
    record = {
        "format": FORMAT,
        "title": title,
        "turns": [
            {
                "question": turn.question,
                "asked_at": turn.created_at,
                "answer": turn.record,
                "feedback": None if turn.feedback is None else asdict(turn.feedback),
            }
            for turn in turns
        ],
    }
    return json.dumps(record, ensure_ascii=False, indent=1)


def candidates_jsonl(turns: Sequence[AskedTurn]) -> str:
    """Answers that people disliked, one JSON object a line: questions that an evaluation set may want."""
    lines = (
        {
            "question": turn.question,
            "standalone": turn.record.get("standalone", turn.question),
            "answer": turn.record.get("text", ""),
            "comment": turn.feedback.comment if turn.feedback else "",
            "answer_id": turn.record.get("id", ""),
            "provenance": turn.record.get("provenance", {}),
        }
        for turn in turns
    )
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def _sources(evidence: Sequence[Evidence]) -> Iterator[str]:
    if evidence:
        yield "\nSources\n"
    for one in evidence:
        path = " > ".join((one.title, *one.heading_path))
        yield f"{one.label}. {_inert(path)}{pages_text(one.pages)}"
        for quote in one.quotes:
            yield f"   > {_inert(' '.join(quote.split()))}"
        for work in one.works:
            yield f"   - rests on {work.number}. {_inert(work.title)}: <{_address(work.url)}>"


def _address(url: str) -> str:
    return "".join(c for c in url if c.isprintable() and c not in "<> ")


def _inert(text: str) -> str:
    return text.replace("<", "&lt;").replace("![", "!\\[")
