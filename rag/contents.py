"""Questions about how a document is built: its parts and sections, what one of them covers or cites, where a topic is.

Pure over the question's words and the document's headings. What lies nearest to such a question in meaning is not what
answers it: the headings are, each with a sentence that stands under it. `rag.places` finds those.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.schema import Heading
from rag.terms import terms

_PART, _SECTION = re.compile(r"Part [IVXLC]+\b"), re.compile(r"Section \d+\b")
_NUMBER = re.compile(r"^(?:Part [IVXLC]+: |Section \d+: |\d+(?:\.\d+)*\. )")
_NUMERALS = ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X")
DOCUMENT = r"(?:the |this |your |whole |entire |developer'?s )*(?:roadmap|document|guide)"
_HOW_BUILT = re.compile(
    r"\b(?:how many|list|name|enumerate|what are|which are|show(?: me)?) (?:(?:all|of|the|main|its|\w+teen|six) )*"
    r"(?:parts|sections|chapters)\b"
    rf"|\btable of contents\b|\b(?:structure|outline|contents|overview|summary|parts|sections) of {DOCUMENT}\b"
    rf"|\b(?:summari[sz]e|outline|tl;?dr(?: of)?) {DOCUMENT}\b|\b{DOCUMENT}'s (?:structure|outline|contents)\b"
    rf"|\bhow (?:is|was) {DOCUMENT} (?:structured|organi[sz]ed|divided|split|built)\b"
    rf"|\bwhat(?:'s| is|s) {DOCUMENT} about\b"
    rf"|\bwhat (?:topics |subjects |areas )?(?:does|do) {DOCUMENT} (?:cover|contain)\b"
    rf"|\bwhat (?:topics|subjects|areas) are (?:covered )?(?:in|by) {DOCUMENT}\b",
    re.IGNORECASE,
)
_ITS_TITLE = re.compile(
    rf"\b(?:title|name) of {DOCUMENT}\b|\b{DOCUMENT}'s (?:title|name)\b|\b{DOCUMENT} called\b", re.IGNORECASE
)
_KIND = r"(?P<kind>part|section|chapter)"
_ONE = re.compile(
    rf"\b(?:(?:sub)?{_KIND} (?:number |no\.? ?|nr\.? ?|#)?(?P<of>[ivx]{{1,4}}|\d{{1,2}}(?:\.\d{{1,2}})*)"
    r"|(?P<bare>\d{1,2}\.\d{1,2}))\b(?!\.\d|%)",
    re.IGNORECASE,
)
_OF = r"(?:[ivx]{1,4}|\d{1,2}(?:\.\d{1,2})*)"
_TWO = re.compile(
    rf"\b(?P<kind>part|section|chapter)s? (?P<one>{_OF}) (?:and|or|to|with|from|vs\.?|versus) "
    rf"(?:(?:part|section|chapter) )?(?P<other>{_OF})\b",
    re.IGNORECASE,
)
_ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth".split()
_BY_PLACE = re.compile(rf"\b(?P<place>{'|'.join(_ORDINALS)}|last|final) {_KIND}\b", re.IGNORECASE)
_AFTER = re.compile(r"\b(?:after|follows?|following)\b", re.IGNORECASE)
_BEFORE = re.compile(r"\b(?:before|precedes?|preceding)\b", re.IGNORECASE)
_TITLE = re.compile(r"\b(?:title|titled|called|named|name|heading)\b", re.IGNORECASE)
_HOW_MANY = re.compile(r"\bhow many (?:sub-?)?(?:parts|sections|chapters)\b", re.IGNORECASE)
_BEGINS = re.compile(
    r"(?:so |and |but )?(?:where|how|what|with what|which (?:part|section|topic))"
    r"(?: (?:should|do|can|could|would|must|to|is|a|the|best|place|topic|thing|beginner|i|we|you|one|someone))*"
    r" (?:start|begin|get started|(?:start |begin )?(?:learn|study|read)(?:ing)?(?: first)?|do first)"
    rf"(?: (?:first|with|from|learning|studying|reading|in|at|{DOCUMENT}))*",
    re.IGNORECASE,
)
_FIRST = re.compile(r"\b(?:start|begin|started|first)\b", re.IGNORECASE)
_WORKS = re.compile(
    r"\b(?:works?|sources?|references?|cit(?:e|es|ed|ations?)|bibliography|links?|urls?|footnotes?)\b",
    re.IGNORECASE,
)
_CITING = re.compile(
    r"(?:(?:in )?(?:which|what) (?:part|section|chapter|place)s? (?:cites?|refers? to|rests? on|uses?)"
    rf"|where (?:in {DOCUMENT} )?(?:is|does {DOCUMENT} cite))"
    r" (?:the )?(?:work|reference|source|citation|entry)s? (?:number |no\.? ?|nr\.? ?|#)?\[?(?P<work>\d{1,3})\]?"
    rf"(?: (?:cited|used|mentioned|referenced|referred to))?(?: in {DOCUMENT})?",
    re.IGNORECASE,
)
# What such a question may say besides: another word, and it asks about something in the document.
_BESIDES = frozenset(
    terms(
        "roadmap document guide developer comprehensive text whole entire parts section subsection chapter table"
        " content contents structure structured outline overview summary summarize summarise organized organised"
        " divided split built cover covered covers contain contains include about topic subject area main list name"
        " enumerate show tell explain describe give many total have discuss deal talk say says read write"
        " brief briefly short shortly title titled called named heading one three four five six fifteen"
        " sentence word line bullet point paragraph tl tldr dr comes follow follows following precede precedes"
        " preceding next difference differ compare comparison contrast between versus vs relate relation"
    )
)
_BESIDES_WORKS = _BESIDES | frozenset(
    terms(
        "work source reference cite cites cited citing citation bibliography link url footnote back backs support"
        " supports behind rest rests base based used paper count number"
    )
)

# --- where a topic stands -------------------------------------------------------------------------------------------

_PLACES = rf"(?:part|section|chapter|place)s?(?: (?:of|in) {DOCUMENT})?"
_TREATS = (
    r"(?:covers?|discuss(?:es)?|explains?|describes?|mentions?|treats?|introduces?|teach(?:es)?|addresses|address"
    r"|deals? with|talks? about|touch(?:es)? on|(?:is|are) (?:all )?about|(?:is|are) on|speaks? of)"
)
_TREATED = (
    r"(?:covered|discussed|explained|described|mentioned|introduced|treated|addressed|taught|talked about)"
)
_IN_IT = rf"(?: (?:in|by) {DOCUMENT})?"
_SPEAKS = rf"(?:you|it|{DOCUMENT})"
_WHERE = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:in )?(?:which|what) {_PLACES} {_TREATS} (?P<topic>.+)",
        rf"(?:in )?(?:which|what) {_PLACES} (?:does|do) {_SPEAKS} {_TREATS} (?P<topic>.+)",
        rf"(?:in )?(?:which|what) {_PLACES} (?:is|are) (?P<topic>.+?) {_TREATED}{_IN_IT}",
        rf"(?:in )?(?:which|what) {_PLACES} (?:is|are) (?P<topic>.+?) (?:in|from)",
        rf"where (?:in {DOCUMENT} )?(?:is|are) (?P<topic>.+?) {_TREATED}{_IN_IT}",
        rf"where (?:in {DOCUMENT} )?(?:does|do) {_SPEAKS} {_TREATS} (?P<topic>.+)",
        rf"where (?:in {DOCUMENT} )?(?:can|could|do) i read (?:more |something )?(?:about|on) (?P<topic>.+)",
    )
)
_WHETHER = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"(?:is|are) there (?:a|any|an) {_PLACES} (?:on|about|for|covering|dealing with|dedicated to|that {_TREATS})"
        r" (?P<topic>.+)",
        rf"(?:does|do) {_SPEAKS} (?:also |ever |even )?"
        rf"(?:{_TREATS}|have (?:a section |anything |something )?(?:on|about)) (?P<topic>.+)",
        rf"(?:is|are) (?P<topic>.+?) {_TREATED} (?:in|by) {DOCUMENT}",
    )
)
_ASIDE = re.compile(
    r" \(about (?P<topic>[^()]+)\)(?=\W*$)"
)  # as a follow-up that only points is made to stand alone
_LAST_WORDS = re.compile(rf"(?:{_IN_IT}|(?: at all| anywhere| please|[?.! ]))+$", re.IGNORECASE)


class Tells(StrEnum):
    """What of the headings answers."""

    OPENINGS = "openings"  # each with the sentence that opens what stands under it
    MENTIONS = "mentions"  # with the first sentence that holds the topic, or that cites the work
    WORKS = "works"  # what is cited under it


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """The headings that answer, in the document's order, and how the list of them is introduced (or not).

    Without headings, `absent` says what the document does not have.
    """

    headings: tuple[Heading, ...] = ()
    opening: str = ""
    tells: Tells = Tells.OPENINGS
    titled: bool = False  # a single heading is shown too
    topic: str = ""  # what is looked for, in the question's words
    work: int | None = None  # whose citing is looked for
    absent: str = ""


def contents_asked(question: str, headings: Sequence[Heading], *, title: str = "") -> Contents | None:
    """What answers a question about the document's build; None where it asks something else.

    Where it asks for a topic or a work, the headings still have to be found.

    >>> from rag.schema import Span
    >>> part = Heading(section_id="part_I", level=1, title="Part I: Basics", span=Span(start=0, end=9))
    >>> contents_asked("How many parts are there?", [part]).opening
    'The roadmap has 1 part:'
    >>> contents_asked("How many parts does a transformer have?", [part])
    """
    if (looked_for := _looked_for(question)) is not None:
        return looked_for
    if _BEGINS.fullmatch(question.strip(" ?!.")) and _FIRST.search(question):
        return _beginning(headings)
    question = _numbered(question, headings)
    return (
        _two(question, headings) or _told_by_number(question, headings) or _whole(question, headings, title)
    )


def without_number(title: str) -> str:
    """A heading's own words.

    >>> without_number("9.2. Parameter-Efficient Fine-Tuning")
    'Parameter-Efficient Fine-Tuning'
    """
    return _NUMBER.sub("", title)


def names_its_place(question: str) -> bool:
    """Whether it asks about the document as a whole or a section by number: then it leans on no earlier question.

    >>> names_its_place("And part V?"), names_its_place("How many parts does it have?")
    (True, False)
    """
    named = _ONE.search(question)
    if not _says_only(question, _BESIDES_WORKS if _WORKS.search(question) else _BESIDES):
        return False
    whole = _asks_of_the_whole(question) and re.search(rf"\b{DOCUMENT}\b", question, re.IGNORECASE)
    return bool(named or whole)


def _asks_of_the_whole(question: str) -> bool:
    return bool(_HOW_BUILT.search(question) or _ITS_TITLE.search(question))


def _says_only(question: str, besides: frozenset[str]) -> bool:
    return set(terms(_ONE.sub(" ", question, count=1))) <= besides


def _looked_for(question: str) -> Contents | None:
    """A place asked for by topic, or by a work that is cited there."""
    aside = _ASIDE.search(question)
    whole = _ASIDE.sub("", question).strip(" ?!.")
    asked = _LAST_WORDS.sub("", whole)
    if citing := _CITING.fullmatch(asked):
        work = int(citing["work"])
        return Contents(
            tells=Tells.MENTIONS, work=work, absent=f"Nothing in the roadmap cites a work {work}."
        )
    for forms, may_be_absent in ((_WHERE, False), (_WHETHER, True)):
        tries = ((form, text) for form in forms for text in (asked, whole))
        found = next((match for form, text in tries if (match := form.fullmatch(text))), None)
        if found is None:
            continue
        topic = _LAST_WORDS.sub("", found["topic"])
        if aside and not terms(topic):
            topic = aside["topic"]
        if terms(topic) and not _ONE.search(topic):
            absent = f"No section of the roadmap mentions “{topic}”." if may_be_absent else ""
            return Contents(tells=Tells.MENTIONS, topic=topic, absent=absent)
    return None


def _numbered(question: str, headings: Sequence[Heading]) -> str:
    """ "The third section" is section 3, "the last part" the last that there is."""
    placed = _BY_PLACE.search(question)
    if placed is None:
        return question
    kind = "part" if placed["kind"].lower() == "part" else "section"
    place = placed["place"].lower()
    number = _ORDINALS.index(place) + 1 if place in _ORDINALS else len(_all(kind, headings))
    return _BY_PLACE.sub(f"{kind} {number}", question, count=1)


def _all(kind: str, headings: Sequence[Heading]) -> tuple[Heading, ...]:
    form = _PART if kind == "part" else _SECTION
    return tuple(heading for heading in headings if form.match(heading.title))


def _two(question: str, headings: Sequence[Heading]) -> Contents | None:
    """Two parts or sections that are to be told beside each other."""
    two = _TWO.search(question)
    if two is None or not set(terms(_TWO.sub(" ", question))) <= _BESIDES:
        return None
    found = [_by_number(two["kind"], two[which], headings) for which in ("one", "other")]
    there = tuple(heading for heading in found if heading)
    return Contents(headings=there) if len(there) == len(found) else None


def _told_by_number(question: str, headings: Sequence[Heading]) -> Contents | None:
    """A part or section that is named, or the works cited there."""
    named = _ONE.search(question)
    if named is None:
        return None
    if _WORKS.search(question) and _says_only(question, _BESIDES_WORKS):
        own = _section(named, headings)
        return Contents(headings=(own,), tells=Tells.WORKS) if own else _no_such(named, headings)
    return _one(named, question, headings) if _says_only(question, _BESIDES) else None


def _whole(question: str, headings: Sequence[Heading], title: str) -> Contents | None:
    if not _asks_of_the_whole(question) or not _says_only(question, _BESIDES):
        return None
    kind = "section" if re.search(r"\b(?:section|chapter)", question, re.IGNORECASE) else "part"
    found = _all(kind, headings)
    if not found:
        return None
    named = f" “{title}”" if title and _ITS_TITLE.search(question) else ""
    return Contents(headings=found, opening=f"The roadmap{named} has {_counted(len(found), kind)}:")


def _beginning(headings: Sequence[Heading]) -> Contents | None:
    first = next(iter(_all("part", headings)), None)
    if first is None:
        return None
    return Contents(headings=(first, *_right_below(first, headings)), opening="The roadmap begins with this:")


def _one(named: re.Match[str], question: str, headings: Sequence[Heading]) -> Contents:
    """A section and those right below it, how many those are, or the one that stands next to it."""
    own = _section(named, headings)
    if own is None:
        return _no_such(named, headings)
    before = question[: named.start()]
    if (step := bool(_AFTER.search(before)) - bool(_BEFORE.search(before))) != 0:
        beside = [heading for heading in headings if heading.level == own.level]
        at = beside.index(own) + step
        if not 0 <= at < len(beside):
            return Contents(absent=f"{own.title} is the {'last' if step > 0 else 'first'} one.")
        return Contents(headings=(beside[at],), titled=True)
    inside = _right_below(own, headings)
    if _HOW_MANY.search(question) and inside:
        return Contents(
            headings=inside, opening=f"{own.title} has {_counted(len(inside), 'section')}:", titled=True
        )
    if _TITLE.search(question):
        return Contents(headings=(own,), titled=True)
    return Contents(headings=(own, *inside))


def _section(named: re.Match[str], headings: Sequence[Heading]) -> Heading | None:
    return _by_number(named["kind"] or "", named["bare"] or named["of"], headings)


def _by_number(kind: str, number: str, headings: Sequence[Heading]) -> Heading | None:
    number = number.upper()
    if kind.lower() == "part":
        known = number.isdigit() and int(number) < len(_NUMERALS)
        number = f"part_{_NUMERALS[int(number)] if known else number}"
    return next((heading for heading in headings if heading.section_id == number), None)


def _no_such(named: re.Match[str], headings: Sequence[Heading]) -> Contents:
    kind = "part" if (named["kind"] or "").lower() == "part" else "section"
    found = [heading.title.partition(":")[0] for heading in _all(kind, headings)]
    has = f"; it goes from {found[0]} to {found[-1]}" if found else ""
    return Contents(absent=f"The roadmap has no {named[0].strip()}{has}.")


def _right_below(own: Heading, headings: Sequence[Heading]) -> tuple[Heading, ...]:
    inside = [heading for heading in headings if heading is not own and own.span.holds(heading.span)]
    level = min((heading.level for heading in inside), default=0)
    return tuple(heading for heading in inside if heading.level == level)


def _counted(n: int, kind: str) -> str:
    return f"{n} {kind}{'' if n == 1 else 's'}"
