"""HTML in the page whose buttons can be clicked: the one component, and what it looks like.

It is handed HTML that `ui.markup` has cleaned. The script is fixed and local: it reports which `data-open` was
clicked, copies a text to the clipboard, and brings the first highlight into view.
"""

from functools import cache
from pathlib import Path
from typing import cast

from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

_CSS = Path(__file__).with_name("clickable.css")
_JS = Path(__file__).with_name("clickable.js")


@cache
def _component() -> ComponentRenderer:
    return component(
        "waymark_clickable",
        html='<div class="waymark"></div>',
        css=_CSS.read_text(encoding="utf-8"),
        js=_JS.read_text(encoding="utf-8"),
    )


def clickable(markup: str, *, key: str, copies: str = "") -> str | None:
    """Show clean HTML. Returns the `data-open` that was clicked since the last run, else None.

    Args:
        copies: what a button with `data-copy` puts on the clipboard.
    """
    result = _component()(key=key, data={"html": markup, "copies": copies}, on_opened_change=lambda: None)
    return cast(str | None, result.get("opened"))
