"""Documents and chunks through SQLite and back."""

import string
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import IndexCorrupt
from rag.index.rows import FILE, Rows, RowsBuilder
from rag.schema import Block, BlockKind, Chunk, Document, Heading, Mark, Page, Sentence, Source, Span, Work

SOURCE = Source(
    source_id="a" * 16, path="a.txt", media_type="text/plain", content_sha256="0" * 64, size_bytes=3
)
BLOCK = Block(kind=BlockKind.ROW, span=Span(start=0, end=1), columns=("a", "b"))
SENTENCE = Sentence(span=Span(start=0, end=1), kind=BlockKind.PARAGRAPH, block=0)


def _chunk(n: int, *, n_sentences: int = 1, source_id: str = SOURCE.source_id) -> Chunk:
    return Chunk(
        chunk_id=f"{n:020x}",
        source_id=source_id,
        ordinal=n,
        text=f"chunk {n}",
        span=Span(start=n, end=n + 1),
        section_id="1",
        heading_path=("One",),
        first_page=None,
        last_page=None,
        n_tokens=4,
        sentences=(SENTENCE,) * n_sentences,
    )


def _document(source: Source = SOURCE, *, title: str = "T") -> Document:
    return Document(source=source, title=title, text="t", headings=(), blocks=())


def _rows(folder: Path, documents: list[Document], chunks: list[Chunk]) -> Rows:
    _build(folder, documents, chunks)
    return Rows(folder)


def _build(folder: Path, documents: list[Document], chunks: list[Chunk]) -> bytes:
    folder.mkdir(exist_ok=True)
    (folder / FILE).unlink(missing_ok=True)
    builder = RowsBuilder(folder / FILE)
    for document in documents:
        builder.add_document(document)
    for chunk in chunks:
        builder.add_chunk(chunk, f"searched {chunk.ordinal}")
    builder.close()
    return (folder / FILE).read_bytes()


_text = st.text(st.characters(codec="utf-8"), max_size=10)
_n = st.integers(0, 10**6)
_span = st.tuples(_n, _n).map(lambda pair: Span(start=min(pair), end=max(pair)))
_tuple_of_text = st.lists(_text, max_size=3).map(tuple)


_sources = st.builds(
    Source,
    source_id=st.text(string.hexdigits.lower(), min_size=16, max_size=16),
    path=_text,
    media_type=_text,
    content_sha256=_text,
    size_bytes=_n,
)
_heading = st.builds(Heading, section_id=_text, level=_n, title=_text, span=_span)
_block = st.builds(
    Block,
    kind=st.sampled_from(BlockKind),
    span=_span,
    depth=_n,
    marker=_text,
    label=_text,
    lead=st.none() | _n,
    columns=_tuple_of_text,
    cells=st.lists(st.lists(_span, max_size=2).map(tuple), max_size=2).map(tuple),
)
_work = st.builds(
    Work,
    number=_n,
    title=_text,
    url=_text,
    text_fragment=st.none() | _text,
    accessed=st.none() | _text,
    span=_span,
)
_documents = st.builds(
    Document,
    source=_sources,
    title=_text,
    text=_text,
    headings=st.lists(_heading, max_size=2).map(tuple),
    blocks=st.lists(_block, max_size=3).map(tuple),
    marks=st.lists(st.builds(Mark, number=_n, offset=_n), max_size=2).map(tuple),
    works=st.lists(_work, max_size=3, unique_by=lambda work: work.number).map(tuple),
    pages=st.lists(st.builds(Page, number=_n, span=_span), max_size=2).map(tuple),
    notes=_tuple_of_text,
)
_sentence = st.builds(
    Sentence,
    span=_span,
    kind=st.sampled_from(BlockKind),
    block=_n,
    context=_text,
    shown=_text,
    references=st.lists(_n, max_size=3).map(tuple),
)
_chunks = st.builds(
    Chunk,
    chunk_id=_text,
    source_id=_text,
    ordinal=_n,
    text=_text,
    span=_span,
    section_id=_text,
    heading_path=_tuple_of_text,
    first_page=st.none() | _n,
    last_page=st.none() | _n,
    n_tokens=_n,
    sentences=st.lists(_sentence, max_size=3).map(tuple),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_documents, st.lists(_chunks, max_size=4))
def test_any_document_and_chunk_come_back_as_they_were(
    tmp_path: Path, document: Document, chunks: list[Chunk]
) -> None:
    rows = _rows(tmp_path, [document], chunks)
    assert rows.document(document.source.source_id) == document
    assert rows.outline(document.source.source_id) == replace(document, text="", blocks=())
    assert [chunk for chunk, _ in rows.chunks(range(len(chunks)))] == chunks
    assert len(rows) == len(chunks)
    rows.close()


def test_chunks_come_in_the_order_asked_for_with_the_row_of_their_first_sentence(tmp_path: Path) -> None:
    sizes = [2, 0, 3, 1]
    chunks = [_chunk(n, n_sentences=size) for n, size in enumerate(sizes)]
    rows = _rows(tmp_path, [_document()], chunks)
    assert rows.chunks([3, 0, 2, 0, 1]) == (
        (chunks[3], 5),
        (chunks[0], 0),
        (chunks[2], 2),
        (chunks[0], 0),
        (chunks[1], 2),
    )
    assert rows.chunks([]) == ()
    rows.close()


def test_more_rows_than_one_query_takes_are_read(tmp_path: Path) -> None:
    rows = _rows(tmp_path, [_document()], [_chunk(n) for n in range(1201)])
    backwards = list(range(1200, -1, -1))
    assert [chunk.ordinal for chunk, _ in rows.chunks(backwards)] == backwards
    rows.close()


def test_a_row_that_is_not_there_is_a_key_error(tmp_path: Path) -> None:
    rows = _rows(tmp_path, [_document()], [_chunk(0)])
    with pytest.raises(KeyError):
        rows.chunks([1])
    with pytest.raises(KeyError, match="nowhere"):
        rows.document("nowhere")
    with pytest.raises(KeyError, match="nowhere"):
        rows.outline("nowhere")
    rows.close()


def test_rows_and_titles_are_listed_by_source(tmp_path: Path) -> None:
    other = Source(source_id="b" * 16, path="b.txt", media_type="", content_sha256="", size_bytes=0)
    chunks = [_chunk(0), _chunk(1, source_id=other.source_id), _chunk(2)]
    rows = _rows(tmp_path, [_document(other, title="Ü"), _document()], chunks)
    assert rows.rows_of(SOURCE.source_id) == (0, 2)
    assert rows.rows_of(other.source_id) == (1,)
    assert rows.rows_of("nowhere") == ()
    assert list(rows.titles().items()) == [("a" * 16, ("a.txt", "T")), ("b" * 16, ("b.txt", "Ü"))]
    rows.close()


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    chunks = [_chunk(n) for n in range(3)]
    assert _build(tmp_path / "a", [_document()], chunks) == _build(tmp_path / "b", [_document()], chunks)


def test_threads_may_share_it_and_reading_writes_nothing(tmp_path: Path) -> None:
    chunks = [_chunk(n) for n in range(300)]
    rows = _rows(tmp_path / "rows", [_document()], chunks)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: rows.chunks([n])[0][0], range(300)))
    assert found == chunks
    assert [path.name for path in (tmp_path / "rows").iterdir()] == [FILE]
    rows.close()


@pytest.mark.parametrize("data", [None, b"", b"no database at all" * 100])
def test_a_file_that_is_none_of_ours_is_corrupt(tmp_path: Path, data: bytes | None) -> None:
    if data is not None:
        (tmp_path / FILE).write_bytes(data)
    with pytest.raises(IndexCorrupt, match="cannot be read"):
        Rows(tmp_path)


def test_chunks_come_back_with_their_searched_texts_while_the_file_is_built(tmp_path: Path) -> None:
    builder = RowsBuilder(tmp_path / FILE)
    chunks = [_chunk(n) for n in range(600)]
    for chunk in chunks:
        builder.add_chunk(chunk, f"searched {chunk.ordinal}")
    groups = list(builder.chunks(range(5, 600)))
    assert max(map(len, groups)) < 300
    assert [entry for group in groups for entry in group] == [
        (chunk, f"searched {chunk.ordinal}") for chunk in chunks[5:]
    ]
    searched = list(builder.searched())
    assert [row.text for row in searched] == [f"searched {n}" for n in range(600)]
    assert [row.n_own for row in searched] == [len(chunk.text) for chunk in chunks]
    assert [row.place[:2] for row in searched] == [(chunk.source_id, chunk.section_id) for chunk in chunks]
    builder.close()


def test_a_document_is_copied_from_another_file_with_its_rows_moved(tmp_path: Path) -> None:
    other = replace(SOURCE, source_id="b" * 16, path="b.txt")
    document = replace(_document(other, title="Ü"), text="words " * 30_000, blocks=(BLOCK,) * 2_500)
    chunks = [_chunk(0), _chunk(1, source_id=other.source_id), _chunk(2, source_id=other.source_id)]
    old = _rows(tmp_path / "old", [_document(), document], chunks)
    builder = RowsBuilder(tmp_path / FILE)
    builder.add_document(_document())
    for n in range(5):
        builder.add_chunk(_chunk(n), "")
    first_sentence = builder.n_sentences
    copied = builder.copy(tmp_path / "old", other.source_id)
    builder.close()
    assert (copied.rows, len(copied.sentences)) == (range(1, 3), sum(len(c.sentences) for c in chunks[1:]))
    new = Rows(tmp_path)
    assert new.document(other.source_id) == document == old.document(other.source_id)
    assert [chunk for chunk, _ in new.chunks([5, 6])] == chunks[1:]
    assert new.chunks([5])[0][1] == first_sentence
    old.close()
    new.close()


@pytest.mark.parametrize("span", [(0, 5), (65_530, 65_550), (131_071, 131_073), (199_990, 200_000), (7, 7)])
def test_a_part_of_a_text_is_read_without_the_rest(tmp_path: Path, span: tuple[int, int]) -> None:
    text = "".join(f"{n:05d}é👍 " for n in range(25_000))[:200_000]
    rows = _rows(tmp_path, [replace(_document(), text=text)], [])
    assert rows.text(SOURCE.source_id, Span(start=span[0], end=span[1])) == text[slice(*span)]
    assert rows.document(SOURCE.source_id).text == text
    rows.close()
