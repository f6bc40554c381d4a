"""Chunks and sentences: slices of their document, in order, nothing lost, never longer than the window."""

import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.assemble import CitedWork, Piece, assemble, make_source
from ingest.chunking import (
    ChunkLimits,
    chunk_document,
    embedded_text,
    embedding_prefix,
    heading_path,
    read_sentences,
)
from ingest.loaders.roadmap import load_roadmap
from rag.bundled import roadmap_path
from rag.errors import DocumentError
from rag.schema import BlockKind, Chunk, Document, Page, Span

LIMITS = ChunkLimits(target_tokens=12, max_tokens=24)
SOURCE = make_source("a.txt", b"", media_type="text/plain")


def _count(text: str) -> int:
    """A word is as many tokens as it has letters in fives; two are special."""
    return 2 + sum(-(-len(word) // 5) for word in text.split())


def _document(*pieces: Piece) -> Document:
    return assemble(SOURCE, pieces)


def _chunks(document: Document, limits: ChunkLimits = LIMITS) -> tuple[Chunk, ...]:
    return chunk_document(document, limits=limits, count_tokens=_count)


def _embedded(chunk: Chunk, limits: ChunkLimits = LIMITS) -> str:
    return embedded_text(
        chunk.text,
        path=chunk.heading_path,
        context=chunk.sentences[0].context,
        max_tokens=limits.max_tokens,
        count_tokens=_count,
    )


def _squeezed(text: str) -> str:
    return "".join(text.split())


# Any document

_words = st.lists(
    st.sampled_from("a. Bb ccc: Dddd? eeeeeeeeeeee. e.g. ffffffffff".split()), min_size=1, max_size=30
)
_texts = _words.map(" ".join)
_headings = st.builds(Piece, text=_texts, level=st.integers(1, 3), section_id=st.sampled_from("abc"))
_blocks = st.builds(
    Piece,
    text=_texts,
    kind=st.sampled_from([BlockKind.PARAGRAPH, BlockKind.ITEM, BlockKind.ENTRY, BlockKind.HEADER]),
    label=st.sampled_from(["", "Label", "A very long label of many words " * 4]),
)
_rows = st.lists(_texts, min_size=1, max_size=3).map(
    lambda cells: Piece(
        text="\t".join(cells), kind=BlockKind.ROW, cells=tuple(cells), label=cells[0], columns=("x", "y", "z")
    )
)
_pieces = st.lists(st.one_of(_headings, _blocks, _rows), max_size=8)
_limits = st.builds(ChunkLimits, target_tokens=st.integers(1, 30), max_tokens=st.integers(3, 40))


@settings(max_examples=80, deadline=None)
@given(_pieces, _limits)
def test_chunks_are_slices_that_fit_and_hold_every_sentence_once(
    pieces: list[Piece], limits: ChunkLimits
) -> None:
    document = _document(*pieces)
    chunks = _chunks(document, limits)
    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert chunk.text == chunk.span.cut(document.text)
        assert (chunk.sentences[0].span.start, chunk.sentences[-1].span.end) == (
            chunk.span.start,
            chunk.span.end,
        )
        assert chunk.n_tokens == _count(_embedded(chunk, limits)) <= limits.max_tokens
        assert _embedded(chunk, limits).endswith(chunk.text)
        paths = {heading_path(document, sentence.span.start) for sentence in chunk.sentences}
        assert {tuple(h.title for h in path) for path in paths} == {chunk.heading_path}
        assert all(not chunk.span.start < h.span.start < chunk.span.end for h in document.headings)
    assert all(one.span.end <= other.span.start for one, other in pairwise(chunks))


@settings(max_examples=80, deadline=None)
@given(_pieces, _limits)
def test_sentences_tile_the_blocks_and_lose_no_character(pieces: list[Piece], limits: ChunkLimits) -> None:
    document = _document(*pieces)
    for sentences in (
        list(read_sentences(document)),
        [s for chunk in _chunks(document, limits) for s in chunk.sentences],
    ):
        for index, block in enumerate(document.blocks):
            own = [sentence for sentence in sentences if sentence.block == index]
            expected = "" if block.kind is BlockKind.HEADER else block.span.cut(document.text)
            assert _squeezed("".join(s.span.cut(document.text) for s in own)) == _squeezed(expected)
            assert all(block.span.holds(s.span) and s.kind is block.kind for s in own)
        assert all(one.span.end <= other.span.start for one, other in pairwise(sentences))


@settings(max_examples=50, deadline=None)
@given(_pieces)
def test_the_same_document_gives_the_same_chunks_with_ids_of_their_own(pieces: list[Piece]) -> None:
    chunks = _chunks(_document(*pieces))
    assert chunks == _chunks(_document(*pieces))
    assert len({chunk.chunk_id for chunk in chunks}) == len(chunks)
    assert all(re.fullmatch("[0-9a-f]{20}", chunk.chunk_id) for chunk in chunks)


# Where a chunk ends


def _paragraph(*sentences: str) -> Piece:
    return Piece(text=" ".join(sentences))


def test_sentences_are_joined_up_to_the_target() -> None:
    sentences = ["Aa bb cc.", "Dd ee ff.", "Gg hh ii.", "Jj kk ll."]
    chunks = _chunks(_document(_paragraph(*sentences)), ChunkLimits(target_tokens=2 + 6, max_tokens=24))
    assert [chunk.text for chunk in chunks] == ["Aa bb cc. Dd ee ff.", "Gg hh ii. Jj kk ll."]


def test_a_short_lead_in_goes_with_what_it_introduces() -> None:
    document = _document(
        Piece(text="Two things:"), Piece(text="one", kind=BlockKind.ITEM, marker="-", lead=0)
    )
    assert [chunk.text for chunk in _chunks(document)] == ["Two things:\n\n- one"]
    apart = _document(Piece(text="Two things."), Piece(text="one", kind=BlockKind.ITEM, marker="-"))
    assert [chunk.text for chunk in _chunks(apart)] == ["Two things.", "one"]


@pytest.mark.parametrize("kind", [BlockKind.ROW, BlockKind.ENTRY])
def test_a_row_and_an_entry_are_chunks_of_their_own(kind: BlockKind) -> None:
    document = _document(_paragraph("See:"), Piece(text="a. B.", kind=kind), Piece(text="c", kind=kind))
    assert [chunk.text for chunk in _chunks(document)] == ["See:", "a. B.", "c"]


def test_an_id_changes_with_the_words_the_place_and_the_source() -> None:
    def first_id(path: str, *texts: str) -> str:
        document = assemble(make_source(path, b"", media_type=""), tuple(Piece(text=text) for text in texts))
        return _chunks(document)[-1].chunk_id

    ids = {
        first_id("a", "Words."),
        first_id("a", "Other."),
        first_id("b", "Words."),
        first_id("a", "X.", "Words."),
    }
    assert len(ids) == 4


def test_pages_are_those_that_a_chunk_touches() -> None:
    plain = _document(_paragraph("One two."), _paragraph("Three."))
    ends = [4, 10, len(plain.text)]
    starts = [0, *ends]
    pages = tuple(
        Page(number=n, span=Span(start=start, end=end))
        for n, (start, end) in enumerate(zip(starts, ends, strict=False), 1)
    )
    document = Document(
        source=SOURCE, title="", text=plain.text, headings=(), blocks=plain.blocks, pages=pages
    )
    assert [(chunk.first_page, chunk.last_page) for chunk in _chunks(document)] == [(1, 2), (3, 3)]
    assert [(chunk.first_page, chunk.last_page) for chunk in _chunks(plain)] == [(None, None)] * 2


# What is embedded


def test_headings_are_embedded_without_their_numbers_and_only_the_two_innermost() -> None:
    path = ("Part IV: Large Models", "Section 9: Adapting", "9.2. LoRA")
    assert embedding_prefix(path, "Label") == "Adapting\nLoRA\nLabel\n"
    assert embedding_prefix((), "") == ""


def test_the_lead_in_is_the_first_to_go_then_the_headings() -> None:
    def embedded(max_tokens: int) -> str:
        return embedded_text("b b", path=("a",), context="c", max_tokens=max_tokens, count_tokens=_count)

    assert [embedded(n) for n in (6, 5, 4)] == ["a\nc\nb b", "a\nb b", "b b"]


def test_a_sentence_that_fits_only_without_its_lead_in_is_kept_whole_with_it() -> None:
    text = "w " * 20 + "end."
    document = _document(
        Piece(text="lead " * 5 + "on:"), Piece(text=text, kind=BlockKind.ITEM, label="Label", lead=0)
    )
    chunk = _chunks(document)[-1]
    assert chunk.text == text
    assert chunk.sentences[0].context == "lead lead lead lead lead on:"
    assert _embedded(chunk) == text


def test_a_long_sentence_is_cut_at_white_space() -> None:
    text = " ".join(f"w{n}" for n in range(60)) + ". Next one."
    chunks = _chunks(_document(Piece(text="Title", level=1), Piece(text=text)))
    assert [len(chunk.text.split()) for chunk in chunks] == [21, 21, 18, 2]
    assert " ".join(chunk.text for chunk in chunks) == text
    assert all(_embedded(chunk).startswith("Title\n") for chunk in chunks)


def test_headings_that_would_fill_the_window_are_not_embedded() -> None:
    chunks = _chunks(_document(Piece(text="heading " * 30, level=1), Piece(text="w " * 40 + "end.")))
    assert [len(chunk.text.split()) for chunk in chunks] == [22, 19]
    assert all(_embedded(chunk) == chunk.text for chunk in chunks)


def test_a_word_longer_than_the_window_is_cut_inside() -> None:
    word = "x" * 500
    chunks = _chunks(_document(_paragraph("Short", word, "end.")))
    assert _squeezed("".join(chunk.text for chunk in chunks)) == f"Short{word}end."
    assert [len(chunk.text) for chunk in chunks][:2] == [5, 5 * 22]


@pytest.mark.parametrize("kind", [BlockKind.ROW, BlockKind.ENTRY])
def test_a_long_row_or_entry_is_cut_and_then_reads_as_it_is_written(kind: BlockKind) -> None:
    cells = ("Name", " ".join(["word"] * 50))
    piece = Piece(text="\t".join(cells), kind=kind, cells=cells, columns=("A", "B"), label="Name")
    document = assemble(
        SOURCE,
        (piece,),
        works=(CitedWork(number=7, title="", url="", text_fragment=None, accessed=None, piece=0),),
    )
    chunks = _chunks(document)
    assert [len(chunk.text.split()) for chunk in chunks] == [22, 22, 7]
    parts = [sentence for chunk in chunks for sentence in chunk.sentences]
    assert [part.shown for part in parts] == [""] * 3
    assert {part.kind for part in parts} == {kind}
    assert {part.references for part in parts} == ({(7,)} if kind is BlockKind.ENTRY else {()})


@pytest.mark.parametrize("count", [lambda text: len(text) + 9, lambda text: 9])
def test_a_window_too_small_for_anything_is_refused(count: Callable[[str], int]) -> None:
    with pytest.raises(DocumentError, match="too small for a single character"):
        chunk_document(
            _document(_paragraph("Words.")),
            limits=ChunkLimits(target_tokens=1, max_tokens=8),
            count_tokens=count,
        )


# What a sentence knows


def test_a_sentence_has_its_own_marks_else_the_next_in_its_block() -> None:
    document = _document(
        Piece(text="One. Two. Three. Four.", marks=((9, 5), (9, 6), (16, 7))),
        Piece(text="Five.", marks=((5, 8),)),
    )
    found = {s.span.cut(document.text): s.references for s in read_sentences(document)}
    assert found == {"One.": (5,), "Two.": (5, 6), "Three.": (7,), "Four.": (), "Five.": (8,)}


def test_all_parts_of_a_cut_sentence_keep_its_references() -> None:
    text = " ".join(["word"] * 50) + "."
    document = _document(Piece(text=f"{text} Next.", marks=((len(text), 5), (len(text) + 6, 6))))
    sentences = [s for chunk in _chunks(document) for s in chunk.sentences]
    assert [s.references for s in sentences] == [(5,), (5,), (5,), (6,)]


def test_context_is_the_way_from_the_outermost_lead_in_to_the_label() -> None:
    document = _document(
        Piece(text="Some. Two ways:"),
        Piece(text="Fast: quick:", kind=BlockKind.ITEM, label="Fast", lead=0),
        Piece(text="Inner: it runs. It jumps.", kind=BlockKind.ITEM, label="Inner", lead=1),
    )
    assert [sentence.context for sentence in read_sentences(document)] == [
        "",
        "",
        "Two ways:",
        "Two ways: › Fast",
        "Two ways: › Fast › Inner",
    ]


def test_a_row_reads_with_its_columns_and_without_empty_cells() -> None:
    cells = ("Name", "One.", "", "Three")
    row = Piece(text="\t".join(cells), kind=BlockKind.ROW, cells=cells, columns=("A", "B", "C", "D"))
    (sentence,) = read_sentences(_document(Piece(text="A\tB\tC\tD", kind=BlockKind.HEADER), row))
    assert (sentence.shown, sentence.context) == ("Name — B: One. D: Three.", "B / C / D")


def test_blocks_without_words_have_no_sentences() -> None:
    document = _document(
        Piece(text="", kind=BlockKind.ROW),
        Piece(text=" ", kind=BlockKind.ENTRY),
        Piece(text=""),
        Piece(text="Led by nothing.", lead=2),
    )
    assert [sentence.span.cut(document.text) for sentence in read_sentences(document)] == ["Led by nothing."]


# The roadmap


def test_the_roadmap_gives_whole_sentences_and_no_chunk_past_the_target() -> None:
    document = load_roadmap(roadmap_path().read_bytes(), path="corpus/roadmap.txt")
    limits = ChunkLimits()
    chunks = chunk_document(document, limits=limits, count_tokens=_count)
    assert tuple(s for chunk in chunks for s in chunk.sentences) == tuple(read_sentences(document))
    assert {len(chunk.heading_path) for chunk in chunks} == {1, 2, 3}
    assert max(chunk.n_tokens for chunk in chunks) <= limits.max_tokens
    for chunk in chunks:
        assert len(chunk.sentences) == 1 or _count(chunk.text) <= limits.target_tokens
