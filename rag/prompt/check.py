"""A model's answer held against the passages that it cites: what stands, on which words, and what does not.

Pure over a checker and documents. A sentence is supported if the checker says so of the sentences of the passages that
it cites. Only marks that help to support a sentence are kept, so that every mark that is shown has been checked; no
threshold is ever lowered to let one appear.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from rag.answer import Citation, Passage, Reference
from rag.ground.support import Checker, Stance, Support
from rag.prompt.evidence import Told
from rag.prompt.marks import Mark
from rag.prompt.splice import with_blank_before, without
from rag.prompt.units import Unit, is_connective
from rag.schema import OpenDocument, Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A labelled passage with what a check needs of it."""

    passage: Passage
    document: OpenDocument
    told: tuple[Told, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The text to be shown and what was found out about it; spans are of `text`."""

    text: str
    citations: tuple[Citation, ...]
    unsupported: tuple[Span, ...]
    reasons: tuple[str, ...]  # why each unsupported span is one
    supported: int  # sentences
    claims: int  # sentences that have to be supported

    @property
    def share(self) -> float:
        """Of its claims that are supported; 0 for an answer without claims."""
        return self.supported / self.claims if self.claims else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    unit: Unit
    claim: bool
    supports: Mapping[int, tuple[Support, tuple[Told, ...]]]  # label -> its support and the words quoted
    reason: str = ""


def check_answer(
    text: str,
    units: Sequence[Unit],
    *,
    sources: Mapping[int, Source],
    checker: Checker,
    question: str,
    strict: bool = False,
) -> Checked:
    """Check every sentence of an answer, taken apart. With `strict`, what is not supported is left out of the text."""
    judged = [_judge(unit, sources, checker, question) for unit in units]
    kept = {m.span for one in judged for m in one.unit.marks if _is_needed(m, one, judged)}
    dropped = [m.span for unit in units for m in unit.marks if m.span not in kept]
    failed = [one for one in judged if one.claim and not one.supports]
    if strict:
        dropped += _whole_lines(text, [one.unit for one in judged], {id(one.unit) for one in failed})
        failed = []
    left = without(text, [_with_its_blank(text, span, dropped, kept) for span in dropped])
    claims = sum(one.claim for one in judged)
    return Checked(
        text=left.text.strip(),
        citations=_citations(judged, sources, _places(left.text, left.span)),
        unsupported=tuple(_places(left.text, left.span)(one.unit.span) for one in failed),
        reasons=tuple(one.reason for one in failed),
        supported=sum(one.claim and bool(one.supports) for one in judged),
        claims=claims,
    )


def _judge(unit: Unit, sources: Mapping[int, Source], checker: Checker, question: str) -> _Judged:
    labels = [label for label in unit.labels if label in sources]
    told = [one for label in labels for one in sources[label].told]
    together = checker.check(unit.text, [one.text for one in told]) if told else None
    if together is None or together.stance is not Stance.SUPPORTED:
        if is_connective(unit.text, question):
            return _Judged(unit=unit, claim=False, supports={})
        reason = "; ".join(together.reasons) if together else "it cites no passage"
        return _Judged(unit=unit, claim=True, supports={}, reason=reason)
    alone = {label: checker.check(unit.text, [one.text for one in sources[label].told]) for label in labels}
    able = {label: s for label, s in alone.items() if s.stance is Stance.SUPPORTED}
    # Where it takes several passages to say it, each of them stands with what all of them are worth.
    worth = able or {label: replace(together, evidence=one.evidence) for label, one in alone.items()}
    quoted = {
        label: (support, _quoted(unit.text, support, sources[label].told, checker))
        for label, support in worth.items()
        if support.evidence is not None
    }
    return _Judged(unit=unit, claim=True, supports=quoted)


def _quoted(statement: str, support: Support, told: Sequence[Told], checker: Checker) -> tuple[Told, ...]:
    """The fewest neighbouring sentences around the best one that support the statement; else the best one."""
    best = support.evidence or 0
    for first, last in ((best, best), (best, best + 1), (best - 1, best), (best - 1, best + 1)):
        if first < 0 or last >= len(told):
            continue
        run = tuple(told[first : last + 1])
        if checker.check(statement, [one.text for one in run]).stance is Stance.SUPPORTED:
            return run
    return (told[best],)


def _is_needed(mark: Mark, owner: _Judged, judged: Sequence[_Judged]) -> bool:
    """A mark stays if it supports its own sentence, or one before it in the paragraph that it speaks for."""
    spoken_for = (one for one in judged if not one.unit.marks and one.unit.group == owner.unit.group)
    return mark.label in owner.supports or any(
        mark.label in one.supports and one.unit.span < owner.unit.span for one in spoken_for
    )


def _whole_lines(text: str, units: Sequence[Unit], failed: set[int]) -> list[Span]:
    """What to take out so that the failed sentences are gone: them, or their line where nothing else is on it."""
    taken: list[Span] = []
    for unit in units:
        if id(unit) not in failed:
            continue
        start = text.rfind("\n", 0, unit.span.start) + 1
        stop = text.find("\n", unit.span.end)
        line = Span(start=start, end=len(text) if stop < 0 else stop + 1)
        others = [u for u in units if id(u) not in failed and line.start <= u.span.start < line.end]
        marks = [mark.span for mark in unit.marks]
        taken += [unit.span, *marks] if others else [line]
    return taken


def _with_its_blank(text: str, span: Span, dropped: Sequence[Span], kept: Collection[Span]) -> Span:
    """What is dropped, with the blank before it, unless a mark that is kept comes next and wants that blank."""
    ends = {one.start: one.end for one in dropped}
    end = span.end
    while end in ends and ends[end] > end:
        end = ends[end]
    return span if any(one.start == end for one in kept) else with_blank_before(text, span)


def _places(text: str, place: Callable[[Span], Span]) -> Callable[[Span], Span]:
    """Where spans of the original are in the stripped text."""
    lead, length = len(text) - len(text.lstrip()), len(text.strip())

    def shifted(span: Span) -> Span:
        now = place(span)
        start = min(max(now.start - lead, 0), length)
        return Span(start=start, end=min(max(now.end - lead, start), length))

    return shifted


def _citations(
    judged: Sequence[_Judged], sources: Mapping[int, Source], place: Callable[[Span], Span]
) -> tuple[Citation, ...]:
    """One citation for each label and quote, in the order of the answer."""
    found: dict[tuple[int, Span], Citation] = {}
    for one in judged:
        for label, (support, told) in one.supports.items():
            span = Span(start=told[0].span.start, end=told[-1].span.end)
            citation = found.get((label, span)) or _citation(sources[label], told, span)
            found[label, span] = replace(
                citation,
                answer_spans=(*citation.answer_spans, place(one.unit.span)),
                support=min(citation.support or 1.0, round(support.score, 4)),
            )
    return tuple(found.values())


def _citation(source: Source, told: Sequence[Told], span: Span) -> Citation:
    passage, document = source.passage, source.document
    hit = passage.hit
    works = {work.number: work for work in document.works}
    pages = (p.number for p in document.pages if p.span.start < span.end and span.start < p.span.end)
    headings = [heading for heading in document.headings if heading.span.holds(span)]
    return Citation(
        label=passage.label,
        source_id=hit.chunk.source_id,
        title=hit.title,
        path=hit.path,
        url=hit.path if "://" in hit.path else None,
        heading_path=tuple(h.title for h in headings) or hit.chunk.heading_path,
        pages=tuple(pages) or passage.pages,
        quote=span.cut(document.text),
        quote_span=span,
        answer_spans=(),
        support=None,
        references=tuple(
            Reference(number=number, title=works[number].title, url=works[number].url)
            for number in dict.fromkeys(n for one in told for n in one.references)
            if number in works
        ),
    )
