"""A question of a conversation with what it was told, and words of it replaced by others."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question as it reads alone, what it is about (empty if nothing is known of that), and what it was told."""

    asked: str
    topic: str
    told: str = ""


def instead(last: Exchange, said: str) -> str:
    """The last question with something else in its topic's place; empty if it does not hold its topic."""
    if not last.topic:
        return ""
    place = re.search(rf"(?<!\w){re.escape(last.topic)}(?!\w)", last.asked, re.IGNORECASE)
    return put(last.asked, place, said) if place else ""


def put(question: str, found: re.Match[str], said: str) -> str:
    """The question with something else where the match stands."""
    return question[: found.start()] + said + question[found.end() :]
