"""Windows around hits: verbatim, whole, apart from each other, within their section and within the budget."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.assemble import Piece, assemble, make_source
from ingest.chunking import ChunkLimits, chunk_document
from ingest.loaders.roadmap import load_roadmap
from rag.assistant import Assistant
from rag.bundled import roadmap_path
from rag.passages import Window, windows
from rag.schema import BlockKind, Chunk, Document, Hit, Scores


def _document(path: str, *pieces: Piece) -> Document:
    return assemble(make_source(path, path.encode(), media_type="text/plain"), pieces)


def _sentences(topic: str, n: int) -> str:
    return " ".join(f"Sentence {i} of {topic} says a thing." for i in range(n))


GUIDE = _document(
    "guide.txt",
    Piece(text="Before all sections."),
    Piece(text="1. Paths", level=1, section_id="1"),
    *(Piece(text=_sentences(f"path {n}", 5)) for n in range(6)),
    Piece(text="1.1. Signs", level=2, section_id="1.1"),
    Piece(text="Signs are painted:"),
    *(
        Piece(text=f"Sign {n}: It points. It is old.", kind=BlockKind.ITEM, label=f"Sign {n}")
        for n in range(9)
    ),
    Piece(text="1.2. Maps", level=2, section_id="1.2"),
    Piece(text="Maps fold."),
    Piece(text="1.3. Legends", level=2, section_id="1.3"),
    Piece(text="Legends explain."),
    Piece(text="2. Weather", level=1, section_id="2"),
    Piece(text=_sentences("weather", 30)),
)
PLAIN = _document("plain.txt", *(Piece(text=_sentences(f"plain {n}", 4)) for n in range(8)))
DOCUMENTS = {document.source.source_id: document for document in (GUIDE, PLAIN)}
LIMITS = ChunkLimits(target_tokens=16, max_tokens=80)
CHUNKS: tuple[Chunk, ...] = tuple(
    chunk
    for document in DOCUMENTS.values()
    for chunk in chunk_document(document, limits=LIMITS, count_tokens=lambda text: len(text.split()) + 2)
)


def _hits(rows: Sequence[int]) -> tuple[Hit, ...]:
    return tuple(
        Hit(
            rank=rank,
            row=row,
            chunk=CHUNKS[row],
            title="A title",
            path=DOCUMENTS[CHUNKS[row].source_id].source.path,
            scores=Scores(dense=0.5, lexical=1.0, fused=1 / rank),
            sentence_scores=(0.5,) * len(CHUNKS[row].sentences),
        )
        for rank, row in enumerate(rows, 1)
    )


def _windows(rows: Sequence[int], **options: int | None) -> tuple[Window, ...]:
    return windows(_hits(rows), document=DOCUMENTS.__getitem__, **options)


def _row(text: str) -> int:
    return next(row for row, chunk in enumerate(CHUNKS) if text in chunk.text)


rows = st.lists(st.integers(0, len(CHUNKS) - 1), unique=True, max_size=20)
sizes = st.integers(0, 1500)


@given(rows, sizes, sizes, st.none() | st.integers(0, 4000), st.none() | st.integers(0, 8))
def test_windows_are_verbatim_apart_ordered_and_within_the_budget(
    rows: list[int], size: int, fill: int, budget: int | None, limit: int | None
) -> None:
    made = _windows(rows, size_chars=size, fill_chars=fill, budget_chars=budget, limit=limit)
    for window in made:
        assert window.text == window.span.cut(DOCUMENTS[window.source_id].text)
        assert window.text == window.text.strip()
        assert window.rows
        assert all(window.span.holds(CHUNKS[row].span) for row in window.rows)
    places = sorted((window.source_id, window.span) for window in made)
    for (source, one), (other_source, other) in itertools.pairwise(places):
        assert source != other_source or one.end <= other.start
    assert [window.score for window in made] == sorted((window.score for window in made), reverse=True)
    assert budget is None or sum(len(window.text) for window in made) <= budget
    assert limit is None or len(made) <= limit


@given(rows, sizes)
def test_without_a_budget_every_hit_is_in_exactly_one_window(rows: list[int], size: int) -> None:
    made = _windows(rows, size_chars=size)
    assert sorted(row for window in made for row in window.rows) == sorted(rows)


@given(rows, sizes, sizes)
def test_a_window_is_no_longer_than_asked_unless_its_chunk_is(rows: list[int], size: int, fill: int) -> None:
    for window in _windows(rows, size_chars=size, fill_chars=fill):
        assert len(window.text) <= max(size, fill, len(CHUNKS[window.rows[0]].text))


@given(rows, sizes, sizes)
def test_a_window_begins_and_ends_with_whole_sentences(rows: list[int], size: int, fill: int) -> None:
    for window in _windows(rows, size_chars=size, fill_chars=fill):
        assert window.text.endswith((".", ":"))
        assert window.text[0].isupper()


def test_a_window_stays_in_its_section() -> None:
    [window] = _windows([_row("Sentence 29 of weather")], fill_chars=1500)
    assert "Legends explain." not in window.text
    assert window.heading_path == ("2. Weather",)
    assert window.text.startswith("Sentence 0 of weather") or len(window.text) > 1400


def test_the_text_of_a_section_ends_where_its_first_subsection_begins() -> None:
    [window] = _windows([_row("Sentence 4 of path 5")], fill_chars=1500)
    assert window.text.endswith("Sentence 4 of path 5 says a thing.")
    assert "Before all sections." not in window.text


def test_a_tiny_section_is_read_with_those_beside_it() -> None:
    [window] = _windows([_row("Maps fold.")], size_chars=1000, fill_chars=1000)
    assert "Legends explain." in window.text
    assert "Weather" not in window.text


def test_hits_near_each_other_share_a_window_that_stands_where_the_better_one_stood() -> None:
    first, near, far = (
        _row("Sentence 0 of path 2"),
        _row("Sentence 0 of path 3"),
        _row("Sentence 9 of weather"),
    )
    made = _windows([first, far, near], size_chars=400)
    assert [window.rows for window in made] == [(first, near), (far,)]
    assert "Sentence 4 of path 2" in made[0].text


def test_hits_too_far_from_each_other_stay_apart() -> None:
    first, last = _row("Sentence 0 of path 0"), _row("Sentence 4 of path 5")
    assert [window.rows for window in _windows([first, last], size_chars=400)] == [(first,), (last,)]


def test_a_lone_hit_is_filled_up_with_what_stands_around_it() -> None:
    row = _row("Sentence 2 of path 3")
    [bare] = _windows([row], fill_chars=0)
    [filled] = _windows([row], fill_chars=300)
    assert bare.text == CHUNKS[row].text
    assert len(bare.text) < len(filled.text) <= 300


def test_a_hit_that_finds_no_room_is_passed_over_and_a_smaller_one_still_comes() -> None:
    long, short = _row("Sentence 0 of path 0"), _row("Maps fold.")
    made = _windows([long, short], fill_chars=0, budget_chars=len("Maps fold."))
    assert [window.rows for window in made] == [(short,)]


@pytest.mark.parametrize(
    "wrong", [{"size_chars": -1}, {"fill_chars": -1}, {"budget_chars": -1}, {"limit": -1}]
)
def test_negative_numbers_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        _windows([0], **wrong)


def test_windows_over_the_roadmap_are_slices_of_it_and_hold_their_hits(assistant: Assistant) -> None:
    path: Path = roadmap_path()
    text = load_roadmap(path.read_bytes(), path=path.name).text
    hits = assistant.search("How does LoRA cut memory?", k=12)
    made = windows(hits, document=assistant.index.document, budget_chars=6000)
    assert {row for window in made for row in window.rows} <= {hit.row for hit in hits}
    assert made[0].rows[0] == hits[0].row
    assert all(window.text in text for window in made)
    assert sum(len(window.text) for window in made) <= 6000
