"""From chosen sentences to an answer's text with citation marks, and the citations behind them.

Pure. Sentences that stand next to each other in one chunk share a citation whose quote is the whole run; every shown
sentence carries its mark, so that each one can be traced. Passages that are cited come first and give the labels.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.answer import EXTRACTIVE, NO_USAGE, AnswerStatus, Citation, Cut, Passage, Reference, Usage
from rag.compose import POINTS_BACK, Candidate
from rag.contents import without_number
from rag.schema import BlockKind, Hit, Sentence, Span, Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What an answerer wrote: text, citations, the passages in the order of their labels, and how it came about.

    The fields below `passages` are those of `Answer`, at what they are for an extractive answer.
    """

    text: str
    citations: tuple[Citation, ...]
    passages: tuple[Passage, ...]
    status: AnswerStatus = AnswerStatus.ANSWERED
    raw_text: str | None = None  # None: the same as `text`
    cut: tuple[Cut, ...] = ()
    unknown_labels: tuple[int, ...] = ()
    unsupported_spans: tuple[Span, ...] = ()
    warnings: tuple[str, ...] = ()
    usage: Usage = NO_USAGE
    first_token_s: float | None = None  # from the question on; None: it was there all at once
    generator: str = EXTRACTIVE
    strategy: str | None = None
    prompt_digest: str | None = None
    seed: int | None = None


def order_passages(hits: Sequence[Hit], cited_rows: Sequence[int]) -> tuple[Passage, ...]:
    """Cited hits before the others, both by rank. Labels count the cited ones in the order of their citing first."""
    labels = {row: n for n, row in enumerate(cited_rows, 1)}
    ordered = sorted(hits, key=lambda hit: (hit.row not in labels, hit.rank))
    for hit in ordered:
        labels.setdefault(hit.row, len(labels) + 1)
    return tuple(Passage(label=labels[hit.row], hit=hit, pages=_pages(hit)) for hit in ordered)


def write_answer(
    chosen: Sequence[Candidate],
    hits: Sequence[Hit],
    *,
    works: Callable[[str], Sequence[Work]],
    opening: str = "",
) -> Written:
    """Join the sentences in their order: prose in paragraphs, items and rows on lines of their own.

    `works`: what a source cites; `opening`: what introduces a list, on a line before it.
    """
    passages = order_passages(hits, list(dict.fromkeys(candidate.hit.row for candidate in chosen)))
    labels = {passage.hit.row: passage.label for passage in passages}
    bulleted = len({(c.hit.chunk.source_id, c.sentence.block) for c in chosen if _is_listed(c)}) > 1
    parts: list[str] = [f"{opening}\n\n"] if opening and chosen else []
    spans: list[Span] = []
    position = len("".join(parts))
    before: Candidate | None = None
    for candidate in chosen:
        joint = _joint(before, candidate, bulleted=bulleted) + _introduction(before, candidate)
        shown = f"{candidate.text} [{labels[candidate.hit.row]}]"
        parts += [joint, shown]
        start = position + len(joint)
        spans.append(Span(start=start, end=start + len(candidate.text)))
        position = start + len(shown)
        before = candidate
    citations = [
        _citation(run, labels[run[0][0].hit.row], works(run[0][0].hit.chunk.source_id))
        for run in _runs(list(zip(chosen, spans, strict=True)))
    ]
    return Written(text="".join(parts), citations=tuple(citations), passages=passages)


def _joint(before: Candidate | None, candidate: Candidate, *, bulleted: bool) -> str:
    """What goes before a sentence: nothing, a space, or a new line, with a bullet where several items are listed."""
    if before is not None and _block(before) == _block(candidate):
        return " "
    bullet = "- " if bulleted and _is_listed(candidate) else ""
    if before is None:
        return bullet
    return f"\n{bullet}" if bullet and _is_listed(before) else f"\n\n{bullet}"


def _introduction(before: Candidate | None, candidate: Candidate) -> str:
    """Where a sentence points back to one that is not shown, what it speaks of: its heading and its item's label."""
    same_block = before is not None and _block(before) == _block(candidate)
    if same_block or not POINTS_BACK.match(candidate.text):
        return ""
    label = candidate.sentence.context.rpartition(" › ")[2]
    heading = without_number("".join(candidate.hit.chunk.heading_path[-1:]))
    named = " › ".join(part for part in (heading, label) if part)
    return f"({named}) " if named and candidate.sentence.context else ""


def _is_listed(candidate: Candidate) -> bool:
    return candidate.sentence.kind is not BlockKind.PARAGRAPH


def _block(candidate: Candidate) -> tuple[str, int]:
    return candidate.hit.chunk.source_id, candidate.sentence.block


def _runs(placed: list[tuple[Candidate, Span]]) -> list[list[tuple[Candidate, Span]]]:
    """Neighbours in the same chunk, joined; order of the answer kept."""
    runs: list[list[tuple[Candidate, Span]]] = []
    for candidate, span in placed:
        last = runs[-1][-1][0] if runs else None
        if last and last.hit.row == candidate.hit.row and candidate.position == last.position + 1:
            runs[-1].append((candidate, span))
        else:
            runs.append([(candidate, span)])
    return runs


def _citation(run: list[tuple[Candidate, Span]], label: int, works: Sequence[Work]) -> Citation:
    hit = run[0][0].hit
    sentences = [candidate.sentence for candidate, _ in run]
    span, start = Span(start=sentences[0].span.start, end=sentences[-1].span.end), hit.chunk.span.start
    return Citation(
        label=label,
        source_id=hit.chunk.source_id,
        title=hit.title,
        path=hit.path,
        url=hit.path if "://" in hit.path else None,
        heading_path=hit.chunk.heading_path,
        pages=_pages(hit),
        quote=hit.chunk.text[span.start - start : span.end - start],
        quote_span=span,
        answer_spans=tuple(place for _, place in run),
        support=1.0,  # the shown words are the quote's own
        references=_references(sentences, works),
    )


def _references(sentences: Sequence[Sentence], works: Sequence[Work]) -> tuple[Reference, ...]:
    cited = {work.number: work for work in works}
    numbers = dict.fromkeys(number for sentence in sentences for number in sentence.references)
    return tuple(
        Reference(number=number, title=cited[number].title, url=cited[number].url)
        for number in numbers
        if number in cited
    )


def _pages(hit: Hit) -> tuple[int, ...]:
    first, last = hit.chunk.first_page, hit.chunk.last_page
    return () if first is None or last is None else tuple(range(first, last + 1))
