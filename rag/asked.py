"""What a question asks for in particular (a number, a date, a price, a person), and whether sentences tell it.

Pure, by rule. A question for a figure is not answered by a sentence on the same topic without one: this is what lets
a near miss, in the document's own words, look like an answer. Where the question names what is counted or measured
("how many GPUs", "which rank"), the sentence with the figure has to speak of it too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.terms import terms


class Detail(StrEnum):
    """What is asked for; the value is how a refusal names it."""

    PRICE = "price or pay"
    DURATION = "length of time"
    DATE = "date"
    VERSION = "version"
    COUNT = "number"
    FIGURE = "figure"
    PERSON = "name"
    FORMULA = "formula"
    CODE = "command or code"
    CHOICE = "comparison or recommendation"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rule:
    """`asks` may name a group `thing`, of which a sentence that tells has to speak besides what `told` finds."""

    detail: Detail
    asks: re.Pattern[str]
    told: re.Pattern[str]


def _pattern(text: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    return re.compile(text, flags | re.VERBOSE)


# Figures inside a name (word2vec, 3.9-slim, TF-2) are none.
_FIGURE = r"(?<![\w.:\-/])\d[\d.,]*(?!\w) | % | \b(?:dozens?|hundreds?|thousands?|millions?|billions?)\b"
_NUMBER = _FIGURE + r"| \b(?:two|three|four|five|six|seven|eight|nine|ten)\b"
_MEASURES = r"""percentage|percent|share|fraction|ratio|(?:learning|dropout)\ rate|batch\ size|rank|dimensions?|
    threshold|slope|size|accuracy|temperature|margin|factor|score|probability|throughput|number|values?|depth"""
_MADE = r"""wrote|invented|authored|discovered|proposed|introduced|published|created|coined|developed|founded|
    came\ up\ with|thought\ of|first"""
# The first that fits decides.
_RULES = (
    _Rule(
        detail=Detail.PRICE,
        asks=_pattern(
            r"""\bhow\ (?:much|expensive)\b.*\b(?:costs?|earn|pay|money)\b | \bhow\ expensive\b | \bprices?\ of\b |
            \bwhat\ (?:do|does|did|will|would)\b.*\bcosts?\b | \bwhat\b.*\b(?:price|fee)\b | \bsalary\b |
            \bin\ (?:dollars|euros)\b | \bcosts\ less\b | \bfree\ of\ charge\b"""
        ),
        told=_pattern(r"[$€£]\s?\d | \b(?:dollars?|euros?|salary|salaries|free\ of\ charge)\b"),
    ),
    _Rule(
        detail=Detail.DURATION,
        asks=_pattern(
            r"\bhow\ (?:long|often|soon)\b | \bhow\ many\ (?:minutes|hours|days|weeks|months|years)\b"
        ),
        told=_pattern(
            rf"""(?:{_NUMBER})\ (?:seconds|minutes|hours|days|weeks|months|years)\b |
            \b(?:daily|weekly|monthly|yearly|periodically|continuously)\b"""
        ),
    ),
    _Rule(
        detail=Detail.DATE,
        asks=_pattern(
            r"\bwhen\ (?:was|were|did)\b | \b(?:what|which)\ (?:exact\ )?(?:year|yr|date|month)\b | \bdeadline\b"
        ),
        told=_pattern(r"\b(?:19|20)\d\d\b"),
    ),
    _Rule(
        detail=Detail.VERSION,
        asks=_pattern(r"\b(?:what|which)\ (?:[\w\-]+\ )?(?:version|release)s?\b"),
        told=_pattern(r"\d\.[\dx] | \bversion\ \d"),
    ),
    _Rule(
        detail=Detail.COUNT,
        asks=_pattern(
            r"""\bhow\ many\ (?P<thing>[\w\-]+(?:\ (?!(?:are|is|do|does|did|should|can|may|have|has|of|in|to|i|you|
            and|or|per)\b)[\w\-]+)?)"""
        ),
        told=_pattern(_NUMBER),
    ),
    _Rule(
        detail=Detail.FIGURE,
        asks=_pattern(
            rf"""\b(?:what|which|what['’]s)\ (?:(?:is|are|the|exact|default|right)\ ){{0,3}}(?:[\w\-]+\ )?
            (?P<thing>{_MEASURES})\b"""
        ),
        told=_pattern(_FIGURE),
    ),
    _Rule(
        detail=Detail.FIGURE,
        asks=_pattern(
            r"""(?:^|[,.;:?!\-]\ ?|\b(?:and|by)\ )
            how\ (?:much|large|small|high|deep|fast|confident|big(?!\ a\b))\b"""
        ),
        told=_pattern(_FIGURE + r"| \borders\ of\ magnitude\b"),
    ),
    _Rule(
        detail=Detail.PERSON,
        asks=_pattern(
            rf"""\bwho\ (?:\w+\ )?(?:{_MADE})\b | \bauthors?\b |
            \bwho\ (?:is|are|was|were)\ (?:the\ )?(?:creator|inventor|founder)s?\b |
            \b(?:which|what)\ (?:professor|researchers?|scientists?|team|university|person)\b"""
        ),
        told=_pattern(rf"\b[A-Z]\w+\ (?:{_MADE})\b | \bby\ [A-Z] | \b[A-Z]\w+['’]s\ [A-Z]", flags=0),
    ),
    _Rule(
        detail=Detail.FORMULA,
        asks=_pattern(
            r"""\b(?:what|which|give|show|write|state)\b.*\b(?:formula|equation)s?\b |
            \b(?:formula|equation)s?\ (?:of|for|to)\b"""
        ),
        told=_pattern(r"[=∑√^] | theorem"),
    ),
    _Rule(
        detail=Detail.CODE,
        asks=_pattern(
            r"""\b(?:give|show|write)\ me\b.*\b(?:code|commands?|snippet|script)\b | \bwhat\ command\b |
            \bcode\ to\b | \bhow\ (?:do|can|should)\ i\ (?:install|hook\ up|configure|set\ up)\b"""
        ),
        told=_pattern(r"\b(?:pip|conda|apt|docker)\ (?:install|run|build)\b | >>>"),
    ),
    _Rule(
        detail=Detail.CHOICE,
        asks=_pattern(
            r"""\b(?:better|best|faster|fastest|slower|quicker|quickest|cheaper|cheapest|harder|hardest|superior|
            preferred|recommend(?:ed|s)?|more\ (?:accurate|efficient|popular)|the\ most\ \w+)\b |
            \bshould\ i\ (?:use|pick|choose|take)\b"""
        ),
        told=_pattern(
            r"""\b(?:better|best|faster|fastest|slower|easier|easiest|gentler|harder|worse|superior|preferred|
            recommended|fav(?:ou)?red|praised|optimal|ideal|excels?|excellent|strong|effective|standard|default|
            primary|popular|state-of-the-art|(?:more|less|most)\ \w+)\b"""
        ),
    ),
)


def untold_detail(question: str, sentences: Sequence[str]) -> Detail | None:
    """The particular that a question asks for and none of the sentences tells; None if it asks for none.

    >>> untold_detail("How many GPUs does it take?", ["Eight layers need a GPU."]) is None
    True
    >>> untold_detail("How many GPUs does it take?", ["It has eight layers.", "A GPU helps."])
    <Detail.COUNT: 'number'>
    """
    found = ((rule, match) for rule in _RULES if (match := rule.asks.search(question)))
    rule, match = next(found, (None, None))
    if rule is None or match is None:
        return None
    thing = set(terms(match.groupdict().get("thing") or "")[-1:])
    told = any(rule.told.search(sentence) and thing <= set(terms(sentence)) for sentence in sentences)
    return None if told else rule.detail
