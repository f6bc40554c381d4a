"""How a follow-up reads without the turns before it, and what those turns were about.

Pure, by rule. The conversation is read from its start: every question in it is made to stand alone by what came before,
so that "and the other?" after "explain the second one" still knows of what. An exchange that was declined is passed
over where there is another: what the documents do not hold is no topic to go on from. Where no rule fits, the topic is
added in brackets.
"""

from collections.abc import Sequence

from rag.answer import DECLINED
from rag.courtesy import is_courtesy
from rag.followup import drop_change_of_topic, needs_history, without_joining
from rag.schema import Role, Turn
from rag.sentences import split_sentences
from rag.standalone.exchange import Exchange
from rag.standalone.items import of_items
from rag.standalone.rules import in_brackets, of_fragment, of_pointing, of_reason, of_relation
from rag.standalone.topic import topic_of

__all__ = ["Exchange", "background_of", "read_history", "stand_alone", "topic_of"]

_READ = 20  # the last exchanges


def read_history(history: Sequence[Turn]) -> tuple[Exchange, ...]:
    """The exchanges to go on from, oldest first: those that were answered, or all if none was."""
    read: list[Exchange] = []
    spoken = [pair for pair in _pairs(history) if not is_courtesy(pair[0])]  # thanks change no topic
    for asked, told in spoken[-_READ:]:
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
    found = of_items(asked, before, last)
    if found is None and not last.topic:
        return question, ""
    text, topic = (
        found
        or of_reason(asked, last)
        or of_pointing(asked, last)
        or of_relation(asked, last)
        or of_fragment(asked, last)
        or (in_brackets(asked, last.topic), last.topic)
    )
    return text[0].upper() + text[1:], topic
