"""Inline markup off, reference marks out: what is left is the text as a reader sees it.

Pure; one line in, one line out. Superscript digits become marks with their offset; emphasis, code and dollar signs
go; white space is folded to single spaces.
"""

import re
from dataclasses import dataclass

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_TOKEN = re.compile(
    r"(?P<mark>[⁰¹²³⁴⁵⁶⁷⁸⁹]+)|\$(?P<maths>(?! )[^$\n]+(?<! ))\$(?!\d)|(?P<markup>\*\*|\*|`)|(?P<space>\s+)"
)
_LABEL = re.compile(r"\*\*([^*]+?):\*\*")
_COMMAND = re.compile(r"\\([A-Za-z]+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inline:
    """`marks` are (offset in `text`, reference number); `label` is the bold term before a colon, if any."""

    text: str
    marks: tuple[tuple[int, int], ...]
    label: str


def strip_inline(raw: str) -> Inline:
    """Take the markup off one line.

    >>> strip_inline("**ReLU:** fast.²⁵ Most `use` it.")
    Inline(text='ReLU: fast. Most use it.', marks=((11, 25),), label='ReLU')
    """
    parts: list[str] = []
    marks: list[tuple[int, int]] = []
    length, position = 0, 0

    def add(piece: str) -> None:
        nonlocal length
        if piece.startswith(" ") and (not parts or parts[-1].endswith(" ")):
            piece = piece[1:]
        if piece:
            parts.append(piece)
            length += len(piece)

    raw = raw.strip()
    for token in _TOKEN.finditer(raw):
        add(raw[position : token.start()])
        position = token.end()
        if token["mark"]:
            spaced = bool(parts) and parts[-1].endswith(" ")  # a mark belongs to the word before the space
            marks.append((length - spaced, int(token["mark"].translate(_SUPERSCRIPTS))))
        elif token["maths"]:
            add(" ".join(_COMMAND.sub(r"\1", token["maths"]).split()))  # a superscript in it is an exponent
        elif token["space"]:
            add(" ")
    add(raw[position:])
    opening = _LABEL.match(raw)
    label = re.sub(r"[*`]", "", opening[1]).strip() if opening else ""
    return Inline(text="".join(parts).strip(), marks=tuple(marks), label=label)
