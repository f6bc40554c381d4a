"""A table row as it reads out of its table: its cells with their column names. Pure."""

from rag.schema import Block, Text


def row_text(text: Text, block: Block) -> str:
    """The row of a document's text; empty if the block has no cells. The first cell names the row."""
    if not block.cells:
        return ""
    first, *others = [" ".join(span.cut(text) for span in cell).strip() for cell in block.cells]
    named = zip(block.columns[1:], others, strict=False)  # a row may be shorter than its header
    return f"{first} — " + " ".join(f"{name}: {cell.rstrip('.')}." for name, cell in named if cell)
