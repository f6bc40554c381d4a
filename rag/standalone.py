"""How a follow-up reads without the turns before it, and what those turns were about.

Pure, by rule. The conversation is read from its start: every question in it is made to stand alone by what came before,
so that "and the other?" after "explain the second one" still knows of what. An exchange that was declined is passed
over where there is another: what the documents do not hold is no topic to go on from. Where no rule fits, the topic is
added in brackets.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.answer import DECLINED
from rag.followup import (
    AUXILIARY,
    DEFINES,
    JUDGING,
    OPENS_ON,
    ORDINALS,
    RELATIONAL,
    drop_change_of_topic,
    is_name,
    needs_history,
    pointing_words,
    without_joining,
)
from rag.schema import Role, Turn
from rag.sentences import split_sentences
from rag.terms import STOP_WORDS, terms

_READ = 20  # the last exchanges
_TOPIC_WORDS, _ITEM_WORDS = 6, 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A question as it reads alone, what it is about (empty if nothing is known of that), and what it was told."""

    asked: str
    topic: str
    told: str = ""


def read_history(history: Sequence[Turn]) -> tuple[Exchange, ...]:
    """The exchanges to go on from, oldest first: those that were answered, or all if none was."""
    read: list[Exchange] = []
    for asked, told in _pairs(history)[-_READ:]:
        text, topic = _alone(drop_change_of_topic(asked), _answered(read)) if asked else ("", "")
        read.append(Exchange(asked=text, topic=topic, told=told))
    return _answered(read)


def stand_alone(question: str, before: Sequence[Exchange]) -> str:
    """A follow-up as it reads without what came before it; unchanged where that holds no topic."""
    return _alone(question, before, leans=True)[0]


def background_of(before: Sequence[Exchange]) -> str:
    """What the last exchange was about: its question, then its answer's opening."""
    if not before:
        return ""
    told = before[-1].told
    opening = " ".join(span.cut(told) for span in split_sentences(told)[:2])
    return f"{before[-1].asked} {opening}".strip()


def _pairs(history: Sequence[Turn]) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for turn in history:
        if turn.role is Role.USER:
            pairs.append((turn.text, ""))
        else:
            asked, told = pairs.pop() if pairs else ("", "")
            pairs.append((asked, f"{told}\n{turn.text}".strip()))
    return pairs


def _answered(read: Sequence[Exchange]) -> tuple[Exchange, ...]:
    return tuple(one for one in read if not one.told.startswith(DECLINED)) or tuple(read)


def _alone(question: str, before: Sequence[Exchange], *, leans: bool | None = None) -> tuple[str, str]:
    """The question as it reads alone and its topic."""
    last = next((one for one in reversed(before) if one.topic), before[-1] if before else None)
    if not (needs_history(question) if leans is None else leans) or last is None:
        return question, topic_of(question)
    asked = without_joining(question)
    found = _of_items(asked, before, last)
    if found is None and not last.topic:
        return question, ""
    text, topic = (
        found
        or _of_reason(asked, last)
        or _of_pointing(asked, last)
        or _of_relation(asked, last)
        or _of_fragment(asked, last)
        or (_in_brackets(asked, last.topic), last.topic)
    )
    return text[0].upper() + text[1:], topic


# --- what a question is about -----------------------------------------------------------------------------------------

_TRAILING = re.compile(
    r"\s+(?:work|works|mean|means|do|cover|covers|stand for|"
    r"(?:so )?(?:good|bad|used|useful|best|better|needed|meant|made|like)\b.*)$",
    re.IGNORECASE,
)
_SUBJECT = re.compile(rf"\b{AUXILIARY}\s+(?:the |an? )?(\w.*)", re.IGNORECASE)
_COMPARED = re.compile(r"([\w.+-]+) (?:vs\.?|versus) ([\w.+-]+)", re.IGNORECASE)
_SIDES = re.compile(r"\s+(?:vs\.?|versus|or|and|with|from|than|to)\s+", re.IGNORECASE)


def topic_of(question: str) -> str:
    """What a question that stands alone is about, in its own words; empty if it names nothing."""
    sentences = [span.cut(question) for span in split_sentences(question)]
    asking = next((one for one in reversed(sentences) if one.endswith("?")), "".join(sentences[-1:]))
    bare = without_joining(asking).rstrip("?!. ")
    return " ".join(_topic(bare).split()[:_TOPIC_WORDS])


def _topic(bare: str) -> str:
    defined = DEFINES.match(bare)
    if defined and len(defined[1].split()) <= _TOPIC_WORDS:
        return _TRAILING.sub("", defined[1])
    runs = _content_runs(bare)
    named = [run for run in runs if any(is_name(word) for word in run.split())]
    if compared := _COMPARED.search(bare):
        return f"{compared[1]} and {compared[2]}"
    if len(named) > 1 and _SIDES.search(bare):
        return " and ".join(_only_names(run) for run in named[:2])
    if (asked_of := _SUBJECT.search(bare)) and (subject := _subject(asked_of[1])):
        return subject
    return max(named or runs, key=len, default="")


def _subject(clause: str) -> str:
    """What does something, of "LoRA cut memory" or "gradient descent converge"; empty where that is a pronoun."""
    run = next(iter(_content_runs(clause)), "").split()
    if clause.split(maxsplit=1)[0].lower() in STOP_WORDS or len(run) < 2:
        return ""
    named = next((n for n, word in enumerate(run) if not is_name(word)), len(run))
    return " ".join(run[: named or min(len(run) - 1, 2)])


def _only_names(run: str) -> str:
    return " ".join(word for word in run.split() if is_name(word))


def _content_runs(text: str) -> list[str]:
    """Runs of neighbouring words that carry a topic."""
    runs: list[list[str]] = [[]]
    for word in text.split():
        bare = word.strip("\"'“”‘’(),;:?!.")
        if not bare or bare.lower() in STOP_WORDS:
            runs.append([])
            continue
        runs[-1].append(bare)
        if word[-1] in ",;:":
            runs.append([])
    return [" ".join(run) for run in runs if run]


# --- one of several ---------------------------------------------------------------------------------------------------

_THING = r"(?:one|item|point|pillar|step|option|kind|type|part|challenge|problem|reason)"
_PLACE = re.compile(rf"\b(?:the )?({'|'.join(ORDINALS)})(?: {_THING})?\b(?! \w+ing\b)", re.IGNORECASE)
_PAIR = re.compile(r"\bthe (former|latter)\b", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:the|an) ?other(?: one)?\b(?! [a-z])|\bthe other one\b", re.IGNORECASE)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(.+)$", re.MULTILINE)
_NAME = r"(?:[Aa]n? |[Tt]he )?[A-Z][\w.+-]*(?: [a-z]{3,})?"
_NAMED = re.compile(rf"({_NAME}(?:, {_NAME})*),? (?:and|or|vs\.?) ({_NAME})")
_MARKS = re.compile(r"\s*\[\d+\]")


def _of_items(asked: str, before: Sequence[Exchange], last: Exchange) -> tuple[str, str] | None:
    """With the item of the latest list, or the side of a comparison, that it points at."""
    for exchange in reversed(before):
        items = _items(exchange)
        place = _PLACE.search(asked) or _PAIR.search(asked)
        if place is not None and len(items) > 1:
            n = {"former": 0, "latter": 1, **ORDINALS}[place[1].lower()]
            return _with_item(asked, place, items[n], last) if n < len(items) else None
        place = _OTHER.search(asked)
        others = [item for item in items if item.lower() != last.topic.lower()]
        if place is not None and len(items) == 2 and len(others) == 1:
            return _with_item(asked, place, others[0], last)
    return None


def _with_item(asked: str, place: re.Match[str], item: str, last: Exchange) -> tuple[str, str]:
    if terms(asked.replace(place[0], " ")) or asked.rstrip("?!. ") != place[0]:
        return _put(asked, place, item), item
    return _instead(last, item) or f"{item}?", item


def _items(exchange: Exchange) -> list[str]:
    """What an exchange lists: items on lines of their own, else names joined by "and" in its answer or question."""
    listed = [_label(_MARKS.sub("", item)) for item in _ITEM.findall(exchange.told)]
    if len(listed) > 1:
        return listed
    for text in (exchange.told, exchange.asked):
        if named := _NAMED.search(text):
            both = [*named[1].split(", "), named[2]]
            return [re.sub(r"^(?:an?|the) ", "", one.rstrip("."), flags=re.IGNORECASE) for one in both]
    sides = exchange.topic.split(" and ")
    return sides if len(sides) == 2 else []


def _label(item: str) -> str:
    label = re.split(r":\s|:$|\s[-–—]\s|\.\s", item, maxsplit=1)[0].strip("*_ ")
    return " ".join(label.rstrip(".").split()[:_ITEM_WORDS])


# --- the last question again, or its topic put in ---------------------------------------------------------------------

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


def _of_reason(asked: str, last: Exchange) -> tuple[str, str] | None:
    bare = last.asked.rstrip("?!. ")
    found = _WHY.match(asked.rstrip("?!. "))
    if found is None or not bare:
        return None
    if _YES_OR_NO.match(bare) and not found[1]:
        return f"Why {bare[0].lower()}{bare[1:]}?", last.topic
    return f"{bare}, and why{' not' if found[1] else ''}?", last.topic


def _of_pointing(asked: str, last: Exchange) -> tuple[str, str] | None:
    """With the topic in place of the first word that points back."""
    if found := _DEMONSTRATIVE.search(asked):
        return _put(asked, found, last.topic), last.topic
    for found in pointing_words(asked):
        own = found[0].lower() in ("its", "their", "his", "her") and asked[found.end() :].strip(" ?!.,")
        return _put(asked, found, f"{last.topic}'s" if own else last.topic), last.topic
    return None


def _of_relation(asked: str, last: Exchange) -> tuple[str, str] | None:
    """ "What are the drawbacks?" with the topic that they are of."""
    if found := _DIFFERENCE.search(asked):
        return _put(asked, found, f"{found[1]} between {last.topic} and"), last.topic
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


def _of_fragment(asked: str, last: Exchange) -> tuple[str, str] | None:
    """ "And GPT?" is the last question asked of GPT; "and for images?" the same question for images."""
    found = _FRAGMENT.match(asked)
    if (
        found is None
        or re.search(rf"\b{AUXILIARY}\b", asked, re.IGNORECASE)
        or len(found[1].split()) > _TOPIC_WORDS
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
    again = _instead(last, said)
    return (again, said) if again else None


def _is_aspect(said: str, topic: str) -> bool:
    """Whether what is said is something of a named topic and not another thing of its kind."""
    named = any(map(is_name, topic.split()))
    return named and not any(map(is_name, said.split())) and not set(terms(said)) & set(terms(topic))


def _instead(last: Exchange, said: str) -> str:
    """The last question with something else in its topic's place; empty if it does not hold its topic."""
    if not last.topic:
        return ""
    place = re.search(rf"(?<!\w){re.escape(last.topic)}(?!\w)", last.asked, re.IGNORECASE)
    return _put(last.asked, place, said) if place else ""


def _in_brackets(asked: str, topic: str) -> str:
    body = asked.rstrip("?!. ")
    return f"{body} (about {topic}){asked[len(body) :].strip() or '?'}"


def _put(question: str, found: re.Match[str], said: str) -> str:
    return question[: found.start()] + said + question[found.end() :]
