"""The pages without a browser: what they show in each state, and what a redrawing costs."""

import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from rag.settings import Settings
from tests.ui.records import answer, passage, refusal
from ui import launch
from ui.conversations import Conversations, Feedback
from ui.desk import Desk, Request
from ui.display import shown
from ui.shared_desk import the_desk
from ui.welcome import EXAMPLES

APP = str(Path(launch.__file__).with_name("app.py"))
_MOST_BYTES = 700 * 2**20  # of the server's memory after 200 questions; issue 5
_MOST_S = 0.1  # of a redrawing without a question; issue 5


@pytest.fixture
def indexed(roadmap_home: Path, home: Path) -> Iterator[Path]:
    """The data folder of this test, with the roadmap in it."""
    shutil.copytree(roadmap_home, home)
    st.cache_resource.clear()
    yield home
    st.cache_resource.clear()


def _open(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception
    return app


def test_the_first_visit_offers_six_examples(indexed: Path) -> None:
    app = _open()
    assert app.title[0].value == "Ask the roadmap"
    assert [button.label for button in app.button if button.label in EXAMPLES] == list(EXAMPLES)


def test_an_example_is_answered_and_kept(indexed: Path) -> None:
    app = _open()
    next(button for button in app.button if button.label == EXAMPLES[0]).click().run()
    assert not app.exception
    (conversation,) = Conversations(indexed).list()
    (turn,) = Conversations(indexed).turns(conversation.id)
    assert turn.question == EXAMPLES[0]
    assert turn.record["status"] == "answered"


@pytest.mark.parametrize("example", EXAMPLES)
def test_every_example_is_answered_by_the_roadmap(indexed: Path, example: str) -> None:
    with Desk(Settings(home=indexed)).assistant() as assistant:
        assert assistant.ask(example).status == "answered"


def test_every_question_that_a_refusal_can_suggest_is_answered(indexed: Path) -> None:
    with Desk(Settings(home=indexed)).assistant() as assistant:
        (source,) = assistant.index.manifest.sources
        headings = assistant.document(source.source_id).headings
        near = [passage(path=source.path, heading_path=[one.title]) for one in headings]
        asked = [shown(refusal(passages=[one])).suggestions for one in near]
        declined = [q for (q,) in asked if assistant.ask(q).status != "answered"]
    assert len(asked) > 40
    assert declined == []


def test_an_empty_question_is_told_and_not_kept(indexed: Path) -> None:
    with closing(Desk(Settings(home=indexed))) as desk:
        desk.ask("c" * 32, Request(question="?!"))
        answering = desk.answering("c" * 32)
        deadline = time.monotonic() + 10
        while answering is not None and not answering.done and time.monotonic() < deadline:
            time.sleep(0.01)
        failed = desk.answering("c" * 32)
        assert failed is not None
        assert failed.failure == "The question is empty."
        assert desk.conversations.turns("c" * 32) == ()


def test_an_address_that_is_no_conversation_begins_a_new_one(indexed: Path) -> None:
    app = _open(c="../../etc")
    assert app.title[0].value == "Ask the roadmap"


def test_a_failure_on_the_way_to_a_page_is_told_with_its_hint(home: Path) -> None:
    home.mkdir()
    (home / "conversations.sqlite3").write_bytes(b"no database" * 100)
    st.cache_resource.clear()
    app = _open()
    assert "cannot be opened" in app.error[0].value.replace("\\", "")
    st.cache_resource.clear()


def test_a_data_folder_without_an_index_is_indexed_before_ones_eyes(home: Path) -> None:
    st.cache_resource.clear()
    app = _open()
    assert app.title[0].value == "Preparing the roadmap"
    deadline = time.monotonic() + 60
    while app.title[0].value == "Preparing the roadmap" and time.monotonic() < deadline:
        time.sleep(0.3)
        app.run()
    assert app.title[0].value == "Ask the roadmap"
    st.cache_resource.clear()


def test_a_rerun_without_a_question_is_quick_and_loads_no_model(indexed: Path) -> None:
    store = Conversations(indexed)
    for n in range(10):
        store.add_turn("a" * 32, question=f"Question {n}?", record=answer())
    app = _open(c="a" * 32)
    assistant = the_desk().assistant()
    seconds = []
    for _ in range(7):
        began = time.process_time()  # work, whatever else the machine does
        app.run()
        seconds.append(time.process_time() - began)
    assert not app.exception
    assert the_desk().assistant() is assistant  # nothing was opened again
    assert statistics.median(seconds) <= _MOST_S


@pytest.mark.parametrize("page", ["roadmap", "library", "evaluation"])
def test_every_page_is_redrawn_quickly(indexed: Path, page: str) -> None:
    app = AppTest.from_function(_draw, args=(page,), default_timeout=60).run()
    seconds = []
    for _ in range(5):
        began = time.process_time()
        app.run()
        seconds.append(time.process_time() - began)
    assert not app.exception
    assert statistics.median(seconds) <= _MOST_S


@pytest.mark.parametrize(
    ("page", "title"), [("roadmap", "Roadmap"), ("library", "Library"), ("evaluation", "Evaluation")]
)
def test_every_page_is_drawn(indexed: Path, page: str, title: str) -> None:
    turn = Conversations(indexed).add_turn("a" * 32, question="Why?", record=answer())
    Conversations(indexed).rate(turn.id, Feedback(good=False, comment="no"))
    app = AppTest.from_function(_draw, args=(page,), default_timeout=60).run()
    assert not app.exception
    assert app.title[0].value == title


def _draw(page: str) -> None:
    from importlib import import_module

    import_module(f"ui.{page}_page").show()


_QUESTIONS = """
import sys
from rag.settings import Settings
import streamlit
from ui import conversation_page, evaluation_page, library_page, roadmap_page
from ui.desk import Desk, Request
from ui.display import shown
desk = Desk(Settings(home=sys.argv[1]))
asked = ["How does LoRA cut memory?", "What are the four pillars of MLOps?", "Who won the cup?", "What is BERT?"]
for n in range(200):
    conversation = f"{n // 20:032d}"
    desk.ask(conversation, Request(question=asked[n % 4] + " " * (n % 3)))
    answering = desk._answering[conversation]
    answering._done.wait(30)
    assert not answering.failure, answering.failure
assert sum(len(desk.conversations.turns(one.id)) for one in desk.conversations.list()) == 200
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))  # kB, at most
"""


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads the peak of memory from /proc")
def test_two_hundred_questions_stay_within_the_memory_allowed(indexed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _QUESTIONS, str(indexed)],
        capture_output=True,
        text=True,
        check=True,
        timeout=240,
        cwd=Path(launch.__file__).parents[1],
    )
    assert int(done.stdout) * 1024 < _MOST_BYTES
