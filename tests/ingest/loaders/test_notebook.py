"""Notebooks: Markdown and code, no outputs."""

import json

import pytest

from ingest.loaders.notebook import load_notebook
from ingest.loaders.outcome import Outcome, Unloadable


def _cell(kind: str, source: object) -> dict[str, object]:
    return {"cell_type": kind, "source": source, "outputs": [{"text": "OUTPUT"}]}


def _notebook(*cells: object) -> bytes:
    return json.dumps({"nbformat": 4, "cells": cells, "metadata": {}}).encode()


def test_markdown_and_code_are_read_and_outputs_are_not() -> None:
    data = _notebook(
        _cell("markdown", ["# A\n", "\n", "Run **this**:"]),
        _cell("code", "for x in y:\n    print(x)"),
        _cell("raw", "RAW"),
        _cell("markdown", "## B\n\nDone."),
    )
    document = load_notebook(data, path="a.ipynb")
    assert document.text == "A\n\nRun this:\n\nfor x in y:\n    print(x)\n\nB\n\nDone."
    assert [heading.section_id for heading in document.headings] == ["1", "1.1"]
    assert document.blocks[1].lead == 0
    assert document.title == "A"


def test_front_matter_of_the_first_cell_gives_the_title() -> None:
    data = _notebook(_cell("markdown", "---\ntitle: Digits\n---\n\nText."))
    document = load_notebook(data, path="a.ipynb")
    assert (document.title, document.text) == ("Digits", "Text.")


def test_cells_of_format_3_are_read_and_bad_ones_are_noted() -> None:
    sheet = {
        "cells": [{"cell_type": "heading", "level": 2, "source": "H"}, {"cell_type": "code", "input": "x"}, 7]
    }
    document = load_notebook(json.dumps({"worksheets": [sheet]}).encode(), path="a.ipynb")
    assert document.text == "H\n\nx"
    assert document.notes == ("1 cells could not be read",)


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"{", Outcome.UNREADABLE),
        (b"[]", Outcome.UNREADABLE),
        (b'{"cells": 3}', Outcome.UNREADABLE),
        (b"[" * 200_000, Outcome.LIMIT),
        (_notebook(), Outcome.EMPTY),
        (b"", Outcome.EMPTY),
    ],
    ids=["no JSON", "a list", "no cells", "deep", "no cell", "nothing"],
)
def test_what_is_no_notebook_is_refused(data: bytes, outcome: Outcome) -> None:
    with pytest.raises(Unloadable) as refused:
        load_notebook(data, path="a.ipynb")
    assert refused.value.outcome is outcome
