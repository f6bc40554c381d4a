"""Evaluation runs as tables and plots: one run, run against run, by type of question, down to the single question."""

from collections.abc import Iterable, Mapping, Sequence

import streamlit as st

from ui.markup import answer_html, clean, escape
from ui.runs import GROUPS, Json, Measurement, RunFile, measurements, row_scores, rows

_BAR = 26  # pixels of a plot for each bar
_BEST = 2.0  # above any score: questions that a metric does not ask of come last


def show_runs(runs: Sequence[RunFile]) -> None:
    """Draw the runs, the newest one first."""
    if not runs:
        st.info(
            "No evaluation run yet. `waymark eval gold` measures the answers on labelled questions; its runs are "
            "shown here."
        )
        return
    left, right = st.columns(2)
    run = left.selectbox("Run", runs, format_func=_name)
    others = [one for one in runs if one.like(run)]
    earlier = next((n for n, one in enumerate(others, start=1) if one.at < run.at), 0)
    other = right.selectbox(
        "Against", [None, *others], index=earlier, format_func=_name, key=f"against-{run.folder}"
    )
    st.caption(run.title)
    found, against = measurements(run), measurements(other) if other else ()
    _show_overall(found, against)
    _show_by_type(found, against)
    _show_questions(rows(run), rows(other) if other else ())


def _name(run: RunFile | None) -> str:
    return run.name if run else "none"


def _show_overall(found: Sequence[Measurement], against: Sequence[Measurement]) -> None:
    before = {one.name: one.value for one in against if one.question_type == "all"}
    overall = [one for one in found if one.question_type == "all"]
    # One scale for one plot. A run of several parts has several; each part has a plot of its own.
    shares = [one for one in overall if one.unit == "%"] or [one for one in overall if 0 <= one.value <= 1]
    if any("." in one.name for one in overall):
        st.caption(
            "A run of several parts: each part stands in the list as a run of its own, with plots and questions."
        )
        shares = []
    _plot([_bar(one.name, one, before.get(one.name)) for one in shares])
    for group in (*GROUPS, "Other"):
        of_group = [one for one in overall if one.group == group]
        if of_group:
            st.subheader(group, anchor=False)
            table = [_overall_row(one, before) for one in of_group]
            st.dataframe(table, hide_index=True, width="stretch", row_height=30, placeholder="")


def _overall_row(one: Measurement, before: Mapping[str, float]) -> dict[str, object]:
    row: dict[str, object] = {
        "metric": one.name,
        "value": f"{round(one.value, 3):g}{one.unit and f' {one.unit}'}",
    }
    if one.low is not None and one.high is not None:
        row["95 % interval"] = f"{round(one.low, 3):g} to {round(one.high, 3):g}"
    if one.n is not None:
        row["questions"] = one.n
    if (then := before.get(one.name)) is not None:
        row |= {"against": f"{round(then, 3):g}", "change": f"{round(one.value - then, 3):+g}"}
    return row


def _show_by_type(found: Sequence[Measurement], against: Sequence[Measurement]) -> None:
    by_type = [one for one in found if one.question_type != "all"]
    names = list(dict.fromkeys(one.name for one in by_type))
    if not names:
        return
    st.subheader("By type of question", anchor=False)
    name = st.selectbox("Metric", names)
    before = {one.question_type: one.value for one in against if one.name == name}
    _plot(
        [_bar(one.question_type, one, before.get(one.question_type)) for one in by_type if one.name == name]
    )


def _bar(name: str, one: Measurement, then: float | None) -> dict[str, object]:
    return {"name": name, "value": one.value, "low": one.low, "high": one.high, "n": one.n, "against": then}


def _plot(bars: Sequence[Mapping[str, object]]) -> None:
    """Bars with their intervals, and a red stroke for what they are held against."""
    if not bars:
        return
    x = {"type": "quantitative", "title": None}
    st.vega_lite_chart(
        {
            "data": {"values": list(bars)},
            "height": {"step": _BAR},
            "encoding": {
                "y": {
                    "field": "name",
                    "type": "nominal",
                    "title": None,
                    "sort": None,
                    "axis": {"labelLimit": 220},
                }
            },
            "layer": [
                {
                    "mark": {"type": "bar", "height": 14, "tooltip": {"content": "data"}},
                    "encoding": {"x": {"field": "value", **x}},
                },
                {
                    "mark": {"type": "rule", "strokeWidth": 2, "color": "#888"},
                    "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
                },
                {
                    "mark": {"type": "tick", "thickness": 3, "height": 20, "color": "#d64545"},
                    "encoding": {"x": {"field": "against", **x}},
                },
            ],
        },
        width="stretch",
    )
    stroke = (
        "; the red stroke is the run it is held against"
        if any(one["against"] is not None for one in bars)
        else ""
    )
    st.caption(f"Bars are means; grey lines are 95 % intervals as the run measured them{stroke}.")


def _show_questions(records: Sequence[Json], before: Sequence[Json]) -> None:
    if not records:
        return
    st.subheader("Questions", anchor=False)
    names = sorted({name for record in records for name in row_scores(record)})
    metric = st.selectbox("Worst first by", names) if names else ""
    ordered = sorted(records, key=lambda record: row_scores(record).get(metric or "", _BEST))
    record = st.selectbox("Question", ordered, format_func=_question)
    then = next((one for one in before if one.get("question_id") == record.get("question_id")), None)
    answers = [record, then] if then and then.get("text") != record.get("text") else [record]
    for column, one, head in zip(
        st.columns(len(answers)), answers, ("Answer", "Answer it is held against"), strict=False
    ):
        column.html(_answer(one, head))
    st.dataframe(_scores(record, then), hide_index=True, row_height=30, placeholder="")
    for trouble in _troubles(record):
        st.error(trouble)


def _question(record: Json) -> str:
    words = (record.get("question_id", "?"), record.get("type", ""), record.get("question", ""))
    return " · ".join(str(word) for word in words if word)


def _answer(record: Json, head: str) -> str:
    status = str(record.get("status", "")).replace("_", " ")
    text = answer_html(str(record.get("text", "")), labels={})
    return clean(f"<p><strong>{escape(head)}</strong> <small>{escape(status)}</small></p>{text}")


def _scores(record: Json, then: Json | None) -> list[dict[str, object]]:
    now, before = row_scores(record), row_scores(then) if then else {}
    return [
        {"metric": name, "reached": round(now[name], 3)}
        | ({"against": round(before[name], 3)} if name in before else {})
        for name in sorted(now)
    ]


def _troubles(record: Json) -> Iterable[str]:
    if record.get("failure"):
        yield str(record["failure"])
    failures = record.get("failures")
    if isinstance(failures, dict):
        yield from (f"{name}: {why}" for name, why in failures.items())
