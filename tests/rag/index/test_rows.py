"""Documents and chunks through SQLite and back."""

import string
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.errors import IndexCorrupt
from rag.index.rows import FILE, Rows, build_rows
from rag.schema import Block, BlockKind, Chunk, Document, Heading, Mark, Page, Sentence, Source, Span, Work

SOURCE = Source(
    source_id="a" * 16, path="a.txt", media_type="text/plain", content_sha256="0" * 64, size_bytes=3
)
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
    folder.mkdir(exist_ok=True)
    (folder / FILE).write_bytes(
        build_rows(documents, [(chunk, f"searched {chunk.ordinal}") for chunk in chunks])
    )
    return Rows(folder)


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


def test_equal_content_gives_equal_bytes() -> None:
    chunks = [_chunk(n) for n in range(3)]
    entries = [(chunk, "") for chunk in chunks]
    assert build_rows([_document()], entries) == build_rows([_document()], entries)


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


def test_the_chunks_of_a_source_come_back_with_their_searched_texts(tmp_path: Path) -> None:
    chunks = [_chunk(0), _chunk(1)]
    rows = _rows(tmp_path, [_document()], chunks)
    assert rows.source_at(_document().source.path) == _document().source.source_id
    found = list(rows.indexed(chunks[0].source_id))
    assert found == [(chunk, f"searched {chunk.ordinal}") for chunk in chunks]
    with pytest.raises(KeyError):
        rows.source_at("elsewhere")
