"""Small documents, windows and hits for tests of prompts, and a checker that looks for words."""

from collections.abc import Sequence

from rag.answer import Passage
from rag.ground.support import Stance, Support
from rag.passages import Window
from rag.prompt.check import Source
from rag.prompt.evidence import told_by
from rag.schema import (
    Block,
    BlockKind,
    Chunk,
    Document,
    Heading,
    Hit,
    Mark,
    Page,
    Scores,
    Sentence,
    Span,
    Work,
)
from rag.schema import Source as Origin
from rag.terms import terms


def make_document(
    text: str, *, source_id: str = "doc", title: str = "Guide", work_at: int | None = None
) -> Document:
    """One paragraph per line. `work_at` puts a reference mark of work 7 there."""
    blocks, start = [], 0
    for line in text.split("\n"):
        if line:
            blocks.append(Block(kind=BlockKind.PARAGRAPH, span=Span(start=start, end=start + len(line))))
        start += len(line) + 1
    whole = Span(start=0, end=len(text))
    return Document(
        source=Origin(
            source_id=source_id,
            path=f"{source_id}.txt",
            media_type="text/plain",
            content_sha256="0",
            size_bytes=0,
        ),
        title=title,
        text=text,
        headings=(Heading(section_id="1", level=1, title="1. Start", span=whole),),
        blocks=tuple(blocks),
        marks=() if work_at is None else (Mark(number=7, offset=work_at),),
        works=(
            Work(
                number=7,
                title="A work",
                url="https://example.org/7",
                text_fragment=None,
                accessed=None,
                span=Span(start=0, end=0),
            ),
        ),
        pages=(Page(number=4, span=whole),),
    )


def make_window(document: Document, span: Span | None = None, *, row: int = 0) -> Window:
    span = span or Span(start=0, end=len(document.text))
    return Window(
        rows=(row,),
        source_id=document.source.source_id,
        title=document.title,
        path=document.source.path,
        span=span,
        text=span.cut(document.text),
        heading_path=("1. Start",),
        pages=(4,),
        score=1.0,
    )


def make_hit(document: Document, *, row: int = 0, rank: int = 1) -> Hit:
    span = Span(start=0, end=len(document.text))
    return Hit(
        rank=rank,
        row=row,
        chunk=Chunk(
            chunk_id=str(row),
            source_id=document.source.source_id,
            ordinal=0,
            text=document.text,
            span=span,
            section_id="1",
            heading_path=("1. Start",),
            first_page=4,
            last_page=4,
            n_tokens=10,
            sentences=(Sentence(span=span, kind=BlockKind.PARAGRAPH, block=0),),
        ),
        title=document.title,
        path=document.source.path,
        scores=Scores(dense=0.5, lexical=1.0, fused=0.5),
        sentence_scores=(0.5,),
    )


def make_sources(*texts: str, work_at: int | None = None) -> dict[int, Source]:
    """Sources with labels from 1 on, each a document of its own."""
    found = {}
    for label, text in enumerate(texts, 1):
        document = make_document(text, source_id=f"doc{label}", work_at=work_at)
        hit, window = make_hit(document, row=label), make_window(document, row=label)
        found[label] = Source(
            passage=Passage(label=label, hit=hit, pages=(4,), window=window),
            document=document,
            told=told_by(window, document),
        )
    return found


class WordChecker:
    """Supported if the evidence as a whole holds every term of the statement."""

    name = "words"

    def check(self, statement: str, evidence: Sequence[str]) -> Support:
        wanted = set(terms(statement))
        held = [len(wanted & set(terms(text))) for text in evidence]
        missing = wanted - set(terms(" ".join(evidence)))
        best = held.index(max(held)) if held else None
        if missing or not evidence:
            return Support(
                score=0.1, stance=Stance.NOT_FOUND, evidence=best, reasons=(f"lacks {sorted(missing)}",)
            )
        return Support(score=0.9, stance=Stance.SUPPORTED, evidence=best)
