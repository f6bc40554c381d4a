"""One question with its answer, and what can be done with it."""

from dataclasses import replace

import streamlit as st

from rag.options import AskOptions
from ui import side_panel
from ui.clickable import clickable
from ui.conversations import AskedTurn, Feedback
from ui.desk import Desk, Request, scope_of
from ui.display import (
    DOWN,
    EVERYWHERE,
    INSPECT,
    RETRY,
    UP,
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


def show_question(question: str, *, opens: bool = False) -> None:
    """What a person asked, as typed: a heading, so that one can go from question to question; `opens`: it is the first
    of its conversation, which is named above it for those who do not see the page.
    """
    title = f'<h1 class="unseen">Conversation: {escape(question)}</h1>' if opens else ""
    st.html(clean(f'{title}<h2 class="question">{escape(question)}</h2>'))


def show_turn(
    desk: Desk, turn: AskedTurn, *, is_first: bool, is_last: bool, options: AskOptions, in_panel: str = ""
) -> None:
    """Draw one turn; `options` are those for asking it again, `in_panel` is what of it is open beside."""
    answer = shown(turn.record)
    again = Request(
        question=turn.question,
        scope=scope_of(turn),
        scope_title=answer.limited_to,
        options=options,
        replaces=turn,
    )
    with st.chat_message("user", avatar=":material/person:"):
        show_question(turn.question, opens=is_first)
    with (
        st.chat_message("assistant", avatar=":material/signpost:"),
        st.container(key=f"answered-{turn.id}", gap="small"),
    ):
        if answer.limited_to:
            st.html(clean(f'<div class="note">Only from: <b>{escape(answer.limited_to)}</b></div>'))
        if answer.rewrite:
            _show_rewrite(desk, answer.rewrite, again, is_last=is_last)
        opened = clickable(
            answer.text
            + note_html(answer)
            + cards_html(answer)
            + (instead_html(answer) if is_last else "")
            + actions_html(answer, is_last=is_last, good=turn.feedback.good if turn.feedback else None),
            key=f"answer-{turn.id}",
            copies=answer_markdown(turn.record),
            chosen=in_panel,
        )
        if opened == RETRY:
            desk.ask(turn.conversation_id, again)
            st.rerun()
        elif opened == EVERYWHERE:
            desk.ask(turn.conversation_id, replace(again, scope=None, scope_title=""))
            st.rerun()
        elif opened in (UP, DOWN):
            _rate(desk, turn, good=opened == UP)
            st.rerun()
        elif opened is not None and (instead := find_instead(answer, opened)):
            desk.ask(turn.conversation_id, Request(question=instead, options=options))
            st.rerun()
        elif opened == INSPECT or (opened is not None and find_evidence(answer, opened)):
            side_panel.open_for(turn.id, opened)
            st.rerun()
        if turn.feedback is not None and not turn.feedback.good:
            _show_comment(desk, turn, turn.feedback)


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


def _rate(desk: Desk, turn: AskedTurn, *, good: bool) -> None:
    """Keep a thumb; the one that was given before, given again, takes it back."""
    before = turn.feedback
    taken_back = before is not None and before.good == good
    comment = before.comment if before else ""
    desk.conversations.rate(turn.id, None if taken_back else Feedback(good=good, comment=comment))


def _show_comment(desk: Desk, turn: AskedTurn, given: Feedback) -> None:
    comment = st.text_input(
        "What is wrong with it?",
        value=given.comment,
        placeholder="What is wrong with it?",
        label_visibility="collapsed",
        key=f"comment-{turn.id}",
    )
    if comment != given.comment:
        desk.conversations.rate(turn.id, Feedback(good=False, comment=comment))
