"""A document that stays in the index reads like the document itself, and reads no more than is looked at."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.index.rows import FILE, Rows, RowsBuilder
from rag.index.stored import StoredDocument
from rag.schema import Block, BlockKind, Document, Mark, Page, Source, Span

SOURCE = Source(source_id="a" * 16, path="a.txt", media_type="text/plain", content_sha256="", size_bytes=1)
N_BLOCKS, BLOCK_CHARS = 2_345, 67
TEXT = "".join(chr(0x4E00 + n % 5_000) for n in range(N_BLOCKS * BLOCK_CHARS))
DOCUMENT = Document(
    source=SOURCE,
    title="Long",
    text=TEXT,
    headings=(),
    blocks=tuple(
        Block(kind=BlockKind.ITEM, span=Span(start=n * BLOCK_CHARS, end=(n + 1) * BLOCK_CHARS), label=str(n))
        for n in range(N_BLOCKS)
    ),
    marks=(Mark(number=1, offset=3),),
    pages=(Page(number=1, span=Span(start=0, end=len(TEXT))),),
)
EMPTY = Document(
    source=Source(source_id="b" * 16, path="b", media_type="text/plain", content_sha256="", size_bytes=0),
    title="",
    text="",
    headings=(),
    blocks=(),
)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    folder: Path = tmp_path_factory.mktemp("rows")
    builder = RowsBuilder(folder / FILE)
    builder.add_document(DOCUMENT)
    builder.add_document(EMPTY)
    builder.close()
    return Rows(folder)


@pytest.fixture(scope="module")
def stored(rows: Rows) -> StoredDocument:
    return rows.stored(SOURCE.source_id)


def test_all_of_it_is_the_document(stored: StoredDocument) -> None:
    assert stored.text[: len(stored.text)] == DOCUMENT.text
    assert tuple(stored.blocks) == DOCUMENT.blocks
    for name in ("source", "title", "headings", "marks", "works", "pages"):
        assert getattr(stored, name) == getattr(DOCUMENT, name)


@given(st.slices(len(TEXT)).filter(lambda part: part.step in (None, 1)))
def test_any_slice_of_the_text_is_that_of_the_string(stored: StoredDocument, part: slice) -> None:
    assert stored.text[part] == TEXT[part]


@given(st.one_of(st.integers(-N_BLOCKS, N_BLOCKS - 1), st.slices(N_BLOCKS)))
def test_any_block_is_that_of_the_tuple(stored: StoredDocument, index: int | slice) -> None:
    assert stored.blocks[index] == DOCUMENT.blocks[index]


@pytest.mark.parametrize("index", [N_BLOCKS, -N_BLOCKS - 1])
def test_there_is_no_block_behind_the_last(stored: StoredDocument, index: int) -> None:
    with pytest.raises(IndexError):
        stored.blocks[index]


def test_a_document_without_text_has_neither_text_nor_blocks(rows: Rows) -> None:
    empty = rows.stored(EMPTY.source.source_id)
    assert (len(empty.text), empty.text[0:5], tuple(empty.blocks)) == (0, "", ())


def test_no_such_document_is_a_key_error(rows: Rows) -> None:
    with pytest.raises(KeyError):
        rows.stored("nobody")


def test_only_the_parts_around_a_place_are_read(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[object, ...]] = []
    found = rows._found
    monkeypatch.setattr(
        rows, "_found", lambda query, values=(): asked.append(tuple(values)) or found(query, values)
    )
    document = rows.stored(SOURCE.source_id)
    asked.clear()
    span = document.blocks[1_500].span
    assert span.cut(document.text) == span.cut(TEXT)
    assert span.cut(document.text) == span.cut(TEXT)
    assert len(asked) == 2  # one run of blocks and one part of the text, each once
