"""Whether a question is in another language than English, by its letters and its commonest words.

Pure and careful: it only decides what a refusal says. The embedder and the stems are English; what the documents hold
may well be found in English only.
"""

import unicodedata

from rag.terms import STOP_WORDS, words

_MOSTLY = 0.7  # of the letters are Latin
_ENOUGH = 2  # words that are common elsewhere
# Short words that make up much of what is written in German, French, Spanish, Italian, Portuguese and Dutch.
_ELSEWHERE = (
    frozenset(
        """der die das und ist wie was warum wer wo welche welcher welches ein eine einen nicht mit für von zu auf kann
    le la les des est et que quelle quel quels comment pourquoi qui qu'est-ce une un dans pour avec sur c'est ce
    el los las qué que cómo por cuál cuáles es una para con del dónde quién y en
    il lo gli che cos'è perché come dove una per con di del della e sono
    o os qual quais porquê como onde uma para com do da não são
    de het een wat hoe waarom wie welke en van voor met niet zijn""".split()
    )
    - STOP_WORDS
)


def is_not_english(question: str) -> bool:
    """Whether a person would say that this is not English.

    >>> is_not_english("Qu'est-ce que l'apprentissage supervisé ?"), is_not_english("What is the ELU?")
    (True, False)
    """
    letters = [c for c in question if c.isalpha()]
    latin = sum(unicodedata.name(c, "").startswith("LATIN") for c in letters)
    if latin < _MOSTLY * len(letters):
        return True
    spoken = words(question)
    english = sum(word in STOP_WORDS for word in spoken)
    return sum(word in _ELSEWHERE for word in spoken) >= max(_ENOUGH, english + 1)
