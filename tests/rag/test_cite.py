"""From chosen sentences to text, marks and citations: all of it can be traced to the document."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.assemble import CitedWork, Piece, assemble, make_source
from ingest.chunking import ChunkLimits, chunk_document
from rag.answer import Reference
from rag.cite import Written, order_passages, write_answer
from rag.compose import Candidate
from rag.schema import BlockKind, Document, Hit, Scores

ITEM = BlockKind.ITEM
TABLE_CELLS = ("BERT", "low", "Reads both sides.")


def _document(path: str, *pieces: Piece, works: tuple[CitedWork, ...] = ()) -> Document:
    return assemble(make_source(path, path.encode(), media_type="text/plain"), pieces, works=works)


def _work(number: int, *, piece: int) -> CitedWork:
    url = f"https://example.org/{number}"
    return CitedWork(
        number=number, title=f"Paper {number}", url=url, text_fragment=None, accessed=None, piece=piece
    )


GUIDE = _document(
    "guide.txt",
    Piece(text="Part I: Basics", level=1, section_id="part_I"),
    Piece(text="1.2. Training", level=2, section_id="1.2"),
    Piece(
        text="Momentum smooths the path [sic]. Decay shrinks weights. It rarely hurts.",
        marks=((32, 1), (55, 2), (55, 9)),
    ),
    Piece(text="It also helps to wait."),
    Piece(text="Two rules matter:"),
    Piece(text="Early Stop: Watch the loss. This saves time.", kind=ITEM, label="Early Stop", lead=4),
    Piece(text="Small Steps: Go slowly.", kind=ITEM, label="Small Steps", lead=4),
    Piece(
        text="\t".join(TABLE_CELLS),
        kind=BlockKind.ROW,
        columns=("Model", "Cost", "Strength"),
        cells=TABLE_CELLS,
    ),
    Piece(text="Paper 1, https://example.org/1", kind=BlockKind.ENTRY, marker="1."),
    Piece(text="Paper 2, https://example.org/2", kind=BlockKind.ENTRY, marker="2."),
    works=(_work(1, piece=8), _work(2, piece=9)),
)
PLAIN = _document("https://example.org/plain", Piece(text="They wait. Nobody knows why. Zebras do."))
DOCUMENTS = {document.source.source_id: document for document in (GUIDE, PLAIN)}


def _hits(target: int = 40) -> tuple[Hit, ...]:
    hits: list[Hit] = []
    for document in (GUIDE, PLAIN):
        for chunk in chunk_document(
            document, limits=ChunkLimits(target_tokens=target), count_tokens=lambda text: len(text.split())
        ):
            hits.append(
                Hit(
                    rank=len(hits) + 1,
                    row=100 + len(hits),
                    chunk=chunk,
                    title=f"Title of {document.source.path}",
                    path=document.source.path,
                    scores=Scores(dense=0.5, lexical=0.0, fused=0.5),
                    sentence_scores=(0.5,) * len(chunk.sentences),
                )
            )
    return tuple(hits)


HITS = _hits()
ALL = tuple(
    Candidate(hit=hit, position=position, worth=1.0)
    for hit in HITS
    for position in range(len(hit.sentence_scores))
)


def _pick(*openings: str) -> tuple[Candidate, ...]:
    return tuple(next(c for c in ALL if c.quote.startswith(opening)) for opening in openings)


def _write(chosen: Sequence[Candidate], hits: Sequence[Hit] = HITS) -> Written:
    return write_answer(chosen, hits, works=lambda source_id: DOCUMENTS[source_id].works)


# --- what always holds ---------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from(ALL), max_size=8, unique_by=lambda c: c.place))
def test_whatever_is_chosen_can_be_traced(chosen: list[Candidate]) -> None:
    written = _write(chosen)
    labels = {passage.hit.row: passage.label for passage in written.passages}
    spans = [span for citation in written.citations for span in citation.answer_spans]
    assert [span.cut(written.text) for span in spans] == [candidate.text for candidate in chosen]
    for span, candidate in zip(spans, chosen, strict=True):
        mark = f" [{labels[candidate.hit.row]}]"
        assert written.text[span.end : span.end + len(mark)] == mark
    for citation in written.citations:
        assert citation.quote == citation.quote_span.cut(DOCUMENTS[citation.source_id].text) != ""
        passage = next(p for p in written.passages if p.label == citation.label)
        assert citation.quote in passage.hit.chunk.text
    cited = [citation.label for citation in written.citations]
    assert list(dict.fromkeys(cited)) == list(range(1, len(set(cited)) + 1))
    assert sorted(labels.values()) == list(range(1, len(HITS) + 1))


def test_nothing_chosen_writes_nothing_and_still_shows_the_passages() -> None:
    written = _write(())
    assert (written.text, written.citations) == ("", ())
    assert [(passage.label, passage.hit) for passage in written.passages] == list(enumerate(HITS, 1))


# --- labels --------------------------------------------------------------------------------------------------------


def test_labels_follow_the_order_of_citing_and_passages_that_are_cited_come_first() -> None:
    first, second, *_, last = HITS
    passages = order_passages(HITS, [last.row, second.row])
    assert [passage.hit for passage in passages[:3]] == [second, last, first]  # by rank within each half
    assert [passage.label for passage in passages] == [2, 1, *range(3, len(HITS) + 1)]


def test_the_first_sentence_carries_the_first_label_however_low_its_hit_ranks() -> None:
    written = _write(_pick("Zebras", "Momentum"))
    assert written.text == "Zebras do. [1]\n\nMomentum smooths the path [sic]. [2]"
    assert [citation.path for citation in written.citations] == ["https://example.org/plain", "guide.txt"]


# --- text ----------------------------------------------------------------------------------------------------------


def test_sentences_of_a_paragraph_run_on_and_paragraphs_stand_apart() -> None:
    assert _write(_pick("Momentum", "It rarely", "Two rules")).text == (
        "Momentum smooths the path [sic]. [1] It rarely hurts. [1]\n\nTwo rules matter: [2]"
    )


def test_several_items_are_bulleted_one_a_line() -> None:
    assert _write(_pick("Two rules", "Early", "Small")).text == (
        "Two rules matter: [1]\n\n- Early Stop: Watch the loss. [1]\n- Small Steps: Go slowly. [2]"
    )


def test_a_single_item_is_not_bulleted() -> None:
    assert _write(_pick("Small")).text == "Small Steps: Go slowly. [1]"
    assert _write(_pick("Momentum", "Small")).text == (
        "Momentum smooths the path [sic]. [1]\n\nSmall Steps: Go slowly. [2]"
    )


def test_two_sentences_of_one_item_share_a_line() -> None:
    assert _write(_pick("Early", "This saves")).text == "Early Stop: Watch the loss. [1] This saves time. [1]"


def test_a_row_is_shown_with_its_column_names_and_quoted_as_printed() -> None:
    written = _write(_pick("BERT"))
    assert written.text == "BERT — Cost: low. Strength: Reads both sides. [1]"
    [citation] = written.citations
    assert citation.quote == "BERT\tlow\tReads both sides."
    assert citation.answer_spans[0].cut(written.text) == "BERT — Cost: low. Strength: Reads both sides."


# --- pronouns ------------------------------------------------------------------------------------------------------


def test_a_sentence_that_points_back_out_of_place_says_what_it_speaks_of() -> None:
    written = _write(_pick("This saves"))
    assert written.text == "(Training › Early Stop) This saves time. [1]"
    [citation] = written.citations
    assert citation.answer_spans[0].cut(written.text) == "This saves time."
    assert citation.quote == "This saves time."


@pytest.mark.parametrize(
    ("openings", "text"),
    [
        (
            ("Early", "This saves"),
            "Early Stop: Watch the loss. [1] This saves time. [1]",
        ),  # what it means is shown
        (("Small",), "Small Steps: Go slowly. [1]"),  # it points nowhere
        (("It also",), "It also helps to wait. [1]"),  # no label to name
        (("They wait",), "They wait. [1]"),  # neither heading nor label
    ],
)
def test_no_other_sentence_is_introduced(openings: tuple[str, ...], text: str) -> None:
    assert _write(_pick(*openings)).text == text


def test_an_introduction_does_without_a_heading_where_there_is_none() -> None:
    [pick] = _pick("This saves")
    hit = replace(pick.hit, chunk=replace(pick.hit.chunk, heading_path=()))
    written = _write([replace(pick, hit=hit)], [hit])
    assert written.text == "(Early Stop) This saves time. [1]"


# --- citations -----------------------------------------------------------------------------------------------------


def test_neighbours_share_a_citation_whose_quote_is_the_whole_run() -> None:
    [citation] = _write(_pick("Momentum", "Decay")).citations
    assert citation.quote == "Momentum smooths the path [sic]. Decay shrinks weights."
    assert len(citation.answer_spans) == 2


def test_sentences_that_do_not_touch_have_citations_of_their_own() -> None:
    citations = _write(_pick("Momentum", "It rarely")).citations
    assert [citation.quote for citation in citations] == [
        "Momentum smooths the path [sic].",
        "It rarely hurts.",
    ]
    assert [citation.label for citation in citations] == [1, 1]


def test_neighbours_in_the_wrong_order_are_not_joined() -> None:
    assert [c.quote for c in _write(_pick("Decay", "Momentum")).citations] == [
        "Decay shrinks weights.",
        "Momentum smooths the path [sic].",
    ]


def test_neighbours_in_two_chunks_are_not_joined() -> None:
    hits = _hits(target=5)
    chosen = [Candidate(hit=hit, position=0, worth=1.0) for hit in hits[:2]]
    assert [c.quote for c in _write(chosen, hits).citations] == [
        "Momentum smooths the path [sic].",
        "Decay shrinks weights.",
    ]


def test_a_citation_names_the_works_that_its_sentences_rest_on_and_no_unknown_ones() -> None:
    chosen = _pick("Momentum", "Decay")
    assert [candidate.sentence.references for candidate in chosen] == [(1,), (2, 9)]
    [citation] = _write(chosen).citations
    assert citation.references == tuple(
        Reference(number=number, title=f"Paper {number}", url=f"https://example.org/{number}")
        for number in (1, 2)
    )


def test_a_citation_says_where_it_stands() -> None:
    [citation] = _write(_pick("Momentum")).citations
    assert (citation.title, citation.path, citation.url) == ("Title of guide.txt", "guide.txt", None)
    assert citation.heading_path == ("Part I: Basics", "1.2. Training")
    assert citation.pages == ()
    assert citation.support == 1.0
    [web] = _write(_pick("Zebras")).citations
    assert web.url == web.path == "https://example.org/plain"


def test_pages_are_all_those_that_the_chunk_spans() -> None:
    hit = replace(HITS[0], chunk=replace(HITS[0].chunk, first_page=3, last_page=5))
    written = _write([Candidate(hit=hit, position=0, worth=1.0)], [hit])
    assert written.citations[0].pages == written.passages[0].pages == (3, 4, 5)


def test_marks_in_the_document_are_not_taken_for_labels() -> None:
    written = _write(_pick("Momentum"))
    assert re.findall(r"\[(\w+)\]", written.text) == ["sic", "1"]
    assert written.citations[0].answer_spans[0].cut(written.text) == "Momentum smooths the path [sic]."
