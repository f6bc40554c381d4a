"""One question with its answer, and what can be done with it."""

from dataclasses import replace

import streamlit as st

from rag.options import AskOptions
from ui import side_panel
from ui.clickable import clickable
from ui.conversations import AskedTurn, Feedback
from ui.desk import Desk, Request, scope_of
from ui.display import (
    INSPECT,
    RETRY,
    actions_html,
    cards_html,
    find_evidence,
    find_instead,
    instead_html,
    note_html,
    shown,
)
from ui.export import answer_markdown
from ui.markup import clean, escape

_UP = 1  # what `st.feedback("thumbs")` gives for a thumb up


def show_question(question: str) -> None:
    """What a person asked, as typed."""
    st.html(clean(f'<div class="question">{escape(question)}</div>'))


def show_turn(desk: Desk, turn: AskedTurn, *, is_last: bool, options: AskOptions, in_panel: str = "") -> None:
    """Draw one turn; `options` are those for asking it again, `in_panel` is what of it is open beside."""
    answer = shown(turn.record)
    again = Request(question=turn.question, scope=scope_of(turn), options=options, replaces=turn)
    with st.chat_message("user", avatar=":material/person:"):
        show_question(turn.question)
    with (
        st.chat_message("assistant", avatar=":material/signpost:"),
        st.container(key=f"answered-{turn.id}", gap="small"),
    ):
        if answer.rewrite:
            _show_rewrite(desk, answer.rewrite, again, is_last=is_last)
        opened = clickable(
            answer.text
            + note_html(answer)
            + cards_html(answer)
            + (instead_html(answer) if is_last else "")
            + actions_html(answer, is_last=is_last),
            key=f"answer-{turn.id}",
            copies=answer_markdown(turn.record),
            chosen=in_panel,
        )
        if opened == RETRY:
            desk.ask(turn.conversation_id, again)
            st.rerun()
        elif opened is not None and (instead := find_instead(answer, opened)):
            desk.ask(turn.conversation_id, Request(question=instead, options=options))
            st.rerun()
        elif opened == INSPECT or (opened is not None and find_evidence(answer, opened)):
            side_panel.open_for(turn.id, opened)
            st.rerun()
        _rate(desk, turn)


def _show_rewrite(desk: Desk, rewrite: str, again: Request, *, is_last: bool) -> None:
    """How a follow-up was understood; of the last turn it can be put right and asked again."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.html(clean(f'<div class="note">Understood as: <em>{escape(rewrite)}</em></div>'), width="content")
        if is_last and again.replaces is not None:
            turn_id = again.replaces.id
            with st.popover("Edit", icon=":material/edit:", type="tertiary", key=f"rewrite-{turn_id}"):
                edited = st.text_input("Ask it as", value=rewrite, key=f"rewritten-{turn_id}")
                if st.button("Ask again", key=f"again-{turn_id}") and edited.strip():
                    options = replace(again.options or AskOptions(), standalone=edited.strip())
                    desk.ask(again.replaces.conversation_id, replace(again, options=options))
                    st.rerun()


def _rate(desk: Desk, turn: AskedTurn) -> None:
    """Thumbs; a thumb down may say why."""
    key = f"thumbs-{turn.id}"
    given = turn.feedback

    def keep() -> None:
        thumb = st.session_state.get(key)
        comment = given.comment if given else ""
        desk.conversations.rate(
            turn.id, None if thumb is None else Feedback(good=thumb == _UP, comment=comment)
        )

    with st.container(horizontal=True, vertical_alignment="center"):
        st.feedback("thumbs", key=key, default=None if given is None else int(given.good), on_change=keep)
        if given is not None and not given.good:
            comment = st.text_input(
                "What is wrong with it?",
                value=given.comment,
                placeholder="What is wrong with it?",
                label_visibility="collapsed",
                key=f"comment-{turn.id}",
            )
            if comment != given.comment:
                desk.conversations.rate(turn.id, Feedback(good=False, comment=comment))
