"""An answer as a person reads it in a terminal: text with marks, then what stands behind each mark.

Pure but for the console it is handed. Document text is data: control characters are dropped before it is shown, and
no markup in it is obeyed.
"""

import os
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import groupby

from rich.console import Console, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from rag.answer import EXTRACTIVE, WAYMARK, Answer, AnswerStatus, Citation, Reference, Says

_QUOTE_CHARS = 220
_UNBROKEN = 100_000  # columns: lines that go to a file or another program are not cut


def plain(text: str) -> str:
    """Without control characters other than line ends: an escape sequence in a document stays inert.

    >>> plain("a\\x1b[31mb\\tc")
    'a[31mb c'
    """
    spaced = text.replace("\t", " ")
    return "".join(c for c in spaced if c == "\n" or unicodedata.category(c) not in ("Cc", "Cf"))


def answer_console() -> Console:
    """Standard output for answers: wrapped for a terminal, or where COLUMNS says so, else each line whole."""
    whole = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    return Console(highlight=False, width=_UNBROKEN if whole else None)


def show_answer(answer: Answer, console: Console) -> None:
    """Print one answer and its sources."""
    for part in answer_parts(answer):
        # An address stays whole: a terminal wraps it itself and copies it as one.
        console.print(part, soft_wrap=isinstance(part, Text) and bool(part.no_wrap))


def show_stream(stream: Iterable[str | Answer], console: Console) -> Answer:
    """Print an answer while it is written, where the console is a terminal; then the checked answer in its place."""
    written = ""
    with Live(console=console, transient=True, auto_refresh=False) as live:
        for item in stream:
            if isinstance(item, Answer):
                live.update(Text(), refresh=True)
                answer = item
            else:
                written += item
                live.update(Text(plain(written)), refresh=console.is_terminal)
    show_answer(answer, console)
    return answer


def answer_parts(answer: Answer) -> Iterable[RenderableType]:
    """What `show_answer` prints, in order."""
    for warning in answer.warnings:
        yield Text(f"Warning: {plain(warning)}", style="yellow")
    if answer.search_query != answer.question:
        yield Text(f"Searched for: {plain(answer.search_query)}", style="dim")
    said = answer.provenance.generator == WAYMARK
    refused = answer.status is AnswerStatus.INSUFFICIENT_EVIDENCE and not said
    text = (
        _marked(answer)
        if answer.unsupported_spans
        else Text(plain(answer.text), style="yellow" if refused else "")
    )
    yield from (_line(line) for line in text.split("\n", allow_blank=True))
    if answer.citations:
        yield Text()
    quoted = answer.provenance.generator != EXTRACTIVE  # an extractive answer is its quotes
    shown: set[str] = set()  # addresses, once for each answer
    for labels, citations in _by_place(answer.citations):
        yield from _source(labels, citations, quoted=quoted, shown=shown)


def _line(line: Text) -> RenderableType:
    """A line of an answer; a list item goes on below its own text."""
    if not line.plain.startswith("- "):
        return line
    item = Table.grid(padding=0)
    item.add_column(width=2)
    item.add_column()
    item.add_row(line[:2], line[2:])
    return item


def _by_place(citations: Iterable[Citation]) -> Iterator[tuple[str, list[Citation]]]:
    """Citations by their labels, neighbours from one place with the same works together: "[1] [2] 9.2. LoRA"."""
    by_label: dict[int, list[Citation]] = {}
    for citation in citations:
        by_label.setdefault(citation.label, []).append(citation)
    for _, alike in groupby(by_label.items(), key=lambda one: (_place(one[1][0]), _references(one[1]))):
        group = list(alike)
        labels = " ".join(f"[{label}]" for label, _ in group)
        yield labels, [citation for _, some in group for citation in some]


def _marked(answer: Answer) -> Text:
    """The text with each unsupported sentence marked, in words too: colours are not seen everywhere."""
    text = Text()
    at = 0
    for span in sorted(answer.unsupported_spans):
        text.append(plain(answer.text[at : span.start]))
        text.append(f"{plain(span.cut(answer.text))} (unsupported)", style="yellow italic")
        at = span.end
    return text.append(plain(answer.text[at:]))


def _place(citation: Citation) -> str:
    place = citation.heading_path[-1] if citation.heading_path else citation.title
    pages = f", p. {', '.join(map(str, citation.pages))}" if citation.pages else ""
    return plain(place + pages)


def _source(
    labels: str, citations: list[Citation], *, quoted: bool, shown: set[str]
) -> Iterator[RenderableType]:
    yield Text.assemble((f"{labels} ", "bold"), (_place(citations[0]), "cyan"))
    if quoted:
        for citation in citations:
            yield _indented(Text(f"“{_shorten(plain(citation.quote))}”", style="dim"))
    for reference in _references(citations):
        yield _indented(Text(f"rests on {reference.number}. {plain(reference.title)}"))
        if reference.url not in shown:
            shown.add(reference.url)
            yield Text(f"    {plain(reference.url)}", style="dim", no_wrap=True, overflow="ignore")
        if reference.says is not None:
            yield _indented(_what_it_says(reference.says), 6)


def _indented(text: Text, by: int = 4) -> RenderableType:
    return Padding(text, (0, 0, 0, by), expand=False)


def _what_it_says(says: Says) -> Text:
    """Agreement or difference with the quote and its place; a quote that shows neither would only mislead."""
    if says.verdict == "not_found":
        return Text("The source does not clearly say this.", style="dim")
    page = f", p. {says.pages[0]}" if says.pages else ""
    quote = f"The source says ({says.verdict}): “{_shorten(plain(says.quote))}” — {plain(says.title)}{page}"
    return Text(quote, style="green" if says.verdict == "agrees" else "yellow")


def _references(citations: list[Citation]) -> tuple[Reference, ...]:
    return tuple({reference.number: reference for c in citations for reference in c.references}.values())


def _shorten(text: str) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= _QUOTE_CHARS else folded[:_QUOTE_CHARS].rsplit(" ", 1)[0] + " …"
