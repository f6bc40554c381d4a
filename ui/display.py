"""What the page shows of an answer, worked out from its record (`Answer.to_dict()`).

Pure: records in, values and clean HTML out. Knows neither Streamlit nor an index; a record may come from memory, from
a stored conversation or from an older version, so whatever it lacks counts as absent.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

from ingest.gather import ROADMAP_PATH
from rag.answer import EXTRACTIVE, WAYMARK, AnswerStatus
from rag.schema import Span
from ui.markup import answer_html, clean, escape, link, unfinished_html

Record = Mapping[str, Any]  # Any: JSON
NEAREST = 3  # passages that a refusal names
# What may be clicked below an answer, beside the labels of its marks.
INSPECT, RETRY, EVERYWHERE, UP, DOWN = "inspect", "retry", "everywhere", "up", "down"
FETCH = "fetch"  # what may be clicked beside a work that is not indexed
_INSTEAD = "instead-"  # before the number of a question that may be asked instead
_NEAREST_TITLE = "What lies nearest:"
_SHORT = 160  # characters of a passage that is near, or of a quote that a mark shows when pointed at
_DEEP = 2  # headings over a place, from which on the one above says more than the document's title
_QUOTED = 400  # of a quote beside a work
_VERDICTS = {
    "agrees": ("good", "✓ source agrees"),
    "differs": ("bad", "≠ source differs"),
    "not_found": ("", "not found in the source"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Says:
    """What a work itself says of the sentence that cites it."""

    verdict: str
    quote: str
    place: str
    pages: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    number: int
    title: str
    url: str
    says: Says | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What stands behind one mark: a place in one document, the quotes there, the works it rests on."""

    label: int
    source_id: str
    title: str
    path: str
    url: str | None
    heading_path: tuple[str, ...]
    pages: tuple[int, ...]
    quotes: tuple[str, ...]
    spans: tuple[Span, ...]  # of the quotes in the document
    support: float | None
    works: tuple[Work, ...] = ()

    @property
    def place(self) -> str:
        """The innermost heading, or the title where there is none."""
        return self.heading_path[-1] if self.heading_path else self.title


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """An answer as the page shows it."""

    text: str  # HTML
    evidence: tuple[Evidence, ...]  # one per label, in order of the labels
    refused: bool
    nearest: tuple[Evidence, ...]  # of a refusal
    suggestions: tuple[str, ...]  # questions that can be asked instead
    rewrite: str | None  # the stand-alone question that was searched for, where it differs
    limited_to: str  # the title of the section or document that it was limited to, if it was
    unsupported: int  # spans
    stopped: bool
    made_by: str  # "extractive, 0.02 s"
    warnings: tuple[str, ...]


def shown(record: Record) -> Shown:
    """Work out everything that is shown of one answer."""
    said = record.get("provenance", {}).get("generator") == WAYMARK  # a greeting returned is no refusal
    refused = record.get("status") == AnswerStatus.INSUFFICIENT_EVIDENCE and not said
    evidence = _cited(record)
    weak = tuple(_span(one) for one in record.get("unsupported_spans", ()))
    nearest = _nearest(record) if refused else ()
    rewrite = record.get("standalone")
    return Shown(
        text=_refusal(record["text"]) if refused else _answer(record, evidence, weak),
        evidence=evidence,
        refused=refused,
        nearest=nearest,
        suggestions=_suggestions(nearest),
        rewrite=rewrite if rewrite and rewrite != record.get("question") else None,
        limited_to=(record.get("scope") or {}).get("title") or "",
        unsupported=len(weak),
        stopped=record.get("usage", {}).get("stop_reason") == "cancelled",
        made_by=_made_by(record),
        warnings=tuple(record.get("warnings", ())),
    )


def cards_html(answer: Shown) -> str:
    """The places an answer cites, each a button; of a refusal, the passages that lie nearest."""
    if answer.refused:
        return _nearest_html(answer.nearest)
    places: dict[tuple[str, ...], list[Evidence]] = {}
    for one in answer.evidence:
        places.setdefault((one.source_id, *one.heading_path), []).append(one)
    several = len({one.source_id for one in answer.evidence}) > 1
    cards = "".join(_card(of_place, titled=several) for of_place in places.values())
    return clean(f'<div class="cards">{cards}</div>') if cards else ""


def instead_html(answer: Shown) -> str:
    """Of a refusal: what may be asked instead, each a button."""
    asked = ""
    if answer.refused and answer.limited_to:
        asked = f'<button type="button" class="card near" data-open="{EVERYWHERE}">The same of all documents</button>'
    asked += "".join(
        f'<button type="button" class="card near" data-open="{_INSTEAD}{n}">{escape(question)}</button>'
        for n, question in enumerate(answer.suggestions)
    )
    return clean(f'<p class="over">You could ask instead</p>{asked}') if asked else ""


def find_instead(answer: Shown, opened: str) -> str | None:
    """The question that a click on `data-open` asks instead, if it asks one."""
    found = (q for n, q in enumerate(answer.suggestions) if opened == f"{_INSTEAD}{n}")
    return next(found, None)


def note_html(answer: Shown) -> str:
    """What has to be said of an answer beside its text."""
    notes = list(answer.warnings)
    if answer.stopped:
        notes.append("Stopped before it was finished.")
    if answer.unsupported and not answer.warnings:
        notes.append("What is underlined is supported by no passage that was found.")
    return clean("".join(f"<p><small>{escape(note)}</small></p>" for note in notes))


def actions_html(answer: Shown, *, is_last: bool, good: bool | None = None) -> str:
    """What can be done with an answer: copy it, ask it again, see how it came about, say whether it is good (`good` is
    what was said); and who wrote it.
    """
    retry = f'<button type="button" class="act" data-open="{RETRY}">Retry</button>' if is_last else ""
    return clean(
        '<div class="actions"><button type="button" class="act" data-copy="1" title="As Markdown with its sources">'
        f'Copy</button>{retry}<button type="button" class="act" data-open="{INSPECT}" '
        'title="Candidates, scores, timings, settings">Inspect</button>'
        f"{_thumb(UP, 'Good answer', pressed=good is True)}{_thumb(DOWN, 'Bad answer', pressed=good is False)}"
        f"<small>{escape(answer.made_by)}</small></div>"
    )


def _thumb(what: str, name: str, *, pressed: bool) -> str:
    return (
        f'<button type="button" class="act {what}" data-open="{what}" aria-label="{name}" title="{name}" '
        f'aria-pressed="{str(pressed).lower()}"></button>'
    )


def find_evidence(answer: Shown, opened: str) -> Evidence | None:
    """What a click on `data-open` means."""
    for one in (*answer.evidence, *answer.nearest):
        if str(one.label) == opened:
            return one
    return None


def pages_text(pages: Iterable[int]) -> str:
    """ ", p. 3, 4", or nothing."""
    listed = ", ".join(map(str, pages))
    return f", p. {listed}" if listed else ""


def works_html(evidence: Evidence) -> str:
    """The works that the cited place rests on, and beside each what it says itself where it is indexed."""
    items = "".join(f"<li>{_work(work)}</li>" for work in evidence.works)
    if not items:
        return ""
    said = ""
    if any(work.says for work in evidence.works):
        said = _said("Roadmap says", " … ".join(evidence.quotes))
    return clean(f'<p class="over">What it rests on</p>{said}<ul class="works">{items}</ul>')


def streamed_html(text: str, *, formatted: bool) -> str:
    """The text so far, its marks not yet to be clicked."""
    return clean(f'<div class="streamed">{unfinished_html(text, formatted=formatted)}</div>')


def _made_by(record: Record) -> str:
    seconds = record.get("timings", {}).get("total_s")
    name = str(record.get("provenance", {}).get("generator", ""))
    return name if seconds is None else f"{name}, {seconds:.2f} s"


def _answer(record: Record, evidence: tuple[Evidence, ...], weak: tuple[Span, ...]) -> str:
    generator = dict(record.get("provenance", {})).get("generator", EXTRACTIVE)
    return answer_html(
        record["text"],
        labels={one.label: _preview(one) for one in evidence},
        unsupported=weak,
        formatted=generator != EXTRACTIVE,
    )


def _preview(one: Evidence) -> str:
    return f"{one.place}{pages_text(one.pages)}: “{_short(one.quotes[0], _SHORT)}”"


def _refusal(text: str) -> str:
    reason = text.split(_NEAREST_TITLE, maxsplit=1)[0]
    return clean(f'<div class="refusal">{answer_html(reason, labels={})}</div>')


def _cited(record: Record) -> tuple[Evidence, ...]:
    by_label: dict[int, list[Record]] = {}
    for citation in record.get("citations", ()):
        by_label.setdefault(citation["label"], []).append(citation)
    return tuple(_evidence(by_label[label]) for label in sorted(by_label))


def _evidence(citations: list[Record]) -> Evidence:
    first = citations[0]
    supports = [one["support"] for one in citations if one.get("support") is not None]
    return Evidence(
        label=first["label"],
        source_id=first["source_id"],
        title=first["title"],
        path=first["path"],
        url=first.get("url"),
        heading_path=tuple(first.get("heading_path") or ()),
        pages=tuple(sorted({page for one in citations for page in one.get("pages") or ()})),
        quotes=tuple(one["quote"] for one in citations),
        spans=tuple(_span(one["quote_span"]) for one in citations),
        support=min(supports) if supports else None,
        works=tuple(_works(citations)),
    )


def _works(citations: list[Record]) -> Iterator[Work]:
    seen: set[int] = set()
    for citation in citations:
        for one in citation.get("references", ()):
            if one["n"] not in seen:
                seen.add(one["n"])
                yield Work(number=one["n"], title=one["title"], url=one["url"], says=_says(one.get("says")))


def _says(says: Record | None) -> Says | None:
    if says is None:
        return None
    heading_path = says.get("heading_path") or ()
    return Says(
        verdict=says["verdict"],
        quote=says.get("quote") or "",
        place=heading_path[-1] if heading_path else "",
        pages=tuple(says.get("pages") or ()),
    )


def _of_passage(passage: Record) -> Evidence:
    span = passage.get("span")
    return Evidence(
        label=passage["label"],
        source_id=passage["source_id"],
        title=passage["title"],
        path=passage.get("path", ""),
        url=passage.get("url"),
        heading_path=tuple(passage.get("heading_path") or ()),
        pages=tuple(passage.get("pages") or ()),
        quotes=(passage["text"],),
        spans=(_span(span),) if span else (),
        support=None,
    )


def _nearest(record: Record) -> tuple[Evidence, ...]:
    """The best passage of each of the nearest places."""
    by_place: dict[tuple[str, ...], Evidence] = {}
    for passage in record.get("passages", ()):
        one = _of_passage(passage)
        by_place.setdefault((one.source_id, *one.heading_path), one)
    return tuple(by_place.values())[:NEAREST]


def _suggestions(nearest: tuple[Evidence, ...]) -> tuple[str, ...]:
    """One question for each heading of the roadmap among the nearest passages."""
    of_roadmap = (one for one in nearest if one.heading_path and one.path == ROADMAP_PATH)
    topics = dict.fromkeys(_topic(one.heading_path[-1]) for one in of_roadmap)
    return tuple(f"What does the roadmap say about {topic}?" for topic in topics if topic)


def _topic(heading: str) -> str:
    """A heading without its number and what it adds to its topic: "9.2. LoRA: A Method" and "Section 9: LoRA - Less"
    are both "LoRA".
    """
    words = heading.split()
    if words and words[0] in ("Part", "Section") and ":" in heading:
        heading = heading.split(":", 1)[1].strip()
    elif words and words[0].rstrip(".").replace(".", "").isdigit():
        heading = " ".join(words[1:])
    return re.split(r": | [-–—] ", heading, maxsplit=1)[0]


def _card(of_place: list[Evidence], *, titled: bool) -> str:
    """One place with the marks that lead there; a click opens the first. `titled`: its document is named, too."""
    first = of_place[0]
    above = first.title if titled or len(first.heading_path) < _DEEP else first.heading_path[-2]
    labels = "".join(f"<b>{one.label}</b>" for one in of_place)
    pages = pages_text(sorted({page for one in of_place for page in one.pages}))
    name = f"Sources {', '.join(str(one.label) for one in of_place)}: {first.place}{pages}"
    under = f"<small>{escape(above)}</small>" if above != first.place else ""
    return (
        f'<button type="button" class="card" data-open="{first.label}" title="{escape(first.place)}" '
        f'aria-label="{escape(name)}">{labels}{escape(_short(first.place, 60))}{escape(pages)}{under}</button>'
    )


def _nearest_html(nearest: tuple[Evidence, ...]) -> str:
    cards = "".join(_near_card(one) for one in nearest)
    return clean(f'<p class="over">Nearest passages</p>{cards}') if cards else ""


def _near_card(one: Evidence) -> str:
    return (
        f'<button type="button" class="card near" data-open="{one.label}"><span>{escape(one.place)}'
        f"{escape(pages_text(one.pages))}</span><small>{escape(_short(one.quotes[0], _SHORT))}</small></button>"
    )


def _work(work: Work) -> str:
    head = f"{work.number}. {link(work.url, work.title)}"
    if work.says is None:
        opens = f'class="badge" data-open="{FETCH}" title="The library fetches it or takes a file"'
        return f'{head} <button type="button" {opens}>not in the index ›</button>'
    kind, words = _VERDICTS.get(work.says.verdict, ("", work.says.verdict))
    badge = f' <span class="badge {kind}">{escape(words)}</span>'
    if not work.says.quote:
        return head + badge
    place = f"{work.says.place}{pages_text(work.says.pages)}".strip(", ")
    return head + badge + _said(f"Source says ({place})" if place else "Source says", work.says.quote)


def _said(who: str, quote: str) -> str:
    return f'<div class="says"><small>{escape(who)}</small>“{escape(_short(quote, _QUOTED))}”</div>'


def _short(text: str, limit: int) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= limit else folded[:limit].rsplit(" ", 1)[0] + " …"


def _span(pair: object) -> Span:
    start, end = cast("tuple[int, int]", pair)
    return Span(start=start, end=end)
