"""What all pages share in Streamlit: the one desk of this server, the style, the way from page to page."""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from rag.settings import load_settings
from ui.desk import Desk

ICON = str(Path(__file__).with_name("icon.svg"))  # of its own: Streamlit fetches named ones from the web
PAGES_CSS = Path(__file__).with_name("pages.css").read_text(encoding="utf-8")
_PAGES = "pages"  # in the session
LIBRARY_TAB = "library_tab"  # in the session: the tab of the library that somebody was sent to
WORKS_TAB = "Works cited"


@st.cache_resource(show_spinner=False, on_release=Desk.close)
def the_desk() -> Desk:
    """The desk of the data folder that the server was started for."""
    return Desk(load_settings().settings)


def know_pages(pages: dict[str, Page]) -> None:
    """Which pages there are, by their part of the address."""
    st.session_state[_PAGES] = pages


def go_to_page(name: str) -> None:
    """Draw another page instead of this one."""
    st.switch_page(st.session_state[_PAGES][name])
