"""Words as search terms: lower case, English stems, without the words that carry no topic.

Pure. One tokeniser for the lexical index, for the coverage of a question by a sentence and for the repair of typing
errors, so that all three mean the same by a term.
"""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache

import Stemmer

# Inner dots, plus and hyphens hold names together: "scikit-learn", "3.9-slim", "tf.js", "c++".
_WORD = re.compile(r"[^\W_]+(?:[.+\-'’][^\W_]+)*\+*")
_PARTS = re.compile(r"[-.]")
_CHANGES_SENSE = (
    "semi-",
    "non-",
    "un-",
    "anti-",
    "quasi-",
    "pseudo-",
)  # "semi-supervised" is not "supervised"
_STEM = Stemmer.Stemmer("english").stemWord

STOP_WORDS = frozenset(
    """a about according actually after again all also although am an and another any anyone anything are
    aren't around as ask at be because been before being between both but by came can can't cannot come
    could couldn't did didn't do does doesn't doing don't done during each either else especially etc even
    ever every exactly explain for from further gave get gets getting give given gives go goes going gonna
    got had has hasn't have haven't having he hello help her here hers hey hi him his how how's however i
    i'd i'll i'm i've if in instead into is isn't it it's its itself just kind know let let's like lot lots
    make makes many may maybe me mean means meant might mine more most much must my myself name need no nor
    not now of off ok okay on once one ones only onto or other others our ours out over own part people
    perhaps please pls possible put quick quite rather really said same say says see shall she should show
    since so some somebody someone something sort still stuff such sure take tell than thank thanks that
    that's the their them then there there's these they they're thing things think this those though through
    thus to together too toward towards two under until up upon us use used uses using very via want was
    wasn't way ways we well were what what's whats when where whether which while who whom whose why why's
    will with within without won't would wouldn't yes yet you you're your yours yourself""".split()
)


def words(text: str) -> tuple[str, ...]:
    """Words in order, lower case, apostrophes straight.

    >>> words("TF.js and Scikit-Learn's API")
    ('tf.js', 'and', "scikit-learn's", 'api')
    """
    return tuple(match[0].lower().replace("’", "'") for match in _WORD.finditer(text))


def without_words(text: str, gone: Collection[str]) -> str:
    """The text without some of its `words`.

    >>> without_words("Is Plotly better than Seaborn?", ["plotly"])
    'Is  better than Seaborn?'
    """
    return _WORD.sub(lambda match: "" if words(match[0])[0] in gone else match[0], text)


def terms(text: str) -> tuple[str, ...]:
    """Search terms in order, repeats kept. A compound gives itself and its parts, unless a prefix changes its sense.

    >>> terms("How does pre-training scale?")
    ('pre-train', 'pre', 'train', 'scale')
    """
    found: list[str] = []
    for written in words(text):
        word = written.removesuffix("'s")
        if word in STOP_WORDS:
            continue
        found.append(stem(word))
        parts = [part for part in _PARTS.split(word) if part]
        if len(parts) > 1 and not word.startswith(_CHANGES_SENSE):
            found += [stem(part) for part in parts if part not in STOP_WORDS]
    return tuple(found)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The English Snowball stem of a lower-case word."""
    return str(_STEM(word))


def distinct(found: Iterable[str]) -> tuple[str, ...]:
    """Without repeats, in order of first appearance."""
    return tuple(dict.fromkeys(found))
