"""What a language model wrote, made fit to be shown: no hidden characters, no images, no addresses of its own.

Pure. An address that the cited documents do not bring along could carry a question away or lead a person astray, so
links lose their address and keep their words. Code, between backticks or fences, stays: nothing follows it.
"""

import re
import unicodedata
from collections.abc import Collection

from rag.query import INVISIBLE

_REMOVED = "(link removed)"
_CODE = re.compile(r"(`{3,}.*?(?:`{3,}|\Z)|``.*?``|`[^`\n]*`)", re.DOTALL)
_IMAGE = re.compile(r"!\[([^\]\n]*)\](?:\([^)\n]*\)|\[[^\]\n]*\])?")
_DEFINITION = re.compile(r"^[ \t]{0,3}\[[^\]\n]+\]:[ \t]*<?(?:[\w+.-]+:|//|/|www\.)\S*.*$\n?", re.MULTILINE)
_LINK = re.compile(r"\[([^\]\n]*)\]\(\s*<?([^)\s>]*)>?[^)\n]*\)")
_BY_REFERENCE = re.compile(r"\[([^\]\n]*[^\]\d\s,;\-–][^\]\n]*)\]\[[^\]\n]*\]")
_TAG = re.compile(r"</?[a-z][^<>]*(?:>|(?=<)|\Z)", re.IGNORECASE)
_ACTIVE = re.compile(
    r"\b(?:src|href|srcset|action|background|style|on\w+)\s*=|^</?(?:a|img|script|iframe|svg)\b",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"(?:[a-z][a-z0-9+.-]{1,20}:)?//[^\s<>\"'`]+|\b(?:data|javascript|vbscript|mailto):[^\s<>\"'`]+|\bwww\.[^\s<>\"'`]+",
    re.IGNORECASE,
)
_AFTER = ".,;:!?)]}*_"  # closes a sentence or emphasis rather than an address


def visible(text: str) -> str:
    """Without control characters but line ends and tabs, and without what nobody sees; character by character."""
    return "".join(
        c
        for c in INVISIBLE.sub("", text)
        if c in "\n\t" or unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Co")
    )


def safe_markdown(text: str, *, cited: Collection[str] = ()) -> str:
    """Markdown without images, active tags, and addresses other than those of `cited`, outside code.

    >>> safe_markdown("See [this](https://evil.example/?q=1) ![x](https://evil.example/p).")
    'See this x.'
    """
    parts = _CODE.split(visible(text))
    return "".join(part if n % 2 else _without_addresses(part, cited) for n, part in enumerate(parts))


class AddressFilter:
    """Addresses kept out of a text while it streams: a word is held back until it ends. The same for any cut."""

    def __init__(self, cited: Collection[str] = ()) -> None:
        self._cited = cited
        self._word = ""

    def feed(self, piece: str) -> str:
        shown = ""
        for character in visible(piece):
            self._word += character
            if character.isspace():
                shown += self.close()
        return shown

    def close(self) -> str:
        """The word that was held back."""
        word, self._word = self._word, ""
        return _ADDRESS.sub(lambda m: _checked(m[0], self._cited), word)


def _without_addresses(text: str, cited: Collection[str]) -> str:
    before = None
    while before != text:  # what was taken out may have held two halves of another apart
        before = text
        text = _DEFINITION.sub("", _IMAGE.sub(r"\1", text))
        text = _LINK.sub(lambda m: m[0] if m[2] in cited else m[1], text)
        text = _BY_REFERENCE.sub(r"\1", text)
        text = _TAG.sub(lambda m: "" if _ACTIVE.search(m[0]) else m[0], text)
        text = _ADDRESS.sub(lambda m: _checked(m[0], cited), text)
    return text


def _checked(address: str, cited: Collection[str]) -> str:
    bare = address.rstrip(_AFTER)
    return address if bare in cited or address in cited else _REMOVED + address[len(bare) :]
