"""The evaluation page over runs on disk: the newest one against the one before it, down to a question."""

import json
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest


def _write(home: Path, day: int, recall: float, text: str) -> None:
    folder = home / "runs" / f"2026010{day}T000000Z-gold"
    folder.mkdir(parents=True)
    interval = {"mean": recall, "low": recall - 5, "high": recall + 5, "n": 20}
    measured = {"measured": {"citation_recall": {"unit": "%", "interval": interval}}}
    report = {
        "schema": 1,
        "kind": "gold",
        "at": f"2026-01-0{day}T00:00:00+00:00",
        "title": "Gold questions",
        "questions": "dev.jsonl",
        "values": {"mrr": 0.8},
        "overall": measured,
        "by_type": [{"name": "table", **measured}],
    }
    row = {
        "question_id": "q-1",
        "question": "Which *table*?",
        "type": "table",
        "status": "answered",
        "text": text,
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    (folder / "rows.jsonl").write_text(
        json.dumps(row | {"tallies": {"mrr": [1, 2]}}) + "\n", encoding="utf-8"
    )


def _draw() -> None:
    from ui import evaluation_page

    evaluation_page.show()


@pytest.fixture
def page(home: Path) -> AppTest:
    st.cache_resource.clear()
    _write(home, 1, 60.0, "Before.")
    _write(home, 2, 70.5, "Now.")
    app = AppTest.from_function(_draw, default_timeout=60).run()
    assert not app.exception
    return app


def test_a_run_is_held_against_the_one_before_it(page: AppTest) -> None:
    assert page.selectbox[0].value.name == "2026-01-02 00:00 · gold"
    assert page.selectbox[1].value.name == "2026-01-01 00:00 · gold"
    (citations,) = [one.value for one in page.dataframe if "citation_recall" in str(one.value)]
    assert list(citations.iloc[0]) == ["citation_recall", "70.5 %", "65.5 to 75.5", 20, "60", "+10.5"]


def test_a_question_shows_its_words_and_both_answers(page: AppTest) -> None:
    question = next(one for one in page.selectbox if one.label == "Question")
    assert question.options == ["q-1 · table · Which *table*?"]
    shown = " ".join(one.body for one in page.get("html"))
    assert "Now." in shown
    assert "Before." in shown


def test_a_run_without_another_of_its_kind_stands_alone(page: AppTest) -> None:
    page.selectbox[0].select_index(1).run()
    assert page.selectbox[0].value.name == "2026-01-01 00:00 · gold"
    assert page.selectbox[1].value is None  # nothing is older
