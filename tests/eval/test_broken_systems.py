"""Deliberately broken systems break the floors that are there for them; the real one breaks none.

The real assistant answers the development questions once; each fault is then done to its answers, and the gold
measures and the embedded Ragas metrics are held against configs/gate.toml.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.floors import check_values, load_floors
from eval.gold import run_gold
from eval.options import DEV, FLOORS
from eval.questions import load_questions
from eval.ragas_metrics import embedded_metrics
from eval.ragas_report import ragas_outcome
from eval.remember import RememberingEmbedder
from eval.report import gold_outcome
from eval.samples import ask_sample
from eval.score_cache import ScoreCache
from eval.scoring import Metric, Pace, score_samples
from ingest.pipeline import index_corpus
from rag.assistant import Assistant
from rag.bundled import roadmap_path
from rag.embed import PACKAGED, open_embedder
from rag.ground import open_checker
from rag.settings import Settings

pytestmark = pytest.mark.slow

QUESTIONS = load_questions(DEV)
Record = dict[str, Any]
Spoil = Callable[[Record, Record], Record]  # an answer and that to another question -> a spoilt answer
INVENTED = " Albert Einstein fitted the first 47 of them on a farm in Patagonia."


class Reply:
    def __init__(self, record: Record) -> None:
        self._record = record

    def to_dict(self) -> Record:
        return self._record


class Replayed:
    """Gives the answers that the real assistant gave, each spoilt."""

    def __init__(self, records: Sequence[Record], texts: Mapping[str, str], spoil: Spoil) -> None:
        asked = [(question.question, len(question.history)) for question in QUESTIONS]
        others = (*records[40:], *records[:40])
        self._texts = texts
        self._records = {
            key: spoil(record, other) for key, record, other in zip(asked, records, others, strict=True)
        }

    def ask(self, question: str, *, history: Sequence[Mapping[str, str]]) -> Reply:
        return Reply(self._records[question, len(history)])

    def document_text(self, source_id: str) -> str:
        return self._texts[source_id]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.getbasetemp() / "roadmap"  # built already where other tests ran before
    index_corpus(folder, embedder=open_embedder(PACKAGED, home=folder))
    return folder


@pytest.fixture(scope="module")
def replay(home: Path) -> Callable[[Spoil], Replayed]:
    with Assistant.open(Settings(home=home)) as assistant:
        records = [assistant.ask(one.question, history=one.history).to_dict() for one in QUESTIONS]
        cited: Any = [citation for record in records for citation in record["citations"]]  # type: ignore[attr-defined]
        texts = {each["source_id"]: assistant.document_text(each["source_id"]) for each in cited}
    return lambda spoil: Replayed(records, texts, spoil)


@pytest.fixture(scope="module")
def metrics(home: Path) -> Sequence[Metric]:
    settings = Settings(home=home)
    embedder = RememberingEmbedder(open_embedder(PACKAGED, home=home))
    return embedded_metrics(open_checker(embedder, settings))[:2]  # groundedness; the others have no floor


@pytest.fixture
def broken(
    replay: Callable[[Spoil], Replayed], metrics: Sequence[Metric], tmp_path: Path
) -> Callable[[Spoil], set[str]]:
    """The floors that a spoilt system breaks."""
    roadmap = roadmap_path()
    originals = {roadmap.name: roadmap.read_text(encoding="utf-8")}

    def find(spoil: Spoil) -> set[str]:
        system = replay(spoil)
        gold = gold_outcome(run_gold(system, QUESTIONS, originals=originals), name="dev.jsonl")
        samples = [ask_sample(system, question, n_contexts=8)[0] for question in QUESTIONS]
        cache = ScoreCache(tmp_path)
        items = asyncio.run(score_samples(metrics, samples, cache=cache, pace=Pace(timeout_s=60)))
        ragas = ragas_outcome(items, [metric.name for metric in metrics], facts={})
        lines = (
            *check_values(gold.values, load_floors(FLOORS)),
            *check_values(ragas.values, load_floors(FLOORS, kind="ragas")),
        )
        return {line.split(":")[0] for line in lines}

    return find


def as_it_is(record: Record, _: Record) -> Record:
    return record


def random_passages(record: Record, other: Record) -> Record:
    return record | {"passages": other["passages"]}


def citations_dropped(record: Record, _: Record) -> Record:
    return record | {"citations": []}


def wrong_passage_cited(record: Record, other: Record) -> Record:
    """The marks stand where they stood; what stands behind them are quotes from elsewhere."""
    if not other["citations"]:
        return record
    quoted = other["citations"][0]
    moved = [
        quoted | {"answer_spans": each["answer_spans"], "label": each["label"]}
        for each in record["citations"]
    ]
    return record | {"citations": moved}


def sentence_invented(record: Record, _: Record) -> Record:
    return record | {"text": record["text"] + INVENTED}


def refuses_everything(record: Record, _: Record) -> Record:
    return record | {"status": "insufficient_evidence", "text": "Not there.", "citations": []}


def refuses_nothing(record: Record, _: Record) -> Record:
    return record | {"status": "answered"}


EVIDENCE = {"evidence_recall_150w", "evidence_recall_300w", "evidence_recall_600w"}
CITED = {"quote_exactness", "citation_in_passages", "citation_section_precision"}


@pytest.mark.parametrize(
    ("spoil", "floors"),
    [
        (random_passages, EVIDENCE | {"citation_in_passages", "groundedness"}),
        (citations_dropped, CITED | {"cited_groundedness"}),
        (wrong_passage_cited, {"citation_in_passages", "citation_section_precision", "cited_groundedness"}),
        (sentence_invented, {"groundedness", "cited_groundedness"}),
        (refuses_everything, {"answered_share", "answer_recall"}),
        (refuses_nothing, {"abstention_recall"}),
    ],
)
def test_a_broken_system_breaks_the_floors_that_it_should(
    broken: Callable[[Spoil], set[str]], spoil: Spoil, floors: set[str]
) -> None:
    assert floors <= broken(spoil)


def test_the_real_system_breaks_no_floor(broken: Callable[[Spoil], set[str]]) -> None:
    assert broken(as_it_is) == set()


def test_an_invented_sentence_is_noticed_by_groundedness_and_by_no_measure_of_words(
    broken: Callable[[Spoil], set[str]],
) -> None:
    assert broken(sentence_invented) <= {"groundedness", "cited_groundedness", "answer_words_median"}


def test_questions_are_told_apart_by_text_and_history() -> None:
    keys = {(question.question, len(question.history)) for question in QUESTIONS}
    assert len(keys) == len(QUESTIONS)
