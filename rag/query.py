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

from rag.contents import Contents
from rag.errors import QuestionError
from rag.followup import drop_change_of_topic, needs_history
from rag.schema import Turn
from rag.sentences import split_sentences
from rag.standalone import background_of, read_history, stand_alone
from rag.terms import distinct, terms


class Wanted(StrEnum):
    """The shape of answer that a question asks for."""

    SENTENCES = "sentences"
    LIST = "list"
    COMPARISON = "comparison"  # of two things, both of which have to be told
    WORKS = "works"  # a source, a reference, a URL: answered from the works cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """A question ready to be searched for.

    `text` is the question as asked, `standalone` as it reads without the turns before it; `focus` is the part that asks
    (a chatty message may hold more than that); `background` what earlier turns add, empty when it stands alone.
    """

    question: str
    text: str
    focus: str
    background: str
    wanted: Wanted
    standalone: str
    told: str = ""  # the last answer, where this is a follow-up to it
    counted: bool = False  # it asks how many works there are
    numbers: tuple[int, ...] = ()  # of works that are asked for by number
    contents: Contents | None = None  # it asks how the document is built, and these headings answer


INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e007f\U000e0100-\U000e01ef]"
)


def clean_question(question: str, *, max_chars: int) -> str:
    """NFC, without control, bidirectional, zero-width and tag characters or lone surrogates; spaces folded.

    Raises:
        QuestionError: it is no text, nothing is left, or it is longer than `max_chars`.
    """
    if not isinstance(question, str):
        raise QuestionError(f"A question is text, not {type(question).__name__}.")
    _refuse_overlong(question, max_chars)
    visible = INVISIBLE.sub("", question.encode("utf-8", "ignore").decode())
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


_HOW_MANY_WORKS = re.compile(
    r"\b(?:how many|(?:total )?number of|count of)(?: \w+)? "
    r"(?:works|sources|references|citations|entries|links|papers)\b",
    re.IGNORECASE,
)
_OF_THE_WHOLE = frozenset(
    terms("roadmap document guide text list listed total altogether end work paper entry whole")
)


def counts_works(text: str) -> bool:
    """Whether it asks how many works a document cites, and not how many on some topic.

    >>> counts_works("How many sources does the roadmap cite?"), counts_works("How many sources are cited for LoRA?")
    (True, False)
    """
    if not _HOW_MANY_WORKS.search(text):
        return False
    left = _ABOUT_WORKS.sub(" ", _HOW_MANY_WORKS.sub(" ", text))
    return set(terms(left)) <= _OF_THE_WHOLE


def without_works_words(text: str) -> str:
    """What a question about sources is about, without the words that ask for a source.

    >>> without_works_words("Which source backs up the claim on LoRA?")
    'Which the on LoRA?'
    """
    left = " ".join(_ABOUT_WORKS.sub(" ", text).split())
    return left if terms(left) else text


def wanted_shape(text: str) -> Wanted:
    """Works for a question about sources, a comparison of two things, a list of several, else sentences."""
    if _WORKS.search(text) or counts_works(text):
        return Wanted.WORKS
    if _COMPARISON.search(text):
        return Wanted.COMPARISON
    return Wanted.LIST if _LIST.search(text) else Wanted.SENTENCES


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


def make_query(question: str, history: Sequence[Turn] = (), *, rewritten: bool = False) -> Query:
    """Read a clean question in the light of the conversation so far.

    One that was `rewritten` reads alone, and what it followed on still has its weight in the search.
    """
    asked, _ = drop_commands(question)
    asked = asked or question
    before = read_history(history) if history and (rewritten or needs_history(asked)) else ()
    asked = drop_change_of_topic(asked)
    wanted = wanted_shape(asked)
    focus = without_works_words(asked) if wanted is Wanted.WORKS else focus_of(asked)
    return Query(
        question=question,
        text=asked,
        focus=focus,
        background=background_of(before),
        wanted=wanted,
        told=before[-1].told if before else "",
        standalone=stand_alone(asked, before) if before and not rewritten else asked,
        counted=counts_works(asked),
        numbers=tuple(int(number) for number in _BY_NUMBER.findall(asked)),
    )
