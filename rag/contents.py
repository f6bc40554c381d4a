"""Questions about how a document is built: which parts and sections it has, what one of them covers.

Pure over the question's words and the document's headings. What lies nearest to such a question in meaning is not what
answers it: the headings are, each with the sentence that opens it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.schema import Heading
from rag.terms import terms

_PART, _SECTION = re.compile(r"Part [IVXLC]+\b"), re.compile(r"Section \d+\b")
_NUMERALS = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
_DOCUMENT = r"(?:the |this |your |whole |entire |developer'?s )*(?:roadmap|document|guide)"
_HOW_BUILT = re.compile(
    r"\b(?:how many|list|name|enumerate|what are|which are|show(?: me)?) (?:(?:all|of|the|main|its|\w+teen|six) )*"
    r"(?:parts|sections|chapters)\b"
    rf"|\btable of contents\b|\b(?:structure|outline|contents|overview|summary|parts|sections) of {_DOCUMENT}\b"
    rf"|\b(?:summari[sz]e|outline) {_DOCUMENT}\b|\b{_DOCUMENT}'s (?:structure|outline|contents)\b"
    rf"|\bhow (?:is|was) {_DOCUMENT} (?:structured|organi[sz]ed|divided|split|built)\b"
    rf"|\bwhat(?:'s| is|s) {_DOCUMENT} about\b"
    rf"|\bwhat (?:topics |subjects |areas )?(?:does|do) {_DOCUMENT} (?:cover|contain)\b"
    rf"|\bwhat (?:topics|subjects|areas) are (?:covered )?(?:in|by) {_DOCUMENT}\b",
    re.IGNORECASE,
)
_ONE = re.compile(
    r"\b(?:(?P<kind>part|section|chapter) (?:number |no\.? ?|nr\.? ?|#)?(?P<of>[ivx]{1,4}|\d{1,2}(?:\.\d{1,2})*)"
    r"|(?P<bare>\d{1,2}\.\d{1,2}))\b(?!\.\d|%)",
    re.IGNORECASE,
)
# What such a question may say besides: another word, and it asks about something in the document.
_BESIDES = frozenset(
    terms(
        "roadmap document guide developer comprehensive text whole entire parts section chapter table content contents"
        " structure structured outline overview summary summarize summarise organized organised divided split built"
        " cover covered covers contain contains include about topic subject area main list name enumerate show tell"
        " explain describe give many total have discuss deal talk say says read write brief briefly short shortly"
        " six fifteen"
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The headings that answer, in the document's order, and how the list of them is introduced (or not)."""

    headings: tuple[Heading, ...]
    opening: str = ""


def contents_asked(question: str, headings: Sequence[Heading]) -> Contents | None:
    """What answers a question about the document's build; None where it asks something else.

    >>> from rag.schema import Span
    >>> part = Heading(section_id="part_I", level=1, title="Part I: Basics", span=Span(start=0, end=9))
    >>> contents_asked("How many parts are there?", [part]).opening
    'The roadmap has 1 part:'
    >>> contents_asked("How many parts does a transformer have?", [part])
    """
    named = _ONE.search(question)
    if not _asks_nothing_else(question):
        return None
    if named:
        return _one(_section_id(named), headings)
    if not _HOW_BUILT.search(question):
        return None
    by_section = re.search(r"\b(?:section|chapter)", question, re.IGNORECASE) is not None
    form, word = (_SECTION, "section") if by_section else (_PART, "part")
    found = tuple(heading for heading in headings if form.match(heading.title))
    if not found:
        return None
    return Contents(
        headings=found, opening=f"The roadmap has {len(found)} {word}{'s' if len(found) > 1 else ''}:"
    )


def names_its_place(question: str) -> bool:
    """Whether it asks about the document as a whole or a section by number: then it leans on no earlier question.

    >>> names_its_place("And part V?"), names_its_place("How many parts does it have?")
    (True, False)
    """
    named = _ONE.search(question)
    if not _asks_nothing_else(question):
        return False
    whole = _HOW_BUILT.search(question) and re.search(rf"\b{_DOCUMENT}\b", question, re.IGNORECASE)
    return bool(named or whole)


def _asks_nothing_else(question: str) -> bool:
    return set(terms(_ONE.sub(" ", question, count=1))) <= _BESIDES


def _section_id(named: re.Match[str]) -> str:
    number = (named["bare"] or named["of"]).upper()
    if (named["kind"] or "").lower() != "part":
        return number
    return f"part_{_NUMERALS[int(number)] if number.isdigit() and int(number) < len(_NUMERALS) else number}"


def _one(section_id: str, headings: Sequence[Heading]) -> Contents | None:
    """A section and those right below it."""
    own = next((heading for heading in headings if heading.section_id == section_id), None)
    if own is None:
        return None
    inside = [heading for heading in headings if heading is not own and own.span.holds(heading.span)]
    level = min((heading.level for heading in inside), default=0)
    return Contents(headings=(own, *(heading for heading in inside if heading.level == level)))
