"""The page of how good the answers are: evaluation runs, and answers that people disliked."""

import streamlit as st

from ui.desk import Desk
from ui.display import shown
from ui.export import candidates_jsonl
from ui.markup import clean, escape
from ui.run_view import show_runs
from ui.runs import list_runs
from ui.shared_desk import the_desk


def show() -> None:
    """Draw the page."""
    desk = the_desk()
    st.title("Evaluation", anchor=False)
    measured, disliked = st.tabs(["Runs", "Disliked answers"])
    with measured:
        show_runs(list_runs(desk.settings.runs_folder))
    with disliked:
        _show_disliked(desk)


def _show_disliked(desk: Desk) -> None:
    turns = desk.conversations.disliked()
    if not turns:
        st.caption("Answers with a thumb down are listed here, as candidates for an evaluation set.")
        return
    st.caption(
        "`waymark eval candidates` writes them for review and takes the reviewed ones into a question set."
    )
    st.download_button(
        f"Export {len(turns)} as JSONL",
        candidates_jsonl(turns),
        file_name="candidates.jsonl",
        mime="application/jsonl",
        icon=":material/download:",
        on_click="ignore",
    )
    for turn in turns:
        comment = turn.feedback.comment if turn.feedback else ""
        with st.container(border=True, key=f"disliked-{turn.id}"):
            st.html(
                clean(
                    f"<p><strong>{escape(turn.question)}</strong></p>"
                    f"{f'<p><em>{escape(comment)}</em></p>' if comment else ''}{shown(turn.record).text}"
                )
            )
