"""The page for asking: a conversation, the evidence beside it, and the field to write in."""

import re
import uuid

import streamlit as st

from ui import question_options, side_panel, turn_view, welcome
from ui.answering import Answering
from ui.clickable import await_question
from ui.conversation_list import show_list
from ui.desk import Desk, Request
from ui.display import streamed_html
from ui.labels import label
from ui.shared_desk import the_desk

_ID = re.compile(r"[0-9a-f]{32}")


def show() -> None:
    """Draw the page."""
    desk = the_desk()
    conversation_id = _conversation_id()
    answering = desk.answering(
        conversation_id
    )  # before the turns: what ends in between is shown by the next run
    turns = desk.conversations.turns(conversation_id)
    show_list(desk.conversations, conversation_id, turns)
    if not welcome.ready(desk):
        return
    options = question_options.chosen()
    panel = side_panel.chosen(turns)
    # One row whether or not something is open beside, so that answers are not drawn anew when it comes and goes.
    beside = st.container(horizontal=True, wrap=False, gap="medium", key="beside")
    with beside.container(key="conversation"):
        if not turns and answering is None:
            welcome.show_examples(desk, conversation_id, options)
        asked_again = answering is not None and answering.replaces
        for n, turn in enumerate(turns):
            if turn.id != asked_again:
                last = n == len(turns) - 1 and (answering is None or answering.done)
                turn_view.show_turn(
                    desk,
                    turn,
                    is_first=n == 0,
                    is_last=last,
                    options=options,
                    in_panel=panel.opened_of(turn) if panel else "",
                )
        if answering is not None:
            _show_answering(answering, is_first=not turns)
    if panel:
        with beside.container(key="panel"):
            side_panel.show(desk, panel)
    _show_input(desk, conversation_id)
    await_question(conversation_id)


def _conversation_id() -> str:
    """From the address, so that a reloaded page shows the same conversation; else a new one."""
    asked_for = st.session_state.pop("go_to", None)
    if asked_for is not None:
        side_panel.close()
        st.query_params["c"] = asked_for
    found = st.query_params.get("c") or st.session_state.get("conversation", "")
    if not _ID.fullmatch(found):
        found = uuid.uuid4().hex
    st.session_state["conversation"] = found  # for the way back from another page
    if st.query_params.get("c") != found:
        st.query_params["c"] = found
    return found


def _show_input(desk: Desk, conversation_id: str) -> None:
    scope, scope_title = question_options.show_bar(desk)
    placeholder = "Ask about the roadmap" if scope is None else "Ask about this part"
    question = st.chat_input(
        placeholder, max_chars=desk.settings.max_question_chars, submit_mode="disable", key="question"
    )
    if question:
        side_panel.close()
        desk.ask(
            conversation_id,
            Request(
                question=question, scope=scope, scope_title=scope_title, options=question_options.chosen()
            ),
        )
        st.rerun()


def _show_answering(answering: Answering, *, is_first: bool) -> None:
    """The answer as it is written; draws the page again when it is done."""
    with st.chat_message("user", avatar=":material/person:"):
        turn_view.show_question(answering.question, opens=is_first)
    with st.chat_message("assistant", avatar=":material/signpost:"):
        if answering.failure:
            st.error(label(f"{answering.failure} {answering.hint}"), icon=":material/error:")
            return
        box = st.empty()
        st.button("Stop", icon=":material/stop_circle:", key="stop", on_click=answering.stop, shortcut="Esc")
        waiting = (
            "Looking for evidence; then the model writes …"
            if answering.by_model
            else "Looking for evidence …"
        )
        box.caption("Stopping …" if answering.stopping else waiting)
        for text in answering.follow():
            box.html(streamed_html(text, formatted=answering.by_model))
    st.rerun()
