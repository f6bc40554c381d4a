"""Where sentences begin and end in plain prose.

Pure: text in, half-open spans out. A sentence ends at `.`, `!` or `?` (with the quote or bracket that closes it)
before white space and something that can open a sentence. Abbreviations, initials, list numbers and names such as
"TensorFlow 2.x" do not end one. Nothing is lost: the spans cover every character that is not white space.
"""

import re

from rag.schema import Span

# A stop, what closes with it, then white space and a plausible opening. "e.g. the" never matches: lower case.
_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s+[\"'“‘(\[]*[^\sa-z,;:)\]])")
_NEVER_ENDS = frozenset(
    "e.g. i.e. etc. vs. cf. al. fig. figs. eq. eqs. sec. ch. no. nos. vol. pp. p. approx. resp. ca. st. "
    "dr. mr. mrs. ms. prof. inc. ltd. co. corp. dept. est. "
    "jan. feb. mar. apr. jun. jul. aug. sep. sept. oct. nov. dec.".split()
)
_LOOKED_BACK = 80  # characters; no abbreviation is longer
_INITIAL = re.compile(r"(?:^|[\s(.])[A-Z]\.$")
_NUMBERED = re.compile(r"^\(?\d{1,3}\.$")


def split_sentences(text: str) -> tuple[Span, ...]:
    """Split one paragraph. Spans leave out the white space around each sentence.

    >>> [s.cut("It works. Or not?") for s in split_sentences("It works. Or not?")]
    ['It works.', 'Or not?']
    """
    spans: list[Span] = []
    start = 0
    for stop in _END.finditer(text):
        if _ends_a_sentence(text[max(start, stop.end() - _LOOKED_BACK) : stop.end()]):
            _append(spans, text, start, stop.end())
            start = stop.end()
    _append(spans, text, start, len(text))
    return tuple(spans)


def _ends_a_sentence(sentence: str) -> bool:
    *_, last = sentence.rsplit(maxsplit=1)
    last = last.lstrip("\"'“‘([").lower()
    if last in _NEVER_ENDS or _INITIAL.search(sentence):
        return False
    return not _NUMBERED.match(sentence.strip())


def _append(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        first = start + piece.index(stripped[0])
        spans.append(Span(start=first, end=first + len(stripped)))
