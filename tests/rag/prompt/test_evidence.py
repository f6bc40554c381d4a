"""The sentences of a passage and how its table rows read."""

from dataclasses import replace

from rag.prompt.evidence import readable, told_by
from rag.schema import Block, BlockKind, Document, Span
from tests.rag.prompt.made import make_document, make_window

TEXT = "Before it. It has two.\nCats\tsleep.\tmeow\nAfter it."


def _with_row() -> Document:
    document = make_document(TEXT)
    start = TEXT.index("Cats")
    cells = tuple(
        (Span(start=TEXT.index(word), end=TEXT.index(word) + len(word)),)
        for word in ("Cats", "sleep.", "meow")
    )
    row = Block(
        kind=BlockKind.ROW,
        span=Span(start=start, end=TEXT.index("\nAfter")),
        columns=("Animal", "At night", "Sound"),
        cells=cells,
    )
    return replace(document, blocks=(document.blocks[0], row, document.blocks[2]))


def test_a_row_is_one_sentence_that_reads_with_its_column_names_and_is_quoted_verbatim() -> None:
    document = _with_row()
    told = told_by(make_window(document), document)
    assert [one.text for one in told] == [
        "Before it.",
        "It has two.",
        "Cats — At night: sleep. Sound: meow.",
        "After it.",
    ]
    assert told[2].span.cut(TEXT) == "Cats\tsleep.\tmeow"


def test_a_passage_is_read_with_its_rows_written_out_and_everything_else_as_it_is() -> None:
    document = _with_row()
    assert readable(make_window(document), document) == (
        "Before it. It has two.\nCats — At night: sleep. Sound: meow.\nAfter it."
    )
    half = make_window(document, Span(start=0, end=TEXT.index("\tsleep")))
    assert readable(half, document) == "Before it. It has two.\nCats"


def test_a_sentence_that_a_passage_holds_in_part_is_not_told() -> None:
    document = make_document("Before it. It has two.")
    told = told_by(make_window(document, Span(start=0, end=15)), document)
    assert [one.text for one in told] == ["Before it."]


def test_a_sentence_names_the_works_whose_marks_stand_in_it() -> None:
    document = make_document("Before it. It has two.", work_at=len("Before it."))
    assert [one.references for one in told_by(make_window(document), document)] == [(7,), ()]
