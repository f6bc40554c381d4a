"""Follow-ups that point at one of several: "the second one", "the latter", "the other"."""

import re
from collections.abc import Sequence

from rag.followup import ORDINALS
from rag.standalone.exchange import Exchange, instead, put
from rag.terms import terms

_ITEM_WORDS = 8
_THING = r"(?:one|item|point|pillar|step|option|kind|type|part|challenge|problem|reason)"
_PLACE = re.compile(rf"\b(?:the )?({'|'.join(ORDINALS)})(?: {_THING})?\b(?! \w+ing\b)", re.IGNORECASE)
_PAIR = re.compile(r"\bthe (former|latter)\b", re.IGNORECASE)
_OTHER = re.compile(r"\b(?:the|an) ?other(?: one)?\b(?! [a-z])|\bthe other one\b", re.IGNORECASE)
_ITEM = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+(.+)$", re.MULTILINE)
_NAME = r"(?:[Aa]n? |[Tt]he )?[A-Z][\w.+-]*(?: [a-z]{3,})?"
_NAMED = re.compile(rf"({_NAME}(?:, {_NAME})*),? (?:and|or|vs\.?) ({_NAME})")
_MARKS = re.compile(r"\s*\[\d+\]")


def of_items(asked: str, before: Sequence[Exchange], last: Exchange) -> tuple[str, str] | None:
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
        return put(asked, place, item), item
    return instead(last, item) or f"{item}?", item


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
