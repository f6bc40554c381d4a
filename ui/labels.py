"""Words of the pages: text inside a label of Streamlit, whose Markdown must not be obeyed; counts. Pure."""

import re

_MEANS_SOMETHING = frozenset(r"\`*_{}[]()<>#+-.!|~:$&")
_WORD_JOINER = "\u2060"  # seen by nobody; what would be made a link even where it is escaped is none with it
_ADDRESS = re.compile(r"(?<=:)(?=//)|(?<=www)(?=\.)|(?<=@)", re.IGNORECASE)


def label(text: str) -> str:
    r"""Every character stands for itself, addresses too; line ends become blanks.

    >>> label("*a* [b](c)")
    '\\*a\\* \\[b\\]\\(c\\)'
    """
    folded = _ADDRESS.sub(_WORD_JOINER, " ".join(text.split()))
    return "".join(f"\\{c}" if c in _MEANS_SOMETHING else c for c in folded)


def counted(n: int, noun: str) -> str:
    """A number with its noun.

    >>> counted(1, "chunk"), counted(1200, "page")
    ('1 chunk', '1,200 pages')
    """
    return f"{n:,} {noun}{'' if n == 1 else 's'}"
