"""What may be chosen for the next question: who answers it, how, and what it is limited to."""

import streamlit as st

from rag.answer import EXTRACTIVE
from rag.options import AskOptions
from rag.passages import Scope
from rag.prompt.strategies import STRATEGIES
from ui.answerers import Answerers, list_answerers
from ui.desk import Desk
from ui.labels import label
from ui.markup import clean, escape

_SCOPE = "scope"  # in the session: (source id, section id, title)
_LLM, _STRATEGY, _STRICT = "chosen_llm", "chosen_strategy", "chosen_strict"
_NAMES = {EXTRACTIVE: "extractive (quotes, no model)"}
_WAYS = {  # of asking a model; `docs/strategies.md` has what each costs
    "direct": "One prompt, one reply: quickest, and right for most questions.",
    "step_by_step": "It reasons first, unseen. For comparisons and small calculations; twice as slow.",
    "least_to_most": "It splits the question and each part is searched for. For questions with several parts.",
    "draft_and_select": "Three drafts; the best supported one is kept. For small models; shown only at the end.",
    "expand_query": "It guesses an answer, which is searched for and not shown. For questions in other words.",
}
_LOOKED_FOR_S = 30  # models are looked for this seldom


def limit_to(title: str, *, source_id: str | None = None, section_id: str | None = None) -> None:
    """Limit questions to a part of the index until that is lifted."""
    st.session_state[_SCOPE] = (source_id, section_id, title)


def lift_limit() -> None:
    st.session_state.pop(_SCOPE, None)


def chosen() -> AskOptions:
    """The choices as they stand; None is what the settings say."""
    return AskOptions(
        llm=st.session_state.get(_LLM),
        strategy=st.session_state.get(_STRATEGY),
        strict=st.session_state.get(_STRICT),
    )


def show_bar(desk: Desk) -> tuple[Scope | None, str]:
    """What is chosen, above the field to write in; gives what questions are limited to, and its title."""
    source_id, section_id, title = st.session_state.get(_SCOPE, (None, None, ""))
    with st.bottom, st.container(horizontal=True, vertical_alignment="center", key="bar"):
        _show_answerer(desk)
        if title:
            st.html(clean(f'<div class="note">Only from: <b>{escape(title)}</b></div>'), width="content")
            st.button("Ask everything again", icon=":material/close:", type="tertiary", on_click=lift_limit)
    return (Scope(source_id=source_id, section_id=section_id), title) if title else (None, "")


@st.cache_data(ttl=_LOOKED_FOR_S, show_spinner=False)
def _answerers(_desk: Desk) -> Answerers:
    return list_answerers(_desk.settings)


def _show_answerer(desk: Desk) -> None:
    found = _answerers(desk)
    names = {one.spec: _NAMES.get(one.spec, one.name) for one in found.ready}
    default = EXTRACTIVE if desk.settings.llm == "auto" and len(names) == 1 else desk.settings.llm
    current = st.session_state.get(_LLM) or default
    specs = list(dict.fromkeys([default, *names]))
    shown = names.get(current, current)
    with (
        st.popover(f"Answerer: {label(shown)}", icon=":material/edit_note:", type="tertiary", key="answerer"),
        st.container(key="answerer_choices"),
    ):
        picked = st.selectbox(
            "Who answers",
            specs,
            index=specs.index(current) if current in specs else 0,
            format_func=lambda spec: names.get(spec, spec),
        )
        if picked != current:
            st.session_state[_LLM] = None if picked == default else picked
            st.rerun()  # the label above is that of the one before
        if picked == EXTRACTIVE:
            st.caption("The answer is made of the documents' own sentences. No model writes anything.")
        else:
            _show_model_options(desk)
        for one in found.missing:
            st.html(clean(f'<div class="note">✗ {escape(one.name)}: {escape(one.trouble)}</div>'))
        if found.advice:
            st.caption("No language model is ready. This command downloads a small one:")
            st.code(found.advice, language=None)


def _show_model_options(desk: Desk) -> None:
    settings = desk.settings
    names = list(STRATEGIES)
    strategy = st.selectbox(
        "How it is asked",
        names,
        index=names.index(st.session_state.get(_STRATEGY) or settings.strategy),
        format_func=lambda name: name.replace("_", " "),
    )
    st.caption(_WAYS.get(strategy, ""))
    st.session_state[_STRATEGY] = None if strategy == settings.strategy else strategy
    strict = st.toggle(
        "Leave out sentences that nothing supports",
        value=settings.strict if st.session_state.get(_STRICT) is None else st.session_state[_STRICT],
    )
    st.session_state[_STRICT] = None if strict == settings.strict else strict
