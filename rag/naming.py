"""Which documents a question names as the place to look: "the Hugging Face course", "according to d2l's chapter".

Pure over paths and titles. A name stands before a word like "course" or "manual", or behind "according to"; all its
words must be words of a document's title, file or folder, as written and not as stems: "the prompting guide" is no
guide to prompts. It says nothing of what is asked, so that the search does without it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from rag.terms import STOP_WORDS

_KINDS = frozenset(
    """blog book chapter course documentation docs guide guidelines handbook lecture lectures manual minutes notebook
    notes page pages readme report rules slides statutes terms tutorial website""".split()
)
_LEADS = frozenset("according as by from in of on our per the to".split())  # go with a name, before it
_LONGEST = 4  # words of a name
_WORD = re.compile(r"[^\W_]+(?:[.+-][^\W_]+)*\+*")
_PART = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """The sources that a question names, and what it asks without the name. No source: the question as it is."""

    source_ids: tuple[str, ...]
    rest: str


class Names:
    """What the documents of a shelf are called; made of path and title of each source id."""

    def __init__(self, titles: Mapping[str, tuple[str, str]]) -> None:
        self._called = {source_id: _called(path, title) for source_id, (path, title) in titles.items()}

    def find(self, question: str) -> Named:
        """The first name that some document bears, the longest there."""
        found = list(_WORD.finditer(question))
        words = [match[0].lower() for match in found]
        for n, word in enumerate(words):
            if word in _KINDS:
                name, last = _name_before(words, n), n
            elif words[max(0, n - 2) : n] == ["according", "to"] and word not in STOP_WORDS:
                name, last = range(n, n + 1), n
            else:
                continue
            for first in name:
                if sources := self._bearing(words[first : max(last, first + 1)], kind=word):
                    start = found[_with_leads(words, first)].start()
                    rest = question[:start].rstrip(" ,") + question[found[last].end() :]
                    return Named(source_ids=sources, rest=rest)
        return Named(source_ids=(), rest=question)

    def _bearing(self, name: Sequence[str], *, kind: str) -> tuple[str, ...]:
        """The sources with all words of a name, apart or written together ("Hugging Face", "huggingface").

        If some of them are called a course where a course is asked for, these.
        """
        own = [word for word in name if word not in _SKIPPED]
        parts = {part for word in own for part in _PART.findall(word)}
        together = "".join(own)
        found = [one for one, held in self._called.items() if own and (parts <= held or together in held)]
        return tuple(one for one in found if kind in self._called[one]) or tuple(found)


_SKIPPED = frozenset(("own", "s"))  # "Docker's own pages"


def _name_before(words: Sequence[str], kind: int) -> range:
    """Where a name before a kind of document may begin, the longest first: no word of it is a word of no meaning."""
    first = kind
    while (
        first
        and kind - first < _LONGEST
        and (words[first - 1] in _SKIPPED or words[first - 1] not in STOP_WORDS)
    ):
        first -= 1
    return range(first, kind)


def _with_leads(words: Sequence[str], first: int) -> int:
    while first and words[first - 1] in _LEADS:
        first -= 1
    return first


def _called(path: str, title: str) -> frozenset[str]:
    place = PurePosixPath(path)
    return frozenset(_PART.findall(f"{place.parent.name} {place.stem} {title}".lower().replace("_", " ")))
