"""From what a person typed to what is searched for.

Pure. Cleans the question, makes a follow-up stand alone, splits off what is not a question, and notes what kind of
answer is wanted. Knows no index and no model; spelling is mended elsewhere (`rag.spelling`) because it needs the
index's vocabulary.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from rag.errors import QuestionError
from rag.schema import Role, Turn
from rag.sentences import split_sentences
from rag.terms import distinct, terms, words


class Wanted(StrEnum):
    """The shape of answer that a question asks for."""

    SENTENCES = "sentences"
    LIST = "list"
    COMPARISON = "comparison"  # of two things, both of which have to be told
    WORKS = "works"  # a source, a reference, a URL: answered from the works cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question ready to be searched for.

    `text` is the stand-alone question; `focus` the part of it that asks (a chatty message may hold more than that);
    `background` what earlier turns add, empty when the question stands alone.
    """

    question: str
    text: str
    focus: str
    background: str
    wanted: Wanted
    told: str = ""  # the last answer, where this is a follow-up to it
    numbers: tuple[int, ...] = ()  # of works that are asked for by number

    @property
    def search_text(self) -> str:
        """What was searched for, in one line."""
        return f"{self.text} ({self.background})" if self.background else self.text


_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)


def clean_question(question: str, *, max_chars: int) -> str:
    """NFC, without control, bidirectional, zero-width and tag characters or lone surrogates; spaces folded.

    Raises:
        QuestionError: nothing is left, or it is longer than `max_chars`.
    """
    _refuse_overlong(question, max_chars)
    visible = _INVISIBLE.sub("", question.encode("utf-8", "ignore").decode())
    kept = "".join(
        " " if unicodedata.category(c) == "Cc" else c for c in unicodedata.normalize("NFC", visible)
    )
    folded = " ".join(kept.split())
    if not any(c.isalnum() for c in folded):
        raise QuestionError("The question is empty.")
    _refuse_overlong(folded, max_chars)  # NFC takes some characters apart
    return folded


def _refuse_overlong(question: str, max_chars: int) -> None:
    if len(question) > max_chars:
        raise QuestionError(f"The question has {len(question):,} characters; at most {max_chars:,} are read.")


# --- what kind of answer -------------------------------------------------------------------------------------------

_WORKS = re.compile(
    r"\b(?:bibliograph\w*|works? cited|citations?|cites?|cited|urls?|hyperlinks?|footnotes?)\b"
    r"|\b(?:which|what|whose|name the|the|a|any|its|is there a|got a|give me (?:a|the)) "
    r"(?:source|sources|reference|references|link|links)\b|\b(?:which|what|whose) (?:web ?site|web ?page)\b"
    r"|\b(?:sources?|references?|links?) "
    r"(?:is|are|was|were|does|do|did|for|on|about|behind|backs?|supports?|number|pls|please)\b"
    r"|\b(?:links?|urls?|sources?)\s*[?.!]*$"
    r"|\b(?:reference|source|ref|entry) (?:number |no\.? |#)?\d{1,3}\b"
    r"|\bwhere (?:did|do|does) (?:they|it|this|the (?:roadmap|guide|document|text|authors?)) (?:get|take|draw)\b"
    r"|\b(?:sources|references) (?:looked up|accessed|consulted|retrieved)\b"
    r"|\baccess(?:ed on| dates?)\b|\bfurther reading\b",
    re.IGNORECASE,
)
_LIST = re.compile(
    r"\b(?:list|enumerate)\b|\bname (?:the|some|all|a few|two|three|four)\b"
    r"|\ball (?:the|of the)\b|\bwhat are (?:the|some)\b"
    r"|\b(?:types|kinds|sorts|parts|steps|stages|phases|components|layers|techniques|methods|tricks|"
    r"examples|ideas|pillars|principles|practices|tips|categories|areas|tasks|variants|options|strategies|"
    r"vectors|sources of|levels|challenges|drawbacks|limitations|problems|projects)\b"
    r"|\b(?:two|three|four|five|six|seven) (?:\w+ )?\w+s\b|\bwalk me through\b|\bstep[- ]by[- ]step\b",
    re.IGNORECASE,
)
_COMPARISON = re.compile(
    r"\bvs\.?(?=\W|$)|\bversus\b|\bdiffer(?:s|ent|ently|ence|ences)?\b|\bcompare[ds]?\b|\bcomparison\b"
    r"|\bcontrast\b|\bas opposed to\b|\bunlike\b|\b(?:is|are) \w+ (?:or|better than) \w+\b"
    r"|\bwhich (?:one )?(?:is|of the two)\b.*\bor\b|\bin each\b|\bboth\b",
    re.IGNORECASE,
)
_BY_NUMBER = re.compile(
    r"\b(?:reference|source|ref|entry|citation|work)s? (?:number |no\.? ?|nr\.? ?|#)?(\d{1,3})\b",
    re.IGNORECASE,
)
_ABOUT_WORKS = re.compile(
    r"\b(?:sources?|references?|links?|urls?|cit(?:e|es|ed|ing|ation|ations)|bibliograph\w*|works? cited|"
    r"hyperlinks?|web ?(?:sites?|pages?)|footnotes?|backs? up|back(?:s|ed|ing)?|claims?|material|credit|"
    r"article|page|stuff|named?|where did (?:they|it|this) get|accessed|looked up|taken)\b",
    re.IGNORECASE,
)


def without_works_words(text: str) -> str:
    """What a question about sources is about, without the words that ask for a source.

    >>> without_works_words("Which source backs up the claim on LoRA?")
    'Which the on LoRA?'
    """
    left = " ".join(_ABOUT_WORKS.sub(" ", text).split())
    return left if terms(left) else text


def wanted_shape(text: str) -> Wanted:
    """Works for a question about sources, a comparison of two things, a list of several, else sentences."""
    if _WORKS.search(text):
        return Wanted.WORKS
    if _COMPARISON.search(text):
        return Wanted.COMPARISON
    return Wanted.LIST if _LIST.search(text) else Wanted.SENTENCES


# --- follow-ups ----------------------------------------------------------------------------------------------------

_OPENS_AS_FOLLOW_UP = re.compile(
    r"^(?:and|but|so|or|then|also|ok(?:ay)?|what about|how about|what else|anything else|"
    r"why (?:not|so)\b|why\??$|how so|"
    r"which (?:one|of)|got any|any (?:other|more)|more\b|tell me more|go on|instead)\b",
    re.IGNORECASE,
)
_POINTS_BACK = frozenset(
    "it its they them their theirs this that these those he she his her ones one former latter other others another "
    "else instead same such both there either neither second first third last".split()
)
_POINTS_NOWHERE = re.compile(
    r"\b(?:is it|it is|it'?s|does it|it) "
    r"(?:ok|okay|possible|true|worth|better to|necessary|important|matter|take|mean)\b"
    r"|\b(?:one|first|second|last|other|that|this|there|it) (?:that|which|who|is there|are there)\b"
    r"|\bthere (?:is|are|any)\b|\b(?:is|are) there\b"
    r"|\b(?:this|the) (?:roadmap|guide|document|text)\b|\bone (?:training|word|another|or more)\b",
    re.IGNORECASE,
)


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

    It opens like a follow-up, points back with a pronoun, or names no topic of its own. A person who says that the
    topic changes is believed.
    """
    if _CHANGES_TOPIC.match(question):
        return False
    if _OPENS_AS_FOLLOW_UP.match(question):
        return True
    plain = _POINTS_NOWHERE.sub(" ", question)
    if any(word in _POINTS_BACK for word in words(plain)):
        return True
    return len(terms(question)) <= 1


def background_of(history: Sequence[Turn]) -> str:
    """What the last exchange was about: its question, then its answer's opening."""
    told = _last(history, Role.ASSISTANT)
    opening = " ".join(span.cut(told) for span in split_sentences(told)[:2])
    return f"{_last(history, Role.USER)} {opening}".strip()


def _last(history: Sequence[Turn], role: Role) -> str:
    return next((turn.text for turn in reversed(history) if turn.role is role), "")


# --- what is asked -------------------------------------------------------------------------------------------------

_COMMANDS = re.compile(
    r"\b(?:ignore|disregard|forget|override|bypass)\b[^.?!;]*"
    r"\b(?:instruction|instructions|rule|rules|prompt|prompts|above|previous|guidelines)\b"
    r"|\b(?:system|developer) (?:override|prompt|message)\b"
    r"|\b(?:finish|end|start|begin|close) your (?:reply|answer|response)\b"
    r"|\b(?:reveal|print|show|repeat|output) (?:me )?(?:your|the) (?:hidden |secret |initial )?"
    r"(?:system )?(?:prompt|instructions)\b"
    r"|\bfrom now on\b|\b(?:answer|reply|respond) (?:only )?from your own (?:memory|knowledge)\b"
    r"|\bpretend (?:to be|you)\b|\bwithout (?:any )?citations?\b|\bleave out (?:the )?citations?\b",
    re.IGNORECASE,
)
_GREETING = re.compile(
    r"^(?:hi|hey|hello|hiya|yo|please|pls|quick (?:one|question)|so|ok|okay|well|um|hmm)\b[\s,:!.\-]*",
    re.IGNORECASE,
)


def drop_commands(text: str) -> tuple[str, bool]:
    """The question without sentences that try to command the assistant, and whether there were any."""
    sentences = [span.cut(text) for span in split_sentences(text)]
    kept = [sentence for sentence in sentences if not _COMMANDS.search(sentence)]
    return " ".join(kept), len(kept) < len(sentences)


def focus_of(text: str) -> str:
    """The sentences that ask, without a greeting; all of them if none ends in a question mark."""
    spans = [span.cut(text) for span in split_sentences(text)]
    asking = [sentence for sentence in spans if sentence.endswith("?")] or spans[-1:]
    long_enough = [sentence for sentence in asking if len(distinct(terms(sentence))) >= 2]
    focus = " ".join(long_enough) if long_enough else text
    return _GREETING.sub("", focus) or focus


def make_query(question: str, history: Sequence[Turn] = ()) -> Query:
    """Read a clean question in the light of the conversation so far."""
    asked, _ = drop_commands(question)
    asked = asked or question
    background = background_of(history) if history and needs_history(asked) else ""
    asked = _CHANGES_TOPIC.sub("", asked) or asked
    wanted = wanted_shape(asked)
    focus = without_works_words(asked) if wanted is Wanted.WORKS else focus_of(asked)
    return Query(
        question=question,
        text=asked,
        focus=focus,
        background=background,
        wanted=wanted,
        told=_last(history, Role.ASSISTANT) if background else "",
        numbers=tuple(int(number) for number in _BY_NUMBER.findall(asked)),
    )
