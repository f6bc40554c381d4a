"""Follow-up questions: whether a question leans on the turns before it.

Pure, by rule, and careful: a question that could stand alone is left alone. How one that leans reads by itself is
worked out in `rag.standalone`.
"""

import re
from collections.abc import Iterator
from itertools import islice

from rag.contents import names_its_place
from rag.courtesy import is_courtesy
from rag.terms import STOP_WORDS, terms

_AUXILIARIES = (
    r"is|are|was|were|do|does|did|can|could|will|would|should|shall|may|might|must|has|have|had|"
    r"isn't|aren't|doesn't|don't|didn't|can't|won't|mean|means|work|works|make|makes|help|helps|matter|matters"
)
AUXILIARY = rf"(?:{_AUXILIARIES})"
ORDINALS = {
    "first": 0,
    "1st": 0,
    "second": 1,
    "2nd": 1,
    "third": 2,
    "3rd": 2,
    "fourth": 3,
    "4th": 3,
    "fifth": 4,
    "last": -1,
}
_ORDINAL = rf"(?:{'|'.join(ORDINALS)})"
_END = rf"(?=\W*$|,|\s+(?:{_AUXILIARIES}|of (?:them|these|those)|in detail|instead)\b)"

OPENS_ON = re.compile(
    r"^(?:what about|how about|what else(?! than)|anything else|got any|any (?:other|more)|instead|"
    r"(?:(?:some|a bit|a little) )?more(?! than)|(?:please )?tell me more(?! (?:about|on))|go on|continue|elaborate|"
    r"which of (?:them|these|those|the)|(?:is|are|do|does|did|would) the same)\b"
    r"|^(?:but |so |and )?(?:why|how)(?: not| so| come)?\W*$",
    re.IGNORECASE,
)
_ONE = re.compile(
    rf"\b(?:the (?:former|latter)|the {_ORDINAL}|(?:the|any|an)? ?others?|"
    rf"(?:the other|another|that|this|a \w+er|the \w+er|the \w+est|the best) one|one){_END}"
    rf"|\b{_ORDINAL} ones?\b|\b(?:the|those|these|which) ones?\b(?! (?:that|which|who|i|we|you|they)\b)"
    r"|\b\w+al ones\b|\bthe other (?:one|two|kind|type|way)\b|\b(?:an)?other \w+\s+(?:is|are) there\b"
    r"|\b(?:both|either|neither)\b(?!.*\b(?:and|or)\b)|\binstead\b(?! of)",
    re.IGNORECASE,
)
_THESE = re.compile(
    r"\b(?:this|these|those) (?!week|month|year|day|time|morning|evening)[a-z]+\b", re.IGNORECASE
)
_THAT_THING = re.compile(
    r"\bthat (?:technique|method|approach|model|algorithm|idea|concept|library|tool|framework|architecture)\b",
    re.IGNORECASE,
)
_PLACED = re.compile(rf"\bthe {_ORDINAL} \w+{_END}", re.IGNORECASE)
_THIRD_PERSON = r"it|its|they|them|their|theirs|he|she|his|her"
POINTING = re.compile(
    rf"\b(?:{_THIRD_PERSON}|(?:this|that|these|those)(?=\s*(?:[?.!,]|$|\b{AUXILIARY}\b))|"
    r"(?:(?<=^is )|(?<=^are )|(?<=^was )|(?<=does )|(?<=do )|(?<=did )|(?<=can )|(?<=would )|(?<=should ))"
    r"(?:this|that|these|those))\b(?!['’])",
    re.IGNORECASE,
)
_TELLS = r"(?:mention|say|suggest|recommend|list|cover|name|call|cite|describe|advise|propose|tell)"
_POINTS_NOWHERE = re.compile(
    r"\b(?:(?:is|was|be) it|it (?:is|was|be)|it['’]s) "
    r"(?:ok|okay|possible|true|worth|better|necessary|important|common|normal) "
    r"(?:\w+ ){0,2}(?:to|that|if)\b|\bit worth \w+ing\b|\b(?:is|was) it \w+ to(?: \w+){4}"
    r"|\bit (?:\w+ )?(?:takes?|makes? sense|becomes? possible) (?:\w+ ){0,2}to\b|\bit (?:rain|snow)s?\b"
    rf"|\bit (?:\w+ )?(?:matters?|means?)(?: \w+)? (?:if|that|which|whether|how|what|when|to)\b|\bit {_TELLS}\b"
    r"|\b(?:one by one|one another|each other|one after the other|on the other hand|either way)\b",
    re.IGNORECASE,
)
_ABOUT_THE_TEXT = re.compile(r"\b(?:this|the) (?:roadmap|guide|document|text)\b", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[,;:.?!](?=\s)|\s[-–—]\s|\b(?:and|or|but|because|so|while|when|if|than|that|what|which|who|where|why|how|after|"
    r"before|until)\b",
    re.IGNORECASE,
)
_SAYS_SOMETHING = re.compile(
    rf"\b{AUXILIARY}\b|^(?:who|when|if|once|while|explain|describe|define|tell|compare|list|name)\b",
    re.IGNORECASE,
)
_SPEAKER = re.compile(r"\b(?:i|you|we|one|people|someone)\b", re.IGNORECASE)
# Terms of its own with which a question names what it points back at: in a clause before, in the same.
_FEW, _MANY = 3, 5
_AFTER_A_TITLE = (":", "-", "–", "—")  # "PCA: what is it for"
_LOOKED_AT = 10  # words that could point; more only makes a long question slow
_POSSESSIVES = frozenset({"its", "their", "his", "her"})

JOINING = re.compile(
    r"^(?:(?:and|but|so(?! (?:many|much|few)\b)|or|then|also|ok(?:ay)?|well|cool|great|thanks|hm+)\b[\s,.!]*)+",
    re.IGNORECASE,
)
DEFINES = re.compile(
    r"^(?:what(?:'s|’s|s| is| are| was| were| does)|who(?:'s| is| are)|explain|describe|define|tell me about|"
    r"how (?:does|do)(?= .+ work))(?: (?:the|a|an))? (.+)$",
    re.IGNORECASE,
)
# Words for what only something else can have: by themselves they leave open of what.
_RELATED = (
    "advantage disadvantage benefit drawback downside upside weakness strength limitation problem issue challenge "
    "risk example instance detail difference alternative goal purpose aim objective point use case application step "
    "stage part type kind way cost price reason result effect impact pros cons practice tip definition formula "
    "requirement prerequisite metric"
)
JUDGING = frozenset(
    terms(
        "best main common concrete simple real typical important biggest key good bad better worse cheap cheaper "
        "expensive fast faster slow slower hard harder easy easier briefly simply again simpler shorter detailed"
    )
)
RELATIONAL = frozenset(terms(_RELATED)) | JUDGING
_CHANGES_TOPIC = re.compile(
    r"^(?:(?:btw|by the way|ok(?:ay)?|anyway|so|no|hey)[,\s]+)*"
    r"(?:never ?mind(?: that)?|forget (?:that|it)|different (?:question|topic|thing)|"
    r"(?:completely |totally |something )(?:different|else|unrelated)(?: (?:question|topic|thing))?|"
    r"new (?:question|topic)|unrelated|(?:switching|changing|change of|to change the) (?:topic|subject)s?|"
    r"on another (?:note|topic)|other (?:question|topic))\b[\s:,.;!\-]*",
    re.IGNORECASE,
)


def needs_history(question: str) -> bool:
    """Whether a question cannot be understood without the turns before it.

    It opens like a follow-up, points back at something that it does not name itself, or names no topic of its own. A
    person who says that the topic changes is believed.
    """
    if _CHANGES_TOPIC.match(question) or names_its_place(question) or is_courtesy(question):
        return False
    asked = without_joining(question)
    if _points_back(asked):
        return True
    own = set(terms(_ABOUT_THE_TEXT.sub(" ", asked)))
    if own <= RELATIONAL or re.search(r"\bdifferences? (?:to|from|with)\b", asked, re.IGNORECASE):
        return not _ABOUT_THE_TEXT.search(asked)
    if _names_a_topic(asked):
        return False
    if asked == question:
        return len(own) <= 1 and not _is_key_word(asked)
    return len(own) < 3 or not _is_clause(asked)


def without_joining(question: str) -> str:
    """The question without the "and", "ok, so" or "but" that it opens with."""
    return JOINING.sub("", question) or question


def drop_change_of_topic(question: str) -> str:
    """The question without the words that announce another topic."""
    return _CHANGES_TOPIC.sub("", question) or question


def is_name(word: str) -> bool:
    """Whether a word is written like a name: LoRA, GPT-4, Docker."""
    return any(c.isupper() or c.isdigit() for c in word[1:]) or (word[:1].isupper() and len(word) > 1)


def pointing_words(question: str) -> tuple[re.Match[str], ...]:
    """The pronouns that stand for something outside the question, in order."""
    return tuple(_unbound(POINTING, question))


def _points_back(asked: str) -> bool:
    if OPENS_ON.search(asked) or pointing_words(asked) or any(_unbound(_THAT_THING, asked)):
        return True
    if any(" or " not in asked[found.end() :] for found in _unbound(_ONE, asked)):
        return True
    own = set(terms(_ABOUT_THE_TEXT.sub(" ", asked)))
    if len(own) <= _FEW and any(_unbound(_THESE, asked)):
        return True
    placed = _PLACED.search(asked)
    return placed is not None and set(terms(asked.replace(placed[0], " "))) <= RELATIONAL


def _unbound(pattern: re.Pattern[str], question: str) -> Iterator[re.Match[str]]:
    nowhere = [
        found.span() for kind in (_POINTS_NOWHERE, _ABOUT_THE_TEXT) for found in kind.finditer(question)
    ]
    for found in islice(pattern.finditer(question), _LOOKED_AT):
        inside = any(start <= found.start() < end for start, end in nowhere)
        if not inside and not _is_bound(found, question):
            yield found


def _is_bound(found: re.Match[str], question: str) -> bool:
    """Whether a word that points stands for something that the question itself names before it.

    "What is LoRA and how does it work", "how do CNNs reduce their size", "a model that is large"; but not "how do
    people deal with it", where the same clause cannot name what "it" is.
    """
    before, word = question[: found.start()], found[0].lower()
    if word == "that" and before.strip() and before.split()[-1].lower() not in STOP_WORDS:
        return not _ends(found, question)
    if word in _POSSESSIVES:
        verb = re.search(rf"\b{AUXILIARY}\b(.*)$", before, re.IGNORECASE)
        if verb and terms(verb[1]) and not _SPEAKER.search(verb[1]):
            return True
    if len(_own(before)) >= _MANY:
        return True
    boundaries = list(_CLAUSE.finditer(before))
    named = next((one for one in boundaries if one[0].strip() in _AFTER_A_TITLE), None)
    return any(_names_before(before, one, word) for one in (named, *boundaries[-1:]) if one)


def _names_before(before: str, boundary: re.Match[str], word: str) -> bool:
    """Whether the clauses up to a boundary name something that a word behind it can stand for."""
    head = before[: boundary.start()]
    own = _own(head)
    if len(own) >= _FEW or any(is_name(word.strip(",.:;?!")) for word in head.split()[1:]):
        return True
    if own and boundary[0].strip() in _AFTER_A_TITLE:
        return True
    return not word.endswith("one") and _is_clause(head) and len(own) > bool(_SPEAKER.search(head))


def _is_clause(text: str) -> bool:
    return bool(_SAYS_SOMETHING.search(text))


def _own(text: str) -> set[str]:
    return set(terms(text)) - RELATIONAL


def _ends(found: re.Match[str], question: str) -> bool:
    return not question[found.end() :].strip(" ?!.,")


def _names_a_topic(asked: str) -> bool:
    """A definition asked for, or a clause about something that has a name."""
    bare = asked.rstrip("?!. ")
    defined = DEFINES.match(bare)
    if defined and not set(terms(defined[1])) <= RELATIONAL:
        return True
    return _is_clause(bare) and any(is_name(word) for word in bare.split()[1:])


def _is_key_word(asked: str) -> bool:
    spoken = asked.split()
    return len(spoken) <= 2 and not any(word.lower() in STOP_WORDS for word in spoken)
