"""The checkable particulars of a sentence: its numbers and its names, in a form that can be compared.

Pure. "1,000", "1000" and "a thousand" are one number; "50 %" and "0.5" are one share; "SVMs" and "support vector
machines" are one name. Digits behind a letter ("GPT-4", "CS229") belong to a name. The word "one" counts only in
evidence: it is a pronoun more often than a number.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rag.terms import STOP_WORDS, stem

_SMALL = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen twenty"
).split()
_WORDS = {word: float(n) for n, word in enumerate(_SMALL)} | {
    word: float(10 * n) for n, word in enumerate("thirty forty fifty sixty seventy eighty ninety".split(), 3)
}
_TIMES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}
_SHORT_TIMES = {"k": 1e3, "K": 1e3, "M": 1e6, "B": 1e9, "m": 1e6, "bn": 1e9}
_SPELT = "|".join(sorted((*_WORDS, *_TIMES), key=len, reverse=True))
_NUMBER = re.compile(
    rf"(?<![\w.])(?<![A-Za-z]-)(?:(?P<digits>\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?)(?P<short>bn|[kKMBm](?![\w]))?"
    rf"|\b(?P<spelt>{_SPELT})\b)"
    rf"(?:[ \-](?P<times>hundred|thousand|million|billion|trillion)\b)?(?P<percent> ?%| percent\b| per cent\b)?",
    re.IGNORECASE,
)
_TOKEN = re.compile(r"[^\W_]+(?:[.+\-_'’/][^\W_]+)*\+*")
_OPENS = re.compile(r"(?:^|[.!?:;•]\s+|[\"“(\[]\s*)$")
_CODE = re.compile(r"[a-z][A-Z]|[A-Z]{2}|[A-Za-z]\d|_|[a-z]\.[a-z]")
_MOSTLY = 0.6  # share of capitalised words above which capitals say nothing: a heading, a shout


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    value: float
    percent: bool
    written: str

    def equals(self, other: "Number") -> bool:
        """The same amount, a share and its percentage included."""
        if self.percent == other.percent:
            return _close(self.value, other.value)
        share, plain = (self, other) if self.percent else (other, self)
        return _close(share.value, plain.value) or _close(share.value / 100, plain.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """`key` is lower case without a plural or possessive ending; `written` as it stands."""

    key: str
    written: str


def numbers(text: str) -> tuple[Number, ...]:
    """Numbers in order.

    >>> [n.value for n in numbers("1,000 of three million, 12.5 %, and GPT-4")]
    [1000.0, 3000000.0, 12.5]
    """
    return tuple(_number(found) for found in _NUMBER.finditer(text))


def _number(found: re.Match[str]) -> Number:
    digits, spelt = found["digits"], found["spelt"]
    if digits:
        value = float(digits.replace(",", "")) * _SHORT_TIMES.get(found["short"] or "", 1.0)
    else:
        word = spelt.lower()
        value = _WORDS.get(word, _TIMES.get(word, 1.0))
    if found["times"]:
        value *= _TIMES[found["times"].lower()]
    return Number(value=value, percent=bool(found["percent"]), written=found[0].strip(" -"))


def missing_numbers(statement: str, evidence: Iterable[str]) -> tuple[Number, ...]:
    """The statement's numbers that no piece of the evidence has."""
    held = [number for text in evidence for number in numbers(text)]
    return tuple(
        number
        for number in numbers(statement)
        if number.written.lower() != "one" and not any(number.equals(other) for other in held)
    )


def names(text: str) -> tuple[Name, ...]:
    """Names in order, each once: capitals inside a sentence, acronyms, words with digits or inner capitals.

    >>> [n.written for n in names("The Transformer of BERT beats GPT-4 and scikit.learn")]
    ['Transformer', 'BERT', 'GPT-4', 'scikit.learn']
    """
    tokens = [found for found in _TOKEN.finditer(text) if not found[0][0].isdigit()]
    capital = [found[0][0].isupper() for found in tokens]
    shouting = len(tokens) > 3 and sum(capital) > _MOSTLY * len(tokens)
    found_names: dict[str, Name] = {}
    for n, found in enumerate(tokens):
        word = found[0]
        opens = bool(_OPENS.search(text[: found.start()]))
        runs_on = n + 1 < len(tokens) and capital[n + 1] and text[found.end() : tokens[n + 1].start()] == " "
        plain_capital = capital[n] and not shouting and len(word) > 1 and (not opens or runs_on)
        if (plain_capital or _CODE.search(word)) and word.lower() not in STOP_WORDS:
            key = name_key(word)
            found_names.setdefault(key, Name(key=key, written=word))
    return tuple(found_names.values())


def name_key(word: str) -> str:
    """Lower case, without possessive and plural ending.

    >>> name_key("SVMs"), name_key("Google's")
    ('svm', 'google')
    """
    key = re.sub(r"['’]s?$", "", word.lower())
    return key[:-1] if len(key) > 3 and key.endswith("s") and not key.endswith("ss") else key


def missing_names(statement: str, evidence: Sequence[str]) -> tuple[Name, ...]:
    """The statement's names that the evidence has neither in full, nor in part of a compound, nor as initials."""
    joined = " ".join(evidence)
    tokens = [found[0] for found in _TOKEN.finditer(joined)]
    parts = [part for token in tokens for part in re.split(r"[.\-_/]", token) if part]
    held = {name_key(word) for word in (*tokens, *parts)} | {stem(word.lower()) for word in (*tokens, *parts)}
    initials = "".join(part[0].lower() for part in parts)
    acronyms = [
        name_key(token) for token in tokens if sum(c.isupper() for c in token) > 1 and token.isalnum()
    ]
    expanded = _expansions(statement, acronyms)
    return tuple(
        name
        for name in names(statement)
        if name.key not in held
        and stem(name.key) not in held
        and name.key not in expanded
        and not (
            len(name.key) > 2 and name.written.upper() == name.written.rstrip("s") and name.key in initials
        )
        and not all(name_key(part) in held for part in re.split(r"[.\-_/]", name.key) if part)
    )


def _expansions(statement: str, acronyms: Sequence[str]) -> frozenset[str]:
    """Words of the statement that together are spelt by the initials of an acronym in the evidence."""
    parts = [part for found in _TOKEN.finditer(statement) for part in re.split(r"[.\-_/]", found[0]) if part]
    initials = "".join(part[0].lower() for part in parts)
    found: set[str] = set()
    for acronym in acronyms:
        at = initials.find(acronym) if len(acronym) > 1 else -1
        if at >= 0:
            found |= {name_key(part) for part in parts[at : at + len(acronym)]}
    return frozenset(found)


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-9 * max(1.0, abs(one), abs(other))
