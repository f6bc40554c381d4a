"""The first visit: what Waymark is, in one screen, with questions to try; before that, the first index."""

import streamlit as st

from rag.errors import IndexCorrupt, IndexMismatch, IndexMissing
from rag.options import AskOptions
from ui.desk import Desk, Request
from ui.jobs import State
from ui.jobs_view import progress_text

EXAMPLES = (
    "How does LoRA cut memory?",
    "What are the four pillars of MLOps?",
    "How do BERT and GPT differ?",
    "Which optimizers does the roadmap name?",
    "What is the vanishing gradient problem?",
    "How does RAG ground an answer in documents?",
)


def show_examples(desk: Desk, conversation_id: str, options: AskOptions) -> None:
    """One screen that explains itself; `options` are those of a question that is tried."""
    st.title("Ask the roadmap", anchor=False)
    st.markdown(
        "Waymark answers questions about *The Comprehensive Developer's Roadmap* on AI and language models, and "
        "shows for **each sentence** where it stands: click a small number to read the quote in its section. "
        "If the roadmap does not hold the answer, it says so. Everything stays on this machine."
    )
    with st.container(key="examples"):
        for n, example in enumerate(EXAMPLES):
            if st.button(example, key=f"example-{n}", width="stretch"):
                desk.ask(conversation_id, Request(question=example, options=options))
                st.rerun()
    st.caption(
        "*Roadmap* is the document to read, section by section. *Library* takes your own files and pages, and fetches "
        "the works that the roadmap cites."
    )


def ready(desk: Desk) -> bool:
    """Whether there is an index to answer from; where there is none, it is built before the person's eyes."""
    if not desk.indexed:  # told at once: opening would load the embedder only to find nothing
        return _first_index(desk, "")
    try:
        if desk.is_open:
            desk.assistant()
        else:
            with st.spinner("Opening the index"):
                desk.assistant()
    except IndexMissing:
        return _first_index(desk, "")
    except (IndexMismatch, IndexCorrupt) as error:
        return _first_index(desk, str(error))
    st.session_state.pop("first_index", None)
    return True


def _first_index(desk: Desk, reason: str) -> bool:
    if "first_index" not in st.session_state:
        st.session_state["first_index"] = desk.first_index().id
    _show_first_index(desk, reason)
    return False


@st.fragment(run_every=0.4)
def _show_first_index(desk: Desk, reason: str) -> None:
    job = desk.jobs.find(st.session_state.get("first_index", ""))
    if job is not None and job.state is State.DONE:
        st.rerun()
    st.title("Preparing the roadmap", anchor=False)
    if reason:
        st.info(reason)
    st.write(
        "This happens once and takes about ten seconds: the roadmap is read and indexed on this machine."
    )
    if job is None or job.state is State.FAILED:
        st.error(f"{job.failure} {job.hint}" if job else "The indexing was lost.")
        if st.button("Try again"):
            st.session_state.pop("first_index", None)
            st.rerun()
        return
    st.progress(job.done / job.total if job.total else 0.0, text=progress_text(job))
