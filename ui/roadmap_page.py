"""The page of the roadmap itself: its parts and sections to browse and read, what each cites, and asking about one."""

import streamlit as st

from ingest.gather import ROADMAP_PATH
from rag.assistant import Assistant
from rag.schema import Document, Heading
from rag.works import indexed_works
from ui import question_options, welcome
from ui.clickable import clickable
from ui.labels import label
from ui.outline import (
    WORKS_CITED,
    Entry,
    WorkState,
    map_html,
    neighbours,
    outline,
    section_html,
    work_states,
    works_list_html,
)
from ui.shared_desk import go_to_page, the_desk

_CHOSEN = "section"  # in the session: id of the section that is read


def show() -> None:
    """Draw the page."""
    desk = the_desk()
    if not welcome.ready(desk):
        return
    assistant = desk.assistant()
    source_id, document, works, entries = _map_of(assistant.index.manifest.generation_id, assistant)
    sections = [entry for entry in entries if entry.section_id != WORKS_CITED]
    chosen = st.session_state.get(_CHOSEN) or st.query_params.get("s") or sections[0].section_id
    entry = next((one for one in sections if one.section_id == chosen), sections[0])
    st.query_params["s"] = entry.section_id
    st.title("Roadmap", anchor=False)
    cited = {number for one in entries for number in one.cited}
    st.caption(
        f"{label(document.title)} · {len(sections)} parts and sections · {len(cited)} works cited in the text, "
        f"{sum(works[number].source_id is not None for number in cited if number in works)} of them indexed. "
        "Beside each heading: how many of the works it cites are indexed."
    )
    left, right = st.columns([2, 3], gap="large")
    with left.container(height=640, key="map"):
        opened = clickable(map_html(sections, entry), key="map-of-sections")
    if opened is not None:
        _read(opened)
        st.rerun()
    with right.container(key="reading"):
        heading = next(one for one in document.headings if one.section_id == entry.section_id)
        st.subheader(label(entry.title), anchor=False)
        _ask_buttons(source_id, entry, works)
        _show_section(document, heading, entry, works)
        _show_neighbours(sections, entry)


@st.cache_resource(show_spinner=False, max_entries=2)
def _map_of(
    generation_id: str,  # noqa: ARG001 (what is kept is kept for it)
    _assistant: Assistant,
) -> tuple[str, Document, dict[int, WorkState], tuple[Entry, ...]]:
    """The roadmap with its map; worked out once for each generation of the index."""
    sources = _assistant.index.manifest.sources
    source_id = next(source.source_id for source in sources if source.path == ROADMAP_PATH)
    document = _assistant.document(source_id)
    works = work_states(
        document.works,
        indexed_works(_assistant.index),
        {source.source_id: source.n_chunks for source in sources},
    )
    return source_id, document, works, outline(document, works)


def _show_section(document: Document, heading: Heading, entry: Entry, works: dict[int, WorkState]) -> None:
    opened = clickable(section_html(document, heading), key=f"text-{entry.section_id}")
    number = int(opened.removeprefix("work-")) if opened and opened.startswith("work-") else None
    if entry.cited:
        st.markdown("**What it cites**")
        clickable(works_list_html(works, entry.cited, number), key=f"cited-{entry.section_id}")


def _show_neighbours(sections: list[Entry], entry: Entry) -> None:
    before, after = neighbours(sections, entry)
    with st.container(horizontal=True, horizontal_alignment="distribute", key="neighbours"):
        for one, name, icon in (
            (before, "before", ":material/arrow_back:"),
            (after, "after", ":material/arrow_forward:"),
        ):
            if one is not None:
                st.button(
                    label(one.title),
                    icon=icon,
                    type="tertiary",
                    key=f"read-{name}",
                    on_click=_read,
                    args=(one.section_id,),
                )


def _read(section_id: str) -> None:
    st.session_state[_CHOSEN] = section_id


def _ask_buttons(source_id: str, entry: Entry, works: dict[int, WorkState]) -> None:
    with st.container(horizontal=True):
        if st.button("Ask about this section", icon=":material/forum:", type="primary"):
            question_options.limit_to(entry.title, source_id=source_id, section_id=entry.section_id)
            go_to_page("ask")
        indexed = [works[number] for number in entry.cited if works[number].source_id]
        if indexed:
            with st.popover("Ask about a source", icon=":material/menu_book:"):
                for work in indexed:
                    if st.button(f"{work.number}. {label(work.title)}", key=f"source-{work.number}"):
                        question_options.limit_to(work.title, source_id=work.source_id)
                        go_to_page("ask")
