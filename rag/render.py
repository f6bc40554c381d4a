"""An answer as a person reads it in a terminal: text with marks, then what stands behind each mark.

Pure but for the console it is handed. Document text is data: control characters are dropped before it is shown, and
no markup in it is obeyed.
"""

import unicodedata
from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from rag.answer import EXTRACTIVE, Answer, AnswerStatus, Citation, Reference

_QUOTE_CHARS = 220


def plain(text: str) -> str:
    """Without control characters other than line ends: an escape sequence in a document stays inert.

    >>> plain("a\\x1b[31mb\\tc")
    'a[31mb c'
    """
    spaced = text.replace("\t", " ")
    return "".join(c for c in spaced if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf"))


def show_answer(answer: Answer, console: Console) -> None:
    """Print one answer and its sources."""
    for part in answer_parts(answer):
        console.print(part)


def answer_parts(answer: Answer) -> Iterable[RenderableType]:
    """What `show_answer` prints, in order."""
    for warning in answer.warnings:
        yield Text(f"Warning: {plain(warning)}", style="yellow")
    if answer.search_query != answer.question:
        yield Text(f"Searched for: {plain(answer.search_query)}", style="dim")
    refused = answer.status is AnswerStatus.INSUFFICIENT_EVIDENCE
    yield Text(plain(answer.text), style="yellow" if refused else "")
    if answer.citations:
        yield Text()
    quoted = answer.provenance.generator != EXTRACTIVE  # an extractive answer is its quotes
    for label in dict.fromkeys(citation.label for citation in answer.citations):
        yield from _source(label, [c for c in answer.citations if c.label == label], quoted=quoted)


def _source(label: int, citations: list[Citation], *, quoted: bool) -> Iterable[RenderableType]:
    first = citations[0]
    place = first.heading_path[-1] if first.heading_path else first.title
    pages = f", p. {', '.join(map(str, first.pages))}" if first.pages else ""
    yield Text.assemble((f"[{label}] ", "bold"), (plain(place + pages), "cyan"))
    if quoted:
        for citation in citations:
            yield Padding(Text(f"“{_shorten(plain(citation.quote))}”", style="dim"), (0, 0, 0, 4))
    for reference in _references(citations):
        yield Padding(Text(f"rests on {reference.number}. {plain(reference.title)}"), (0, 0, 0, 4))
        yield Padding(Text(plain(reference.url), style="dim", overflow="fold"), (0, 0, 0, 4))


def _references(citations: list[Citation]) -> tuple[Reference, ...]:
    return tuple({reference.number: reference for c in citations for reference in c.references}.values())


def _shorten(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _QUOTE_CHARS else folded[:_QUOTE_CHARS].rsplit(" ", 1)[0] + " …"
