"""Jupyter notebooks: Markdown cells as Markdown, code cells as listings; outputs and raw cells are left out.

Reads the JSON itself (formats 3 and 4) and runs nothing. A cell that is not as it should be is skipped and noted.
"""

import json
from typing import Any

from ingest.assemble import make_source
from ingest.loaders.detect import NOTEBOOK
from ingest.loaders.encoding import decode_text
from ingest.loaders.markdown import part_front_matter, read_markdown
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.pieces import Pieces
from rag.schema import Document


def load_notebook(data: bytes, *, path: str) -> Document:
    """Read a notebook.

    Raises:
        Unloadable: empty, too large, not JSON or not a notebook.
    """
    decoded = decode_text(data, path=path)
    notebook = _parse(decoded.text, path)
    pieces = Pieces(path=path)
    n_skipped, title = 0, _title(notebook)
    for cell in _cells(notebook, path):
        kind = cell.get("cell_type") if isinstance(cell, dict) else None
        text = _source(cell) if kind else None
        if text is None:
            n_skipped += 1
        elif kind == "markdown":
            named, text = part_front_matter(text)
            title = title or named
            read_markdown(text, pieces)
        elif kind == "heading":
            pieces.heading(text, level=_level(cell))
        elif kind == "code":
            pieces.code(text)
    notes = (f"{n_skipped} cells could not be read",) if n_skipped else ()
    return pieces.document(
        make_source(path, data, media_type=NOTEBOOK),
        title=title,
        notes=(*decoded.notes, *notes),
    )


def _parse(text: str, path: str) -> dict[str, Any]:  # Any: as JSON has it
    try:
        notebook = json.loads(text)
    except RecursionError as error:
        raise Unloadable("its JSON is nested too deep", outcome=Outcome.LIMIT, path=path) from error
    except ValueError as error:
        raise Unloadable(f"it is not JSON: {error}", outcome=Outcome.UNREADABLE, path=path) from error
    if not isinstance(notebook, dict):
        raise Unloadable("it is JSON but not a notebook", outcome=Outcome.UNREADABLE, path=path)
    return notebook


def _title(notebook: dict[str, Any]) -> str:
    metadata = notebook.get("metadata")
    title = metadata.get("title") if isinstance(metadata, dict) else None
    return title if isinstance(title, str) else ""


def _cells(notebook: dict[str, Any], path: str) -> list[Any]:
    cells = notebook.get("cells")
    sheets = notebook.get("worksheets")  # format 3
    if cells is None and isinstance(sheets, list):
        cells = [c for sheet in sheets if isinstance(sheet, dict) for c in sheet.get("cells") or ()]
    if not isinstance(cells, list):
        raise Unloadable("it is JSON but has no cells", outcome=Outcome.UNREADABLE, path=path)
    return cells


def _source(cell: dict[str, Any]) -> str | None:
    source = cell.get("source", cell.get("input"))
    if isinstance(source, str):
        return source
    if isinstance(source, list) and all(isinstance(line, str) for line in source):
        return "".join(source)
    return None


def _level(cell: dict[str, Any]) -> int:
    level = cell.get("level")
    return level if isinstance(level, int) and 1 <= level <= 6 else 1
