"""What is open beside a conversation: the evidence of one citation, or the inspector of an answer."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from ui.clickable import clickable
from ui.conversations import AskedTurn
from ui.desk import Desk
from ui.display import FETCH, INSPECT, Evidence, find_evidence, pages_text, shown, works_html
from ui.inspection import inspect_answer
from ui.markup import clean, escape, link
from ui.reading import reading_html
from ui.section import Section, section_around
from ui.shared_desk import LIBRARY_TAB, WORKS_TAB, go_to_page

_OPEN = "panel"  # in the session: (turn id, what was clicked)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    turn: AskedTurn
    evidence: Evidence | None  # None: the inspector

    def opened_of(self, turn: AskedTurn) -> str:
        """What was clicked in a turn to open this; "" if it belongs to another turn."""
        opened = str(self.evidence.label) if self.evidence else INSPECT
        return opened if turn.id == self.turn.id else ""


def open_for(turn_id: str, opened: str) -> None:
    """Show what a click in an answer means, from the next run on."""
    st.session_state[_OPEN] = (turn_id, opened)


def close() -> None:
    st.session_state.pop(_OPEN, None)


def chosen(turns: Sequence[AskedTurn]) -> Panel | None:
    """What is to be shown, if it belongs to one of these turns."""
    turn_id, opened = st.session_state.get(_OPEN, ("", ""))
    for turn in turns:
        if turn.id == turn_id:
            evidence = find_evidence(shown(turn.record), opened)
            return Panel(turn=turn, evidence=evidence) if evidence or opened == INSPECT else None
    return None


def show(desk: Desk, panel: Panel) -> None:
    """Draw the panel."""
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center", wrap=False
    ):
        st.markdown("**Evidence**" if panel.evidence else "**How this answer came about**")
        st.button(
            "Close",
            icon=":material/close:",
            type="tertiary",
            key="close-panel",
            on_click=close,
            shortcut="Esc",
        )
    if panel.evidence is None:
        with st.container(key="inspector"):
            _show_inspector(panel.turn)
        return
    evidence = panel.evidence
    section, note = _section(desk, evidence)
    opened = clickable(
        _steps(panel)
        + _head(evidence)
        + f'<div class="reader" role="region" aria-label="Its section">{section}</div>'
        + _note(note)
        + works_html(evidence),
        key=f"evidence-{panel.turn.id}-{evidence.label}",
        takes_focus=True,
    )
    if opened == FETCH:
        st.session_state[LIBRARY_TAB] = WORKS_TAB
        go_to_page("library")
    elif opened:
        open_for(panel.turn.id, opened)
        st.rerun()


def _steps(panel: Panel) -> str:
    """The way to the evidence before and after, where an answer has several."""
    labels = [one.label for one in shown(panel.turn.record).evidence]
    if panel.evidence is None or panel.evidence.label not in labels or len(labels) == 1:
        return ""
    at = labels.index(panel.evidence.label)
    before = _step(labels[at - 1], "‹", "Evidence before") if at else ""
    after = _step(labels[at + 1], "›", "Next evidence") if at + 1 < len(labels) else ""
    return clean(f'<div class="steps">{before}<small>{at + 1} of {len(labels)}</small>{after}</div>')


def _step(label: int, shown_as: str, name: str) -> str:
    return f'<button type="button" class="act" data-open="{label}" aria-label="{name}">{shown_as}</button>'


def _head(evidence: Evidence) -> str:
    title = link(evidence.url, evidence.title) if evidence.url else escape(evidence.title)
    above = " › ".join([title, *(escape(one) for one in evidence.heading_path[:-1])])
    label, support = "", ""
    if evidence.support is not None:
        label = f'<span class="cite">{evidence.label}</span> '
        support = (
            '<span class="badge" title="Probability that this text says what the answer says, by the checker; '
            f'a verbatim quote has 100 %">support {evidence.support:.0%}</span>'
        )
    return clean(
        f'<p class="source">{label}<strong>{escape(evidence.place)}</strong>{escape(pages_text(evidence.pages))} '
        f"{support}<br><small>{above}</small></p>"
    )


def _note(note: str) -> str:
    return f"<p><small>{escape(note)}</small></p>" if note else ""


def _section(desk: Desk, evidence: Evidence) -> tuple[str, str]:
    """The section with the quotes marked, as HTML; the quotes alone where the index has moved on."""
    try:
        found: Section | None = section_around(desk.assistant().document(evidence.source_id), evidence.spans)
    except (KeyError, ValueError):
        found = None
    if found is None or not _still_there(found, evidence):
        quotes = "".join(reading_html(quote) for quote in evidence.quotes)
        return quotes, "The index no longer holds this text; these are the quotes as they were."
    return reading_html(found.text, quotes=found.quotes), "Part of a longer section." if found.cut else ""


def _still_there(section: Section, evidence: Evidence) -> bool:
    return bool(section.quotes) and section.quotes[0].cut(section.text) == evidence.quotes[0]


def _show_inspector(turn: AskedTurn) -> None:
    found = inspect_answer(turn.record)
    rows = "".join(f"<tr><td>{escape(name)}</td><td>{escape(value)}</td></tr>" for name, value in found.facts)
    clickable(
        clean(f'<table class="facts"><tbody>{rows}</tbody></table>'), key=f"facts-{turn.id}", takes_focus=True
    )
    st.caption(
        "Candidates: cosine (dense), BM25 (lexical), both together (fused), cross-encoder (rerank). Scores of "
        "different columns cannot be compared."
    )
    st.dataframe(found.candidates, hide_index=True, width="stretch", height=320, placeholder="")
    for line in found.cut:
        st.caption(line)
