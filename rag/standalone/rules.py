"""Follow-ups that ask the last question again, or leave out its topic. Each rule gives question and topic, or None."""

import re

from rag.followup import AUXILIARY, JUDGING, OPENS_ON, RELATIONAL, is_name, pointing_words
from rag.standalone.exchange import Exchange, instead, put
from rag.standalone.topic import TOPIC_WORDS
from rag.terms import terms

_WHY = re.compile(
    r"^(?:why|how)(?: (?:so|come)| (?:is|was) (?:that|this|it)(?: so)?)?$|^(why not)$", re.IGNORECASE
)
_YES_OR_NO = re.compile(rf"^{AUXILIARY}\b", re.IGNORECASE)
_DEMONSTRATIVE = re.compile(
    r"\b(?:this|that|these|those) (?:technique|method|approach|model|algorithm|idea|concept|library|tool|"
    r"framework|architecture|process|function|thing|one)s?\b",
    re.IGNORECASE,
)
_DIFFERENCE = re.compile(r"\b(differences?) (?:to|from|with)\b", re.IGNORECASE)
_PREPOSITIONS = r"(?:for|in|with|on|at|to|from|by|without|during|after|of|between|than)"
_FRAGMENT = re.compile(r"^(?:(?:what|how) about )?(?:the |an? )?(.+?)[?!. ]*$", re.IGNORECASE)
_MORE = re.compile(
    r"^(?:(?:please )?tell me )?(?:some |a bit |a little )?more\b|^(?:go on|continue|elaborate)\b",
    re.IGNORECASE,
)


def of_reason(asked: str, last: Exchange) -> tuple[str, str] | None:
    """ "Why?" is the last question with its reason asked for."""
    bare = last.asked.rstrip("?!. ")
    found = _WHY.match(asked.rstrip("?!. "))
    if found is None or not bare:
        return None
    if _YES_OR_NO.match(bare) and not found[1]:
        return f"Why {bare[0].lower()}{bare[1:]}?", last.topic
    return f"{bare}, and why{' not' if found[1] else ''}?", last.topic


def of_pointing(asked: str, last: Exchange) -> tuple[str, str] | None:
    """With the topic in place of the first word that points back."""
    if found := _DEMONSTRATIVE.search(asked):
        return put(asked, found, last.topic), last.topic
    for found in pointing_words(asked):
        own = found[0].lower() in ("its", "their", "his", "her") and asked[found.end() :].strip(" ?!.,")
        return put(asked, found, f"{last.topic}'s" if own else last.topic), last.topic
    return None


def of_relation(asked: str, last: Exchange) -> tuple[str, str] | None:
    """ "What are the drawbacks?" with the topic that they are of."""
    if found := _DIFFERENCE.search(asked):
        return put(asked, found, f"{found[1]} between {last.topic} and"), last.topic
    if _MORE.match(asked) and set(terms(asked)) <= RELATIONAL:
        return f"Tell me more about {last.topic}", last.topic
    related = [
        found
        for found in re.finditer(r"[\w-]+", asked)
        if terms(found[0]) and set(terms(found[0])) <= RELATIONAL
    ]
    if not related or not set(terms(asked)) <= RELATIONAL or set(terms(related[-1][0])) <= JUDGING:
        return None
    at = related[-1].end()
    if re.match(rf"\s+{_PREPOSITIONS}\b", asked[at:], re.IGNORECASE):
        return None
    return f"{asked[:at]} of {last.topic}{asked[at:]}", last.topic


def of_fragment(asked: str, last: Exchange) -> tuple[str, str] | None:
    """ "And GPT?" is the last question asked of GPT; "and for images?" the same question for images."""
    found = _FRAGMENT.match(asked)
    if (
        found is None
        or re.search(rf"\b{AUXILIARY}\b", asked, re.IGNORECASE)
        or len(found[1].split()) > TOPIC_WORDS
    ):
        return None
    said = found[1]
    bare = last.asked.rstrip("?!. ")
    if re.match(rf"{_PREPOSITIONS}\b", said, re.IGNORECASE):
        return f"{bare} {said}?", last.topic
    is_fragment = OPENS_ON.match(asked) or not re.match(
        r"(?:wh\w+|how|any|give|explain)\b", said, re.IGNORECASE
    )
    if not is_fragment:
        return None
    if _is_aspect(said, last.topic):
        return f"{asked.rstrip('?!. ')} of {last.topic}?", last.topic
    again = instead(last, said)
    return (again, said) if again else None


def _is_aspect(said: str, topic: str) -> bool:
    """Whether what is said is something of a named topic and not another thing of its kind."""
    named = any(map(is_name, topic.split()))
    return named and not any(map(is_name, said.split())) and not set(terms(said)) & set(terms(topic))


def in_brackets(asked: str, topic: str) -> str:
    """The question with its topic behind it, where no rule says where to put it."""
    body = asked.rstrip("?!. ")
    return f"{body} (about {topic}){asked[len(body) :].strip() or '?'}"
