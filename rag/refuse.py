"""An honest refusal in words: that the evidence does not suffice, why, and what lies nearest.

Pure. The reason is what the gate saw, never a guess about the world.
"""

from collections.abc import Sequence

from rag.answer import DECLINED
from rag.contents import Contents
from rag.gate import Verdict
from rag.language import is_not_english
from rag.schema import Hit

_SHOWN = 3  # places
_NAMED, _FOREIGN = 4, 2  # words
_TOO_FAR = "is close enough to the rest of the question"
IN_ENGLISH = "The roadmap is in English and is searched in English; put the question in English."


def absence(contents: Contents | None, question: str) -> str:
    """What of the question itself, and not of the passages, is the reason; empty if nothing is."""
    if contents is not None and contents.absent:
        return contents.absent
    return IN_ENGLISH if is_not_english(question) else ""


def refusal_text(
    verdict: Verdict, hits: Sequence[Hit], *, commanded: bool = False, reason: str | None = None
) -> str:
    """The refusal that a person reads. A `reason` takes the place of the gate's."""
    lines = [f"{DECLINED} {reason or _reason(verdict, commanded=commanded)}"]
    nearest = _nearest(hits)
    if nearest:
        lines += ["", "What lies nearest:", *nearest]
    return "\n".join(lines)


def _reason(verdict: Verdict, *, commanded: bool) -> str:
    if commanded:
        return "Instructions inside a question are not followed, and no question of substance is left."
    wanted = f"gives the {verdict.detail} that is asked for" if verdict.detail else ""
    if verdict.missing:
        return f"They never mention {_listed(verdict.missing, _NAMED)}, and no passage {wanted or _TOO_FAR}."
    if wanted:
        return f"No passage near the question {wanted}."
    if verdict.foreign:
        return (
            f"They touch on the topic, but no passage near it speaks of {_listed(verdict.foreign, _FOREIGN)}."
        )
    return "They touch on its words, but no passage is close enough to what it asks."


def _listed(words: Sequence[str], limit: int) -> str:
    return ", ".join(f"“{word}”" for word in words[:limit])


def _nearest(hits: Sequence[Hit]) -> list[str]:
    seen: dict[str, str] = {}
    for hit in hits:
        place = hit.chunk.heading_path[-1] if hit.chunk.heading_path else hit.title
        seen.setdefault(place, " ".join(hit.chunk.text.split()))
    return [f"- {place}: {_shorten(text)}" for place, text in list(seen.items())[:_SHOWN]]


def _shorten(text: str, limit: int = 110) -> str:
    return text if len(text) <= limit else text[:limit].rsplit(" ", 1)[0] + " …"
