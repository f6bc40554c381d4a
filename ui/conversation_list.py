"""The conversations in the sidebar: begin, open, search, rename, delete."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby

import streamlit as st

from ui.conversations import AskedTurn, Conversation, Conversations
from ui.export import conversation_json, conversation_markdown
from ui.labels import label

_SHOWN = 30
_WEEK = 7  # days
_SURE = "delete"  # in the session: id of the conversation that is to be deleted if the person is sure


def show_list(conversations: Conversations, current: str, turns: Sequence[AskedTurn]) -> None:
    """Draw the list; a click goes to a conversation at the next run. `turns` are those of the current one."""
    with st.sidebar:
        st.button(
            "New conversation",
            icon=":material/add:",
            width="stretch",
            on_click=go_to,
            args=(uuid.uuid4().hex,),
        )
        wanted = st.text_input(
            "Search conversations", placeholder="Search conversations", label_visibility="collapsed"
        )
        found = conversations.list(wanted)
        with st.container(gap=None, key="conversations"):
            for day, of_day in groupby(
                found[:_SHOWN], key=lambda one: day_of(one.updated_at, now=datetime.now(UTC))
            ):
                st.caption(day)
                for one in of_day:
                    _row(conversations, one, turns if one.id == current else ())
        if not found and wanted:
            st.caption("No conversation holds these words.")
        if len(found) > _SHOWN:
            st.caption(f"{len(found) - _SHOWN} older ones: search for them.")


def go_to(conversation_id: str) -> None:
    """Show a conversation from the next run on."""
    st.session_state["go_to"] = conversation_id


def day_of(at: str, *, now: datetime) -> str:
    """What a day is called, seen from `now`, in the time of this machine."""
    days = (now.astimezone().date() - datetime.fromisoformat(at).astimezone().date()).days
    if days < 1:
        return "Today"
    if days == 1:
        return "Yesterday"
    return "The last seven days" if days < _WEEK else "Earlier"


def _row(conversations: Conversations, one: Conversation, turns: Sequence[AskedTurn]) -> None:
    is_current = bool(turns)
    with st.container(horizontal=True, gap=None, vertical_alignment="center", wrap=False):
        st.button(
            label(one.title),
            key=f"open-{one.id}",
            type="secondary" if is_current else "tertiary",
            width="stretch",
            on_click=go_to,
            args=(one.id,),
        )
        with st.popover(
            f"Options of {label(one.title)}",  # seen by nobody, read aloud
            icon=":material/more_vert:",
            type="tertiary",
            key=f"more-{one.id}",
        ):
            title = st.text_input("Title", value=one.title, key=f"title-{one.id}")
            if st.button("Rename", icon=":material/edit:", key=f"rename-{one.id}"):
                conversations.rename(one.id, title)
                st.rerun()
            if is_current:
                _exports(one, turns)
            _show_delete(conversations, one, is_current=is_current)


def _show_delete(conversations: Conversations, one: Conversation, *, is_current: bool) -> None:
    """In two steps: what is deleted is gone."""
    if st.session_state.get(_SURE) != one.id:
        if st.button("Delete", icon=":material/delete:", key=f"delete-{one.id}"):
            st.session_state[_SURE] = one.id
            st.rerun()
        return
    st.caption("It cannot be brought back.")
    if st.button("Delete for good", icon=":material/delete_forever:", type="primary", key=f"sure-{one.id}"):
        conversations.delete(one.id)
        if is_current:
            go_to(uuid.uuid4().hex)
        st.rerun()


def _exports(one: Conversation, turns: Sequence[AskedTurn]) -> None:
    for name, suffix, kind, written in (
        ("Markdown", "md", "text/markdown", conversation_markdown(one.title, turns)),
        ("JSON", "json", "application/json", conversation_json(one.title, turns)),
    ):
        st.download_button(
            f"Export as {name}",
            written,
            file_name=f"conversation-{one.id[:8]}.{suffix}",
            mime=kind,
            icon=":material/download:",
            key=f"export-{suffix}",
            on_click="ignore",
        )
