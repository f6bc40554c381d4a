"""The release gate as a test: the real assistant over the gold questions keeps every floor of configs/gate.toml."""

import pytest

from eval.floors import load_floors
from eval.gold import GoldReport, run_gold
from eval.options import DEV as QUESTIONS
from eval.options import FLOORS as FLOORS_FILE
from eval.questions import load_questions
from eval.report import check_floors
from ingest.pipeline import index_corpus
from rag.assistant import Assistant
from rag.bundled import roadmap_path
from rag.embed import PACKAGED, open_embedder
from rag.settings import Settings

pytestmark = pytest.mark.slow

FLOORS = load_floors(FLOORS_FILE)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> GoldReport:
    home = tmp_path_factory.getbasetemp() / "roadmap"  # built already where tests/rag ran before
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    roadmap = roadmap_path()
    originals = {roadmap.name: roadmap.read_text(encoding="utf-8")}
    with Assistant.open(Settings(home=home)) as assistant:
        return run_gold(assistant, load_questions(QUESTIONS), originals=originals)


def test_no_gold_question_fails(report: GoldReport) -> None:
    assert report.overall.n == len(load_questions(QUESTIONS))
    assert [(row.question_id, row.failure) for row in report.rows if row.failure] == []


@pytest.mark.parametrize("name", FLOORS)
def test_the_floor_holds(report: GoldReport, name: str) -> None:
    assert check_floors(report, {name: FLOORS[name]}) == ()
