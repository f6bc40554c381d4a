"""HTML in the page whose buttons can be clicked: the one component, and what it looks like.

It is handed HTML that `ui.markup` has cleaned. The script is fixed and local: it reports which `data-open` was
clicked, copies a text to the clipboard, brings the first highlight into view, and moves the focus to what was opened
and back.
"""

from functools import cache
from pathlib import Path
from typing import cast

from streamlit.components.v2 import component
from streamlit.components.v2.types import ComponentRenderer

_CSS = Path(__file__).with_name("clickable.css")
_ARRIVAL_JS = Path(__file__).with_name("arrival.js")
_JS = Path(__file__).with_name("clickable.js")


@cache
def _component() -> ComponentRenderer:
    return component(
        "waymark_clickable",
        html='<div class="waymark"></div>',
        css=_CSS.read_text(encoding="utf-8"),
        js=_JS.read_text(encoding="utf-8"),
    )


@cache
def _arrival() -> ComponentRenderer:
    script = _ARRIVAL_JS.read_text(encoding="utf-8")
    return component("waymark_arrival", html='<span class="arrival"></span>', js=script)


def await_question(conversation_id: str) -> None:
    """Put the focus where a question is written, once for each conversation that is opened."""
    _arrival()(key=f"arrival-{conversation_id}", data={})


def clickable(
    markup: str, *, key: str, copies: str = "", chosen: str = "", takes_focus: bool = False
) -> str | None:
    """Show clean HTML. Returns the `data-open` that was clicked since the last run, else None.

    Args:
        copies: what a button with `data-copy` puts on the clipboard.
        chosen: the `data-open` whose meaning is open beside; once it no longer is, the focus returns there.
        takes_focus: when it is first drawn, so that keys scroll it and leave it.
    """
    data = {"html": markup, "copies": copies, "chosen": chosen, "takes_focus": takes_focus}
    result = _component()(key=key, data=data, on_opened_change=lambda: None)
    return cast(str | None, result.get("opened"))
