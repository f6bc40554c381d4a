"""Sentences made false by one small change (a number, a name, a negation), and sentences reworded that stay true.

Pure and seeded: the same sentence and seed give the same change. Deliberately simple and blind to how a checker
works; a sentence that offers nothing to change gives None. The result may read oddly, its claim is another one.
"""

import random
import re
from collections.abc import Sequence
from enum import StrEnum


class Change(StrEnum):
    NUMBER = "number"
    NAME = "name"
    NEGATION = "negation"


_DIGITS = re.compile(r"(?<![\w.,-])\d+(?:,\d{3})*(?:\.\d+)?(?![\w-]|[.,]\d)")
_SPELT = re.compile(r"\b(?:two|three|four|five|six|seven|eight|nine|ten|twelve|twenty|thirty|fifty)\b")
_SPELT_WORDS = "two three four five six seven eight nine ten twelve twenty thirty fifty".split()
# A capitalised run inside a sentence: after a lower-case word, a comma or a bracket.
_NAME = re.compile(r"(?<=[a-z,(] )[A-Z][\w\-]*[a-z0-9A-Z](?: [A-Z][\w\-]+)*\b")
_AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|can|could|will|would|should|may|might|must|does|do|did|has been|have been|had been)\b"
)
_NOT_AFTER = re.compile(r"^(?: not\b|n't\b| ?n't\b| no\b| never\b)")
_IS_NOT = re.compile(
    r"\b(is|are|was|were|can|could|will|would|should|may|might|must|does|do|did|has|have|had)(?: not| n't|n't|'t|not)\b"
)
_ASIDE = re.compile(r" ?\([^()]*\)")
_BOTH = re.compile(r"\b(\w+) and (\w+)\b")
_OPENING = re.compile(r"^([A-Z][^,]{3,60}), (.{20,}[a-z])( ?[.])$")
_ADVERB = re.compile(r" \w{3,}ly\b(?= )")
_NO_NAMES = frozenset("I The A An In On It He She They This That However".split())


def perturb(sentence: str, change: Change, *, names: Sequence[str] = (), seed: int = 0) -> str | None:
    """The sentence with one change of the wanted kind, or None if it offers none.

    Args:
        names: names to choose from for `Change.NAME`; those that the sentence holds are left out.
    """
    draw = random.Random(f"{seed}:{change}:{sentence}")  # noqa: S311 (no secret: a repeatable choice)
    match change:
        case Change.NUMBER:
            return _change_number(sentence, draw)
        case Change.NAME:
            return _change_name(sentence, names, draw)
        case Change.NEGATION:
            return negate(sentence)


def find_names(text: str) -> tuple[str, ...]:
    """Capitalised runs inside sentences, in order of first appearance.

    >>> find_names("It was built by Marie Curie, in Paris.")
    ('Marie Curie', 'Paris')
    """
    return tuple(dict.fromkeys(m[0] for m in _NAME.finditer(text) if m[0].split()[0] not in _NO_NAMES))


def negate(sentence: str) -> str | None:
    """A negation taken out where there is one, else put behind the first auxiliary verb.

    >>> negate("The model is trained once."), negate("It does not scale."), negate("Dogs bark.")
    ('The model is not trained once.', 'It does scale.', None)
    """
    denied = _IS_NOT.search(sentence)
    if denied:
        return sentence[: denied.end(1)] + sentence[denied.end() :]
    for found in _AUXILIARY.finditer(sentence):
        rest = sentence[found.end() :]
        if rest and not _NOT_AFTER.match(rest):
            first = found[0].split()[0]
            after = found.start() + len(first)
            return f"{sentence[:after]} not{sentence[after:]}"
    return None


def reword(sentence: str) -> str | None:
    """The same claim, or a part of it, in other words order: asides and adverbs out, clauses and pairs turned round.

    >>> reword("In recent years, rivers (and lakes) of rain and snow have quickly grown.")
    'rivers of snow and rain have grown, in recent years.'
    """
    text = _ADVERB.sub("", _ASIDE.sub("", sentence))
    text = _BOTH.sub(r"\2 and \1", text)
    found = _OPENING.match(text)
    if found:
        opening, rest, stop = found.groups()
        text = f"{rest}, {opening[0].lower()}{opening[1:]}{stop}"
    return text if text != sentence else None


def _change_number(sentence: str, draw: random.Random) -> str | None:
    found = [*_DIGITS.finditer(sentence), *_SPELT.finditer(sentence)]
    if not found:
        return None
    chosen = draw.choice(found)
    old = chosen[0]
    new = _other_number(old, draw) if old[0].isdigit() else draw.choice([w for w in _SPELT_WORDS if w != old])
    return sentence[: chosen.start()] + new + sentence[chosen.end() :]


def _other_number(old: str, draw: random.Random) -> str:
    """Another number that looks the same: years stay years, decimals keep their places."""
    value = float(old.replace(",", ""))
    places = len(old.partition(".")[2])
    is_year = not places and "," not in old and 1000 <= value <= 2100
    new = (
        value + draw.choice([-1, 1]) * draw.randint(2, 25) if is_year else value * draw.choice([2, 3, 5]) + 1
    )
    return f"{new:,.{places}f}" if "," in old else f"{new:.{places}f}"


def _change_name(sentence: str, names: Sequence[str], draw: random.Random) -> str | None:
    found = [m for m in _NAME.finditer(sentence) if m[0].split()[0] not in _NO_NAMES]
    low = sentence.lower()
    others = [name for name in names if not any(word.lower() in low for word in name.split())]
    if not found or not others:
        return None
    chosen = draw.choice(found)
    return sentence[: chosen.start()] + draw.choice(others) + sentence[chosen.end() :]
