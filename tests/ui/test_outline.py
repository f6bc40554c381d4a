"""The map of a document: what each section cites, how much of that is indexed, and the order of reading."""

import pytest

from ingest.loaders.roadmap import load_roadmap
from rag.bundled import roadmap_path
from rag.schema import Document
from ui.outline import map_html, neighbours, outline, section_html, work_states, works_list_html


@pytest.fixture(scope="module")
def document() -> Document:
    path = roadmap_path()
    return load_roadmap(path.read_bytes(), path=path.name)


def test_each_section_says_what_it_cites_and_how_much_of_that_is_indexed(document: Document) -> None:
    works = work_states(document.works, {44: "s1"}, {"s1": 7})
    lora = next(one for one in outline(document, works) if one.title.startswith("9.2."))
    assert 44 in lora.cited
    assert lora.indexed == 1
    assert f"1 of {len(lora.cited)}" in map_html([lora], lora)
    html = works_list_html(works, lora.cited, 44)
    assert "7 chunks indexed" in html
    assert '<li class="chosen">44. ' in html


def test_without_an_index_nothing_is_covered(document: Document) -> None:
    entries = outline(document, work_states(document.works, {}, {}))
    assert {one.indexed for one in entries} == {0}
    assert any(one.cited for one in entries)


def test_a_section_is_read_with_its_marks_as_buttons(document: Document) -> None:
    heading = next(one for one in document.headings if one.title.startswith("9.2."))
    html = section_html(document, heading)
    assert "LoRA freezes them" in html
    assert 'data-open="work-44"' in html


def test_every_mark_of_the_document_stands_in_the_section_that_holds_it(document: Document) -> None:
    shown = sum(section_html(document, heading).count("data-open=") for heading in document.headings)
    assert shown == len(document.marks) > 100


def test_a_table_is_read_in_columns(document: Document) -> None:
    heading = next(one for one in document.headings if one.title.startswith("6.3."))
    html = section_html(document, heading)
    assert "<th>Feature</th><th>PyTorch</th><th>TensorFlow</th>" in html
    assert html.count("<tr>") > 4


def test_one_reads_on_to_the_next_section_and_back(document: Document) -> None:
    entries = outline(document, work_states(document.works, {}, {}))
    assert neighbours(entries, entries[0]) == (None, entries[1])
    assert neighbours(entries, entries[-1]) == (entries[-2], None)
    assert neighbours(entries, entries[5]) == (entries[4], entries[6])
