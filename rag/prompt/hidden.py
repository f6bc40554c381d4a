"""The part of a reply in which a model reasons, taken out while the reply streams.

Pure: a state machine over single characters. What stands between `<think>` and `</think>`, or the like, is never
shown; a half-written tag is held back. A reply that ends inside has shown nothing of that part.
"""

import re
from dataclasses import dataclass, field

_NAMES = ("think", "thinking", "reasoning", "scratchpad")
_OPENING = tuple(f"<{name}>" for name in _NAMES)
_CLOSING = tuple(f"</{name}>" for name in _NAMES)
_TAGS = _OPENING + _CLOSING
_OPENS = re.compile("|".join(_OPENING), re.IGNORECASE)
_STRAY = re.compile(rf".*</(?:{'|'.join(_NAMES)})>\s*", re.IGNORECASE | re.DOTALL)


@dataclass(slots=True, kw_only=True)
class ReasoningFilter:
    """Feed it the pieces of a reply; what comes back may be shown."""

    inside: bool = False
    _tag: str = ""
    _bare: bool = True  # nothing shown yet: white space is left out
    _out: list[str] = field(default_factory=list)

    def feed(self, piece: str) -> str:
        for character in piece:
            self._take(character)
        return self._flush()

    def close(self) -> str:
        """What was held back when the reply ended."""
        self._release()
        return self._flush()

    def _flush(self) -> str:
        text = "".join(self._out)
        self._out.clear()
        return text

    def _take(self, c: str) -> None:
        tag = (self._tag + c).lower()
        if tag in _TAGS:
            self._tag = ""
            self.inside = tag in _OPENING
            self._bare = True
        elif any(known.startswith(tag) for known in _TAGS):
            self._tag += c
        elif self._tag:
            self._release()
            self._take(c)
        else:
            self._show(c)

    def _release(self) -> None:
        held, self._tag = self._tag, ""
        for c in held:
            self._show(c)

    def _show(self, c: str) -> None:
        if self.inside or (self._bare and c.isspace()):
            return
        self._bare = False
        self._out.append(c)


def without_reasoning(text: str) -> str:
    """A whole reply without its reasoning, also where the prompt had opened it already.

    >>> without_reasoning("so it is [1].</think> It is so [1].")
    'It is so [1].'
    """
    reader = ReasoningFilter()
    left = text if _OPENS.search(text) else _STRAY.sub("", text)
    return reader.feed(left) + reader.close()
