"""Whether two sentences that share their words say the same of them, or one denies what the other says.

Pure. A negation reaches the next few content words of its clause; a shared word that one sentence negates and the
other does not is a flip, and so is an opposite ("supervised" and "unsupervised", "increase" and "decrease"). Grammar
is not parsed: double negation and irony are beyond this.
"""

import re
from collections.abc import Mapping

from rag.terms import STOP_WORDS, stem, words

_NEGATIONS = frozenset(
    "not no never without cannot nor neither none nothing nobody hardly rarely seldom lack lacks lacking unable fail "
    "fails failed prevent prevents preventing avoid avoids avoiding impossible incapable absence absent".split()
)
_TWO_WORDS = re.compile(r"\b(?:rather than|instead of|no longer|far from)\b", re.IGNORECASE)
# "not only … but also" denies nothing, "no doubt" neither; nor does a "No," that answers a question.
_EMPTY = re.compile(
    r"^\W*no[,.:;]|\b(?:not (?:only|just|merely|necessarily the only)|no (?:doubt|matter)|if not|or not)\b",
    re.IGNORECASE,
)
_CLAUSE_END = re.compile(
    r"[,;:.!?()]|\b(?:but|although|though|while|whereas|however|because)\b", re.IGNORECASE
)
_REACH = 2  # content words that a negation reaches
_PIECE = re.compile(r"[^\W_]+(?:['’\-][^\W_]+)*|[^\w\s]")
_PREFIXES = ("un", "in", "im", "ir", "non", "non-", "dis", "anti-")
_OPPOSITES = """
    increase/decrease increase/reduce raise/lower rise/fall grow/shrink high/low higher/lower highest/lowest more/less
    more/fewer most/least large/small larger/smaller big/small long/short longer/shorter fast/slow faster/slower
    before/after above/below over/under always/never all/none every/no maximum/minimum maximize/minimize
    maximise/minimise positive/negative best/worst better/worse same/different similar/different easy/difficult
    easy/hard simple/complex true/false win/lose won/lost cheap/expensive early/late first/last start/end begin/end
    include/exclude allow/forbid allow/prevent accept/reject strong/weak stronger/weaker old/new open/closed
    linear/nonlinear static/dynamic online/offline left/right north/south east/west up/down inside/outside
    internal/external public/private manual/automatic local/global gain/loss advantage/disadvantage
    necessary/optional required/optional enable/disable forward/backward encoder/decoder input/output
    overfitting/underfitting precision/recall supervised/unsupervised true/untrue with/without success/failure
""".split()


def _pairs() -> Mapping[str, frozenset[str]]:
    table: dict[str, set[str]] = {}
    for pair in _OPPOSITES:
        one, _, other = pair.partition("/")
        for a, b in ((one, other), (other, one)):
            table.setdefault(stem(a), set()).add(stem(b))
    return {word: frozenset(others) for word, others in table.items()}


_OPPOSITE = _pairs()


def flips(statement: str, evidence: str) -> tuple[str, ...]:
    """Words that the statement and the evidence use with opposite sense, as the statement has them.

    >>> flips("Dropout is not applied at test time", "Dropout is applied at test time")
    ('applied', 'test')
    """
    said, told = polarities(statement), polarities(evidence)
    written = {stem(word): word for word in reversed(words(statement))}
    found = []
    for word, negated in said.items():
        if word in told:
            if told[word] != negated and None not in (told[word], negated):
                found.append(written.get(word, word))
        elif any(other in told and other not in said for other in _opposites(word)):
            found.append(written.get(word, word))
    return tuple(found)


def denials(text: str) -> int:
    """How many negations a text has, those that deny nothing left out.

    >>> denials("It is not only fast; it cannot fail.")
    2
    """
    text = _TWO_WORDS.sub(" not ", _EMPTY.sub(" ", text))
    return sum(_denies(piece[0].lower().replace("’", "'")) for piece in _PIECE.finditer(text))


def _denies(word: str) -> bool:
    return word in _NEGATIONS or word.endswith("n't")


def polarities(text: str) -> dict[str, bool | None]:
    """Content stems to whether a negation reaches them; None where the text has both."""
    found: dict[str, bool | None] = {}
    text = _TWO_WORDS.sub(" not ", _EMPTY.sub(" ", text))
    left = 0
    for piece in _PIECE.finditer(text):
        word = piece[0].lower().replace("’", "'")
        if _CLAUSE_END.fullmatch(word):
            left = 0
        elif _denies(word):
            left = _REACH
        elif word[0].isalnum() and (word not in STOP_WORDS or stem(word) in _OPPOSITE):
            key, negated = stem(word), left > 0
            found[key] = negated if found.get(key, negated) == negated else None
            left = max(left - 1, 0)
    return found


def _opposites(word: str) -> frozenset[str]:
    bare = {
        word.removeprefix(prefix)
        for prefix in _PREFIXES
        if word.startswith(prefix) and len(word) > len(prefix) + 3
    }
    return _OPPOSITE.get(word, frozenset()) | bare | {prefix + word for prefix in _PREFIXES if len(word) > 3}
