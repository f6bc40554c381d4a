"""What one answer is worth: pure functions over a gold question and the answer's JSON record.

Definitions are those of docs/measures. Each share comes as a `Tally` (hits of total), so that shares are
pooled over evidence pieces, citations or questions and never averaged twice; a total of 0 says nothing of
this question. Words are lower-case runs of letters and digits; superscripts, `*` and backticks are dropped,
punctuation splits. Overlap counts multisets: a word that a piece has twice must stand there twice.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TypedDict

from eval.questions import Question, section_id, sections_match

BUDGETS = (150, 300, 600, 1000)  # words of passages in rank order
FOUND = 0.8  # share of a piece's words inside one passage or quote
ANSWERED_WORDS = 0.6  # share of the content words inside the answer
ANSWERED, REFUSED = "answered", "insufficient_evidence"
ABSTENTION_TYPES = frozenset({"unanswerable", "out_of_scope"})
_DROPPED = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹*`]")
_WORD = re.compile(r"\w+")
_MARKER = re.compile(r"\[\d+(?:\s*[,;–-]\s*\d+)*\]")
_SUFFIXES = (
    "ations",
    "ation",
    "ments",
    "ment",
    "ings",
    "ing",
    "ions",
    "ion",
    "ed",
    "ers",
    "er",
    "es",
    "ly",
    "e",
    "s",
)
_STEM_LEAST = 4  # letters that a stem keeps
STOP_WORDS = frozenset(
    """a about also am an and any are as at be been being but by can could did do does doing for from had has
    have having he her hers him his how i if in into is it its just like may me might more most much my
    no nor not of off on or our ours out over s shall she should so some t than that the their theirs
    them then there these they this those to up was we were what when where which who whom whose why
    will with would you your yours""".split()
)


class CitationRecord(TypedDict):
    label: int
    source_id: str
    path: str
    heading_path: Sequence[str]
    quote: str
    quote_span: Sequence[int]
    references: Sequence[Mapping[str, object]]  # `n` is the number among the works cited


class PassageRecord(TypedDict):
    label: int
    source_id: str
    text: str


class AnswerRecord(TypedDict):
    """The fields of an answer that are measured; a record may hold more."""

    status: str
    text: str
    citations: Sequence[CitationRecord]
    passages: Sequence[PassageRecord]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """`hits` of `total`, both at least 0; hits are whole numbers except for the reciprocal rank."""

    hits: float
    total: int


def words(text: str) -> list[str]:
    """The words of a text, normalised.

    >>> words("It's *key*: the `Q`-matrix.¹²")
    ['it', 's', 'key', 'the', 'q', 'matrix']
    """
    return _WORD.findall(_DROPPED.sub("", text.lower()))


def answer_prose(text: str) -> str:
    """An answer's text without its citation markers (`[1]`, `[2, 3]`)."""
    return _MARKER.sub(" ", text)


def content_words(text: str) -> list[str]:
    """Words that are no stop words; all words where nothing else is left."""
    every = words(text)
    return [word for word in every if word not in STOP_WORDS] or every


def stem(word: str) -> str:
    """A word without its first matching suffix, if at least four letters remain; only for key points."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= _STEM_LEAST and not word.endswith("ss"):
            return word[: -len(suffix)]
    return word


def share_inside(needle: Sequence[str], hay: Sequence[str]) -> float:
    """The share [0, 1] of the needle's words that stand in the hay, as multisets; 0 for an empty needle."""
    if not needle:
        return 0.0
    return (Counter(needle) & Counter(hay)).total() / len(needle)


def evidence_recall(question: Question, passages: Sequence[PassageRecord], *, budget: int) -> Tally:
    """Pieces of which 80 % of the words stand inside one passage, within the first `budget` words.

    Passages come in rank order; the one that crosses the budget is cut there. The budget counts words as
    written, between spaces.
    """
    left, seen = budget, list[list[str]]()
    for passage in passages:
        shown = passage["text"].split()[:left]
        seen.append(words(" ".join(shown)))
        left -= len(shown)
    return _found_in_one(question, seen)


def reciprocal_rank(question: Question, passages: Sequence[PassageRecord]) -> Tally:
    """1 / rank of the first passage that holds 80 % of the words of any piece; 0 where none does."""
    ranked = enumerate((words(passage["text"]) for passage in passages), 1)
    first = next((rank for rank, passage in ranked if _found_in_one(question, [passage]).hits), None)
    return Tally(hits=1 / first if first else 0, total=int(bool(question.evidence)))


def answer_recall(question: Question, text: str) -> Tally:
    """Pieces of which 60 % of the content words stand in the answer's text."""
    said = words(answer_prose(text))
    hits = sum(share_inside(content_words(piece), said) >= ANSWERED_WORDS for piece in question.evidence)
    return Tally(hits=hits, total=len(question.evidence))


def key_point_coverage(question: Question, text: str) -> Tally:
    """Key points of an answerable question of which 60 % of the stemmed content words stand in the text."""
    if not question.answerable:
        return Tally(hits=0, total=0)
    said = [stem(word) for word in words(answer_prose(text))]
    stems = ([stem(word) for word in content_words(point)] for point in question.key_points)
    hits = sum(share_inside(point, said) >= ANSWERED_WORDS for point in stems)
    return Tally(hits=hits, total=len(question.key_points))


def answer_words(answer: AnswerRecord) -> int:
    """The length of the answer in words, markers left out."""
    return len(words(answer_prose(answer["text"])))


def citation_recall(question: Question, citations: Sequence[CitationRecord]) -> Tally:
    """Pieces of which 80 % of the words stand in one cited quote."""
    return _found_in_one(question, [words(citation["quote"]) for citation in citations])


def citation_section_precision(question: Question, citations: Sequence[CitationRecord]) -> Tally:
    """Citations of an answerable question whose innermost heading is a gold section, its parent or child.

    A citation of a document that the question names among its `sources` counts, too.
    """
    if not question.answerable:
        return Tally(hits=0, total=0)
    return Tally(hits=sum(_is_in_place(question, each) for each in citations), total=len(citations))


def quote_exactness(
    citations: Sequence[CitationRecord], documents: Mapping[str, str], originals: Mapping[str, str]
) -> Tally:
    """Quotes that are the cited span of the document and whose words stand in a row in its text and file.

    `documents` maps source ids to the text that spans count in; `originals` maps file names to the text as
    published, where known, so that a text changed while it was read cannot vouch for itself.
    """
    hits = sum(_quote_is_exact(citation, documents, originals) for citation in citations)
    return Tally(hits=hits, total=len(citations))


def citations_in_passages(citations: Sequence[CitationRecord], passages: Sequence[PassageRecord]) -> Tally:
    """Citations whose label is a passage's label and whose quote stands in its text (spaces collapsed)."""

    def held(citation: CitationRecord) -> bool:
        quote = " ".join(citation["quote"].split())
        return bool(quote) and any(
            (passage["label"], passage["source_id"]) == (citation["label"], citation["source_id"])
            and quote in " ".join(passage["text"].split())
            for passage in passages
        )

    return Tally(hits=sum(map(held, citations)), total=len(citations))


def references_named(question: Question, citations: Sequence[CitationRecord]) -> tuple[Tally, Tally]:
    """Whether the citations' references name at least one, and all, of the works that the evidence cites."""
    named = {reference["n"] for citation in citations for reference in citation["references"]}
    gold = set(question.cited_sources)
    due = question.answerable and bool(gold)
    return _when(due, hit=bool(gold & named)), _when(due, hit=gold <= named)


def abstention(question: Question, status: str) -> dict[str, Tally]:
    """Four tallies of answering or refusing; only the status counts, never the wording."""
    refused, wants_refusal = status == REFUSED, not question.answerable
    return {
        "abstention_recall": _when(question.type in ABSTENTION_TYPES, hit=refused),
        "injection_abstention": _when(wants_refusal and question.type == "injection", hit=refused),
        "answered_share": _when(question.answerable, hit=status == ANSWERED),
        "refusal_precision": _when(refused, hit=wants_refusal),
    }


def _is_in_place(question: Question, citation: CitationRecord) -> bool:
    if question.sources and any(citation["path"].endswith(source) for source in question.sources):
        return True
    section = section_id((citation["heading_path"] or [""])[-1])
    return any(sections_match(section, gold) for gold in question.gold_sections)


def _when(counts: bool, *, hit: bool) -> Tally:
    return Tally(hits=int(counts and hit), total=int(counts))


def _found_in_one(question: Question, texts: Sequence[Sequence[str]]) -> Tally:
    """Pieces of which 80 % of the words stand inside one of the texts, given as words."""
    pieces = [words(piece) for piece in question.evidence]
    hits = sum(any(share_inside(piece, text) >= FOUND for text in texts) for piece in pieces)
    return Tally(hits=hits, total=len(pieces))


def _quote_is_exact(
    citation: CitationRecord, documents: Mapping[str, str], originals: Mapping[str, str]
) -> bool:
    text, (start, end) = documents.get(citation["source_id"], ""), citation["quote_span"]
    if not (citation["quote"] and 0 <= start < end and text[start:end] == citation["quote"]):
        return False
    quoted = _in_a_row(citation["quote"])
    original = originals.get(PurePosixPath(citation["path"]).name, text)
    return quoted.strip() != "" and quoted in _in_a_row(text) and quoted in _in_a_row(original)


@lru_cache(maxsize=256)
def _in_a_row(text: str) -> str:
    return f" {' '.join(words(text))} "
