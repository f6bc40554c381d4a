"""Mending typing errors with the index's own words.

A word is taken for an error only if the index does not have it and the embedder's tokenizer does not know it as one
whole piece, so that good English outside the documents is left alone. It is replaced by the nearest word of the index
(optimal string alignment, so that a swap of neighbours is one error); nothing near enough, nothing replaced.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rapidfuzz import process
from rapidfuzz.distance import OSA

from rag.terms import STOP_WORDS

_SUFFIXES = ("s", "es", "ed", "d", "er", "ers", "or", "ors", "ing", "ly", "able", "less", "ness", "est")
_Y_SUFFIXES = ("ier", "iers", "iest", "ies", "ied")
_PREFIXES = ("re", "un", "pre", "non", "de", "multi")
_TOKEN = re.compile(r"[^\W_][\w'’.\-]*")
_WORD = re.compile(r"(?<![\w.\-])[A-Za-z][A-Za-z'’\-]*[A-Za-z](?![\w\-])")


# What people of the field write for short; not taken from any question set.
ABBREVIATIONS = {
    "ann": "artificial neural network", "backprop": "backpropagation", "config": "configuration",
    "convnet": "convolutional neural network", "convnets": "convolutional neural networks", "db": "database",
    "dl": "deep learning", "docs": "documents", "env": "environment", "hparams": "hyperparameters",
    "hyperparams": "hyperparameters", "lib": "library", "libs": "libraries", "linreg": "linear regression",
    "logreg": "logistic regression", "lm": "language model", "lms": "language models", "maths": "mathematics",
    "nets": "networks", "nn": "neural network", "nns": "neural networks", "params": "parameters",
    "perf": "performance", "prod": "production", "repo": "repository", "repos": "repositories",
    "sklearn": "scikit-learn", "stats": "statistics", "tf": "tensorflow",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Speller:
    """Mends words. `counts` are the words of the index with their frequency; `is_word` knows plain English."""

    counts: Mapping[str, int]
    is_word: Callable[[str], bool]

    def mend(self, text: str) -> str:
        """The text with each misspelt word replaced.

        Errors allowed: one in words of four to seven letters, two from eight on; in words of four and five only a
        swap or a missing letter. Names (a capital inside) and compounds are left alone.
        """
        return _WORD.sub(lambda match: self._mend_word(match[0]), text)

    def unknown_names(self, text: str) -> tuple[str, ...]:
        """Names in a question that the index does not have: "QLoRA", "GPT-4", "Kubernetes", "k-means".

        A name is written with a capital or a figure inside, with a capital where no sentence starts, as a compound
        with a part of one letter, or is a word that plain English does not have.
        """
        found = []
        for match in _TOKEN.finditer(text):
            word = match[0].strip(".-'’").replace("’", "'").removesuffix("'s")
            lower = word.lower()
            if not word or lower in STOP_WORDS or self._has(lower) or self._has(_other_number(lower)):
                continue
            before = text[: match.start()].rstrip()
            if self._is_name(word, opens=not before or before[-1] in ".?!:"):
                found.append(word)
        return tuple(found)

    def _is_name(self, word: str, *, opens: bool) -> bool:
        if any(letter.isdigit() for letter in word):
            return any(letter.isalpha() for letter in word)
        parts = re.split(r"[-._]", word.lower())
        if len(parts) > 1:
            return min(len(part) for part in parts) == 1 or not all(self._is_known(part) for part in parts)
        if any(letter.isupper() for letter in word[1:]):
            return True
        if word[0].isupper() and not opens:
            return not any(map(self._has, _forms(word.lower())))
        return not self._is_known(word.lower())

    def _has(self, word: str) -> bool:
        """The index has the word, be it only as an owner: "Chebyshev" in "Chebyshev's inequality"."""
        return word in self.counts or f"{word}'s" in self.counts

    def _is_known(self, word: str) -> bool:
        if word in STOP_WORDS or any(self._has(form) or self.is_word(form) for form in _forms(word)):
            return True
        halves = ((word[:n], word[n:]) for n in range(4, len(word) - 3))  # "drawback", "paperwork"
        return any(self.is_word(first) and self.is_word(second) for first, second in halves)

    def _mend_word(self, word: str) -> str:
        lower = word.lower()
        if lower in ABBREVIATIONS and lower not in self.counts:
            return ABBREVIATIONS[lower]
        is_name = any(letter.isupper() for letter in word[1:])
        if len(lower) < 4 or is_name or self._is_known(lower) or "-" in lower or "'" in lower:
            return word
        allowed = 1 if len(lower) < 8 else 2
        near = process.extract(
            lower, self.counts.keys(), scorer=OSA.distance, score_cutoff=allowed, limit=None
        )
        likely = [hit for hit in near if len(lower) >= 6 or _is_slip(lower, hit[0])]
        if not likely:
            return word
        _, nearest = min(
            ((distance, meant[0] != lower[0], -self.counts[meant]), meant) for meant, distance, _ in likely
        )
        return nearest


def _other_number(word: str) -> str:
    """The singular of a plural and the reverse, as far as a final s goes: "CNN" and "CNNs"."""
    return word[:-1] if word.endswith("s") else f"{word}s"


def _forms(word: str) -> tuple[str, ...]:
    """The word and what it may be made from: "rewriting" is known because "writing" is."""
    forms = [word, *(word.removesuffix(suffix) for suffix in _SUFFIXES if word.endswith(suffix))]
    forms += [form + "e" for form in forms[1:]]
    forms += [word.removesuffix(suffix) + "y" for suffix in _Y_SUFFIXES if word.endswith(suffix)]
    forms += [word.removeprefix(prefix) for prefix in _PREFIXES if word.startswith(prefix)]
    return tuple(form for form in forms if len(form) > 2)


def _is_slip(word: str, meant: str) -> bool:
    """In a short word only a swap or a missing letter counts, behind the right first letter: "kagle", not "libs"."""
    return word[0] == meant[0] and (sorted(word) == sorted(meant) or len(meant) > len(word))
