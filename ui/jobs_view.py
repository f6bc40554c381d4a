"""The jobs as a page shows them: what runs, how far it is, what came of each file."""

import streamlit as st

from ui.desk import Desk
from ui.jobs import Job, State
from ui.labels import label
from ui.markup import clean, escape

_STEPS = {
    "open": "Opening the embedder",
    "fetch": "Fetching",
    "load": "Reading",
    "embed": "Embedding",
    "write": "Writing the index",
}
_SEEN = "jobs_over"  # in the session: ids of the jobs that this page has seen end
_FEW = 4  # outcomes of the newest job that are shown without asking
_LISTED = 12  # outcomes of a job that are shown at once


def show_jobs(desk: Desk) -> None:
    """Draw the jobs; while one runs they are drawn again by themselves, and the page once it has ended."""
    st.fragment(_draw, run_every=0.5 if desk.jobs.busy else None)(desk)


def progress_text(job: Job) -> str:
    """One line on how far a job is."""
    if job.state is State.WAITING:
        return "waiting for the job before it"
    step = _STEPS.get(job.step, "starting")
    return f"{step}: {job.done} of {job.total}" if job.total else step


def _draw(desk: Desk) -> None:
    jobs = desk.jobs.all()
    over = {job.id for job in jobs if job.over}
    seen = st.session_state.setdefault(_SEEN, over)
    st.session_state[_SEEN] = over
    if over - seen:
        st.rerun()  # the whole page: what it lists has changed
    for job in jobs[:5]:
        if job.over:
            _show_over(job, newest=job is jobs[0])
        else:
            st.progress(
                job.done / job.total if job.total else 0.0, text=f"{label(job.title)} · {progress_text(job)}"
            )


def _show_over(job: Job, *, newest: bool) -> None:
    failed = job.state is State.FAILED
    bad = [one for one in job.outcomes if not one.good]
    open_ = failed or bool(bad) or (newest and len(job.outcomes) <= _FEW)
    icon = ":material/error:" if failed else ":material/warning:" if bad else ":material/check_circle:"
    with st.expander(f"{label(job.title)} · {job.state}", icon=icon, expanded=open_):
        if failed:
            st.html(clean(f"<p>{escape(job.failure)}</p><p><small>{escape(job.hint)}</small></p>"))
        lines = "".join(
            f"<li>{'✓' if one.good else '✗'} {escape(one.name)}: {escape(one.what)}</li>"
            for one in (bad + [one for one in job.outcomes if one.good])[:_LISTED]
        )
        more = len(job.outcomes) - _LISTED
        if lines:
            st.html(clean(f"<ul>{lines}</ul>{f'<p>and {more} more</p>' if more > 0 else ''}"))
        elif not failed:
            st.caption("Nothing had changed.")
