"""The records that every part of Waymark exchanges.

Frozen values without behaviour beyond their own shape; they know no file, no index and no model. Every offset is
a code point index into `Document.text` (NFC, `\\n` line ends) and every range is half-open. Arrays never live here.

A document is text plus four views of it: headings, blocks (paragraphs, list items, table rows), sentences and
reference marks. A chunk is a run of whole sentences of one section: what is embedded, retrieved and cited.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


class Text(Protocol):
    """A document's text: a string, or what reads the slices of one that lies elsewhere."""

    def __len__(self) -> int: ...
    def __getitem__(self, part: slice, /) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Span:
    """Code points `[start, end)` of a document's text."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"not a span: [{self.start}, {self.end})")

    def __len__(self) -> int:
        return self.end - self.start

    def cut(self, text: Text) -> str:
        """The characters that the span covers."""
        return text[self.start : self.end]

    def holds(self, other: "Span") -> bool:
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a document comes from. Identity is the path or URL, freshness is the content hash; never the clock."""

    source_id: str  # 16 hex digits of sha256(path)
    path: str  # POSIX path or URL
    media_type: str
    content_sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    number: int  # 1-based, physical
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading and the text that it governs, up to the next heading of the same or a higher level."""

    section_id: str  # "part_I", "9", "9.2", "works_cited"
    level: int  # 1 is outermost
    title: str  # as printed: "9.2. Parameter-Efficient Fine-Tuning (PEFT): The LoRA Method"
    span: Span  # from the heading itself to the end of its section


@dataclass(frozen=True, slots=True, kw_only=True)
class EmbedderSpec:
    """What makes two vectors comparable. Any difference means a rebuild."""

    model: str
    revision: str  # SHA-256 of the weights, or the revision of a model from a hub
    dim: int
    max_tokens: int  # special tokens included
    query_prefix: str = ""
    passage_prefix: str = ""
    normalize: bool = True


class BlockKind(StrEnum):
    PARAGRAPH = "paragraph"
    ITEM = "item"  # of a list
    HEADER = "header"  # the column names of a table
    ROW = "row"  # of a table, below its header
    ENTRY = "entry"  # of a list of works cited


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A paragraph, list item, table row or entry of the works cited.

    `lead` is the index of the block that introduces this one (the item above a nested list, the paragraph
    before a list), so that an item can be read out of place. `label` is the term an item opens with
    ("ReLU Variants"); `columns` are the column names of a row and `cells` its cells in the same order, each one span
    of text, or several where a page break cut the row inside its cells.
    """

    kind: BlockKind
    span: Span
    depth: int = 0
    marker: str = ""  # "-", "1." as printed
    label: str = ""
    lead: int | None = None
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[Span, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A reference mark. It is no part of the text: it stood right after `text[offset - 1]`."""

    number: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One entry of a document's list of works cited."""

    number: int
    title: str
    url: str  # without a text fragment
    text_fragment: str | None
    accessed: str | None  # ISO date
    span: Span  # the entry in the document's text


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A source as text. `notes` say what reading it lost or mended; they are for people."""

    source: Source
    title: str
    text: str
    headings: tuple[Heading, ...]
    blocks: tuple[Block, ...]
    marks: tuple[Mark, ...] = ()
    works: tuple[Work, ...] = ()
    pages: tuple[Page, ...] = ()
    notes: tuple[str, ...] = ()


class OpenDocument(Protocol):
    """What can be read of a `Document`, whether all of it is in memory or it stays in the index."""

    @property
    def title(self) -> str: ...
    @property
    def text(self) -> Text: ...
    @property
    def headings(self) -> tuple[Heading, ...]: ...
    @property
    def blocks(self) -> Sequence[Block]: ...
    @property
    def marks(self) -> tuple[Mark, ...]: ...
    @property
    def works(self) -> tuple[Work, ...]: ...
    @property
    def pages(self) -> tuple[Page, ...]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """A sentence, or a whole row or entry: the smallest thing that is cited.

    `context` is what must be known to read it out of place (list label, lead-in, column names): searched and
    embedded with it, never quoted. `shown` is how it reads in an answer where that differs from the verbatim text
    (a table row with its column names); empty otherwise.
    """

    span: Span
    kind: BlockKind
    block: int  # index of its block in the document
    context: str = ""
    shown: str = ""
    references: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A run of whole sentences of one section that fits the embedder's window.

    `document.text[span.start:span.end] == text`. Title and heading path are added to the embedded text only.
    """

    chunk_id: str  # 20 hex digits of source id, span and text
    source_id: str
    ordinal: int  # 0-based in its document
    text: str
    span: Span
    section_id: str
    heading_path: tuple[str, ...]  # outermost first
    first_page: int | None
    last_page: int | None
    n_tokens: int  # of the embedded text, in the embedder's own pieces
    sentences: tuple[Sentence, ...]


class Role(StrEnum):
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message of a conversation."""

    role: Role
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scores:
    """Scores of one hit; never compare across columns."""

    dense: float  # cosine of question and chunk, [-1, 1]
    lexical: float  # BM25, >= 0, unbounded
    fused: float  # convex combination of both after normalisation, about [0, 1]
    rerank: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A retrieved chunk. `sentence_scores` are cosines with the question, one per sentence of the chunk."""

    rank: int  # 1-based, by `scores.fused`
    row: int  # of the chunk in its generation
    chunk: Chunk
    title: str
    path: str
    scores: Scores
    sentence_scores: tuple[float, ...]
