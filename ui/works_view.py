"""The works that the roadmap cites, in the library: what is kept of each, fetching them, giving one by hand."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from ingest.fetch.classify import Outcome
from ingest.fetch.table import NEVER, Row
from ingest.overview import work_rows
from rag.errors import WaymarkError
from ui import indexing
from ui.desk import Desk
from ui.markup import clean, escape
from ui.uploads import TYPES, check_upload, upload_name

_REFUSED = "refused_work"  # in the session: why the file that was given last was not taken


def show_works(desk: Desk) -> None:
    """Draw the tab."""
    rows = work_rows(desk.settings.home)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f"{sum(row.indexed for row in rows)} of {len(rows)} works that the roadmap cites are indexed. Fetching "
            "asks the web for each page, keeps a dated copy on this machine, and can take some minutes."
        )
        if st.button("Fetch the cited works", icon=":material/cloud_download:"):
            desk.jobs.start("Fetching the cited works", partial(indexing.fetch_cited, desk.settings))
            st.rerun()
    _show_supply(desk, rows)
    _show_table(rows)


def _show_supply(desk: Desk, rows: Sequence[Row]) -> None:
    """A file in the place of a page that cannot be fetched: paid for, gone, or without a network."""
    refused = st.session_state.get(_REFUSED, "")
    with st.expander("Give a file for a work that cannot be fetched", expanded=bool(refused)):
        with st.form("supply", border=False, clear_on_submit=True):
            row = st.selectbox(
                "Work",
                sorted((row for row in rows if not row.indexed), key=lambda row: row.outcome == NEVER),
                format_func=lambda row: f"{row.n}. {row.title} ({_came_of(row)})",
                index=None,
                placeholder="Which work is it?",
            )
            file = st.file_uploader("The page or paper as a file of yours", type=list(TYPES))
            given = st.form_submit_button("Give this file")
        if given:
            missing = "Choose a work and a file."
            st.session_state[_REFUSED] = _supply(desk, row, file) if row and file else missing
            st.rerun()
        if refused:
            st.html(clean(f'<div class="refused">✗ {escape(refused)}</div>'))


def _supply(desk: Desk, row: Row, file: UploadedFile) -> str:
    """Begin to take a file; why not, if it cannot be taken."""
    name, data = upload_name(file.name), file.getvalue()
    try:
        check_upload(file.name, data)
    except WaymarkError as error:
        return f"{file.name}: {error}. {error.hint}"
    desk.jobs.start(
        f"Taking {name} for work {row.n}", partial(indexing.supply, desk.settings, row.n, name, data)
    )
    return ""


def _show_table(rows: Sequence[Row]) -> None:
    st.dataframe(
        [
            {
                "n": row.n,
                "title": row.title,
                "url": row.url if row.url.startswith(("http://", "https://")) else "",
                "status": _status(row),
                "chunks": row.chunks or None,
                "pages": row.pages or None,
                "date": row.date[:10],
                "snapshot": row.snapshot_date[:10],
            }
            for row in rows
        ],
        hide_index=True,
        width="stretch",
        placeholder="",
        column_config={
            "n": st.column_config.NumberColumn(width=40),
            "title": st.column_config.TextColumn(width=330),
            "url": st.column_config.LinkColumn("page", display_text="open", width=60),
            "status": st.column_config.TextColumn(width=140),
            "chunks": st.column_config.NumberColumn(width=60),
            "pages": st.column_config.NumberColumn(width=60),
            "date": st.column_config.TextColumn("visited", width=90),
            "snapshot": st.column_config.TextColumn("copy of", width=90),
        },
    )


def _status(row: Row) -> str:
    if not row.indexed:
        return row.skipped or _came_of(row)
    return "indexed" if row.snapshot_outcome != Outcome.SUPPLIED else f"indexed, given by hand: {row.reason}"


def _came_of(row: Row) -> str:
    outcome = row.outcome.replace("_", " ")
    return f"{outcome}: {row.reason}" if row.reason else outcome
