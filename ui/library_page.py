"""The page of what is indexed: one's own documents, the works cited, the generations of the index."""

from collections import Counter
from functools import partial
from pathlib import Path

import streamlit as st

from ingest.library import item_of
from ingest.overview import NOT_YET, OwnRow, own_rows, roadmap_row
from rag.errors import WaymarkError
from ui import indexing, question_options
from ui.desk import Desk
from ui.jobs import Outcome
from ui.jobs_view import show_jobs
from ui.labels import counted
from ui.markup import clean, escape, link
from ui.shared_desk import LIBRARY_TAB, WORKS_TAB, go_to_page, the_desk
from ui.uploads import TYPES, is_upload, keep_upload
from ui.works_view import show_works

_REFUSED = "refused"  # in the session: what came of the dropped files that were not taken
_MANY = 10  # own documents, from which on there is a field to look for one
_LISTED = 40  # own documents that are shown at once


def show() -> None:
    """Draw the page."""
    desk = the_desk()
    st.title("Library", anchor=False)
    _show_add(desk)
    show_jobs(desk)
    own, works, generations = st.tabs(
        ["Your documents", WORKS_TAB, "Generations of the index"],
        default=st.session_state.get(LIBRARY_TAB),
    )
    with own:
        _show_own(desk)
    with works:
        show_works(desk)
    with generations:
        _show_generations(desk)


def _show_add(desk: Desk) -> None:
    files, folder, page = st.tabs(["Add files", "Add a folder", "Add a web page"])
    with files:
        _show_upload(desk)
    with folder, st.form("folder", border=False, clear_on_submit=True):
        path = st.text_input("Folder on this machine", placeholder="A folder or file on this machine")
        if st.form_submit_button("Add folder") and path.strip():
            _add(desk, path.strip())
    with page, st.form("page", border=False, clear_on_submit=True):
        url = st.text_input("Address", placeholder="https://…")
        if st.form_submit_button("Fetch and add") and url.strip():
            if url.strip().startswith(("http://", "https://")):
                _add(desk, url.strip())
            else:
                st.error("Only addresses that begin with http:// or https:// are fetched.")


def _show_upload(desk: Desk) -> None:
    """Dropped files are kept at once, each with its outcome, and then indexed in one job."""
    round_ = st.session_state.setdefault("upload_round", 0)
    dropped = st.file_uploader(
        "Drop files here: PDF, HTML, Markdown, reStructuredText, notebooks, Word or text, at most 50 MB each",
        accept_multiple_files=True,
        type=list(TYPES),
        key=f"upload-{round_}",
    )
    for outcome in st.session_state.get(_REFUSED, ()):
        st.html(clean(f'<div class="refused">✗ {escape(outcome.name)}: {escape(outcome.what)}</div>'))
    if not dropped:
        return
    kept, refused = [], []
    for file in dropped:
        try:
            kept.append(str(keep_upload(desk.settings.home, file.name, file.getvalue())))
        except WaymarkError as error:
            refused.append(Outcome(name=file.name, good=False, what=f"{error}. {error.hint}"))
    st.session_state[_REFUSED] = (
        refused  # until files are dropped again: the page is drawn anew when the job ends
    )
    st.session_state["upload_round"] = round_ + 1  # an empty field again
    if kept:
        names = ", ".join(indexing.short_name(path) for path in kept)
        desk.jobs.start(f"Adding {names}", partial(indexing.add, desk.settings, kept))
    st.rerun()


def _add(desk: Desk, argument: str) -> None:
    try:
        item = item_of(argument)
        missing = "://" not in item and not Path(item).exists()
    except (OSError, ValueError):
        missing = True
    if missing:
        st.error("There is no such folder or file on this machine.")
        return
    desk.jobs.start(f"Adding {argument}", partial(indexing.add, desk.settings, [argument]))
    st.rerun()


def _show_own(desk: Desk) -> None:
    rows = own_rows(desk.settings.home)
    _show_roadmap(desk)
    if not rows:
        st.caption("Nothing of your own yet. What you add stands beside the roadmap.")
    brought = Counter(row.item for row in rows if row.item not in ("", row.path))
    for folder, n in brought.items():
        _show_folder(desk, folder, n)
    if len(rows) > _MANY:
        wanted = st.text_input("Find a document", placeholder="Find a document", label_visibility="collapsed")
        rows = tuple(row for row in rows if wanted.casefold() in f"{row.title} {row.path}".casefold())
    for row in rows[:_LISTED]:
        _show_row(desk, row)
    if len(rows) > _LISTED:
        st.caption(f"{len(rows) - _LISTED} more: look for them above.")


def _show_roadmap(desk: Desk) -> None:
    row = roadmap_row(desk.settings.home)
    if row is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="the-roadmap"):
        told = f"comes with Waymark · {counted(row.chunks, 'chunk')}"
        st.html(
            clean(f"<div><strong>{escape(row.title)}</strong><br><small>{told}</small></div>"),
            width="stretch",
        )
        if st.button("Read", icon=":material/account_tree:", key="read-the-roadmap"):
            go_to_page("roadmap")


def _show_folder(desk: Desk, folder: str, n: int) -> None:
    """What was added as a whole is removed as a whole."""
    with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"folder-{folder}"):
        st.html(
            clean(
                f"<div><strong>{escape(folder)}</strong> <small>folder, {counted(n, 'file')}</small></div>"
            ),
            width="stretch",
        )
        if st.button("Remove folder", icon=":material/folder_delete:", key=f"remove-{folder}"):
            _remove(desk, folder)


def _index(desk: Desk) -> None:
    desk.jobs.start("Indexing", partial(indexing.index, desk.settings))
    st.rerun()


def _remove(desk: Desk, item: str) -> None:
    desk.jobs.start(f"Removing {indexing.short_name(item)}", partial(indexing.remove, desk.settings, item))
    st.rerun()


def _show_row(desk: Desk, row: OwnRow) -> None:
    title = row.title or indexing.short_name(row.path)
    with st.container(horizontal=True, vertical_alignment="center", border=True, key=f"own-{row.path}"):
        st.html(_row_html(desk, row, title), width="stretch")
        if row.indexed and st.button("Ask", icon=":material/forum:", key=f"ask-{row.path}"):
            question_options.limit_to(title, source_id=row.source_id)
            go_to_page("ask")
        if row.skipped == NOT_YET and not desk.jobs.busy and st.button("Index", key=f"index-{row.path}"):
            _index(desk)
        alone = row.item == row.path  # what a folder brings in goes with the folder
        if alone and st.button("Remove", icon=":material/delete:", key=f"remove-{row.path}"):
            _remove(desk, row.item)


def _row_html(desk: Desk, row: OwnRow, title: str) -> str:
    where = indexing.short_name(row.path) if is_upload(desk.settings.home, row.path) else row.path
    facts = [
        link(where, where) if "://" in where else escape(where),
        escape(row.date[:10]),
        counted(row.pages, "page") if row.pages else "",
        counted(row.chunks, "chunk") if row.chunks else "",
    ]
    state = "" if row.indexed else f'<br><span class="refused">✗ {escape(row.skipped)}</span>'
    if row.skipped == NOT_YET:
        state = f"<br>{'waits to be indexed' if desk.jobs.busy else 'not indexed yet'}"
    told = " · ".join(fact for fact in facts if fact)
    return clean(f"<div><strong>{escape(title)}</strong><br><small>{told}</small>{state}</div>")


def _show_generations(desk: Desk) -> None:
    st.caption(
        "Each change makes a new generation; the last three are kept, and any of them can serve again."
    )
    with st.container(horizontal=True):
        if st.button("Bring the index up to date", icon=":material/sync:"):
            _index(desk)
    for version in desk.generations.versions():
        counts = version.counts
        what = (
            f"{counted(counts.documents, 'document')}, {counted(counts.chunks, 'chunk')}"
            if counts
            else "unreadable"
        )
        with st.container(
            horizontal=True,
            vertical_alignment="center",
            border=True,
            key=f"generation-{version.generation_id}",
        ):
            made = version.created_at.replace("T", " ")[:19]
            state = "serves now" if version.current else "; ".join(version.problems)
            st.html(
                clean(f"<div>{escape(made)} UTC · {escape(what)} <strong>{escape(state)}</strong></div>"),
                width="stretch",
            )
            if (
                version.ok
                and not version.current
                and st.button("Roll back", key=f"back-{version.generation_id}")
            ):
                desk.jobs.start(
                    f"Rolling back to {version.generation_id}",
                    partial(indexing.roll_back, desk.settings, version.generation_id),
                )
                st.rerun()
