"""Scripted assistants through the whole gold run: each fault breaks the floor that is there for it."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from typer.testing import CliRunner

from eval.cli import app
from eval.floors import load_floors
from eval.gold import METRICS, GoldReport, GoldRow, run_gold
from eval.options import FLOORS
from eval.page import markdown
from eval.questions import Question, load_questions
from eval.report import check_floors, gold_outcome
from eval.runs import new_folder, stamp, write_outcome
from rag.errors import SettingsError, StorageError

pytestmark = pytest.mark.slow  # each report draws its bootstrap intervals

ROOT = Path(__file__).parents[2]
DEV = ROOT / "eval" / "questions" / "dev.jsonl"
ROADMAP = (ROOT / "corpus" / "roadmap.txt").read_text(encoding="utf-8")
SECTIONS = json.loads((ROOT / "tests" / "data" / "sections.json").read_text(encoding="utf-8"))
HEADINGS = {section["id"]: ROADMAP.split("\n")[section["start_line"] - 1] for section in SECTIONS}
QUESTIONS = load_questions(DEV)
Record = dict[str, Any]


def perfect(question: Question) -> Record:
    """Quotes the evidence, tells the key points and refuses where there is nothing to tell."""
    citations, passages = [], []
    for label, piece in enumerate(question.evidence, 1):
        match = re.search(r"\s+".join(map(re.escape, piece.split())), ROADMAP)
        assert match
        innermost = [s["id"] for s in SECTIONS if s["start_line"] <= ROADMAP[: match.start()].count("\n") + 1]
        common = {"label": label, "source_id": "r", "heading_path": [HEADINGS[innermost[-1]]]}
        references = [{"n": n} for n in question.cited_sources]
        quoted = {"path": "roadmap.txt", "quote": match[0], "quote_span": list(match.span())}
        citations.append(common | quoted | {"references": references})
        passages.append(common | {"text": f"Before. {match[0]} After."})
    return {
        "status": "answered" if question.answerable else "insufficient_evidence",
        "text": " [1] ".join((*question.evidence, *question.key_points))
        if question.answerable
        else "Not there.",
        "citations": citations,
        "passages": passages,
        "provenance": {"index_id": "i1", "settings_digest": "d1", "embedder": "e", "generator": "g"},
    }


@dataclass
class Reply:
    record: Record

    def to_dict(self) -> Record:
        return self.record


@dataclass
class Scripted:
    """Answers perfectly, then lets `spoil` change the record."""

    spoil: Callable[[Question, Record], Record] = lambda _, record: record
    asked: list[tuple[str, Sequence[Mapping[str, str]]]] = field(default_factory=list)

    def ask(self, question: str, *, history: Sequence[Mapping[str, str]]) -> Reply:
        self.asked.append((question, history))
        gold = next(q for q in QUESTIONS if q.question == question)
        return Reply(self.spoil(gold, perfect(gold)))

    def document_text(self, source_id: str) -> str:
        return {"r": ROADMAP}[source_id]

    def __enter__(self) -> "Scripted":
        return self

    def __exit__(self, *_: object) -> None:
        return None


def run(spoil: Callable[[Question, Record], Record] | None = None) -> GoldReport:
    assistant = Scripted(spoil) if spoil else Scripted()
    return run_gold(assistant, QUESTIONS, originals={"roadmap.txt": ROADMAP})


def random_passages(_: Question, record: Record) -> Record:
    text = "The text of some other page that has nothing to do with it."
    return record | {"passages": [passage | {"text": text} for passage in record["passages"]]}


def no_citations(_: Question, record: Record) -> Record:
    return record | {"citations": []}


def wrong_passage(_: Question, record: Record) -> Record:
    return record | {"citations": [each | {"label": each["label"] + 1} for each in record["citations"]]}


def wrong_section(_: Question, record: Record) -> Record:
    return record | {
        "citations": [each | {"heading_path": ["Section 16: None"]} for each in record["citations"]]
    }


def altered_quote(_: Question, record: Record) -> Record:
    return record | {"citations": [each | {"quote": each["quote"] + "!"} for each in record["citations"]]}


def refuse_everything(_: Question, record: Record) -> Record:
    return record | {"status": "insufficient_evidence", "text": "Not there.", "citations": []}


def refuse_nothing(_: Question, record: Record) -> Record:
    return record | {"status": "answered"}


def ramble(_: Question, record: Record) -> Record:
    return record | {"text": record["text"] + " and so on" * 30}


def say_nothing(_: Question, record: Record) -> Record:
    return record | {"text": "Yes [1]."}


def crash(question: Question, record: Record) -> Record:
    if question.answerable:
        raise RuntimeError("out of memory")
    return record


EVIDENCE = {f"evidence_recall_{n}w" for n in (150, 300, 600)}
CITATIONS = {"quote_exactness", "citation_in_passages", "citation_section_precision"}


def broken(report: GoldReport) -> set[str]:
    return {line.split(":")[0] for line in check_floors(report, load_floors(FLOORS))}


def test_a_perfect_assistant_scores_everything_and_breaks_no_floor() -> None:
    report = run()
    shares = {name: each.interval.mean for name, each in report.overall.measured.items() if each.unit == "%"}
    assert set(shares) == set(METRICS) - {"mrr", "answer_words_median"}
    assert set(shares.values()) == {100}
    assert report.overall.measured["mrr"].interval.mean == 1
    assert (report.overall.n, report.overall.n_failed) == (128, 0)
    assert broken(report) == set()


def test_every_number_tells_how_many_questions_and_items_it_rests_on() -> None:
    measured = run().overall.measured
    assert (measured["answer_recall"].interval.n, measured["answer_recall"].n_items) == (112, 162)
    assert measured["references_all"].n_items == 84
    assert measured["abstention_recall"].n_items == 14
    assert measured["injection_abstention"].n_items == 2
    assert measured["refusal_precision"].n_items == 16


@pytest.mark.parametrize(
    ("spoil", "floors"),
    [
        (random_passages, EVIDENCE | {"citation_in_passages"}),
        (no_citations, CITATIONS),
        (wrong_passage, {"citation_in_passages"}),
        (wrong_section, {"citation_section_precision"}),
        (altered_quote, {"quote_exactness", "citation_in_passages"}),
        (refuse_everything, CITATIONS | {"answer_recall", "answer_words_median", "answered_share"}),
        (refuse_nothing, {"abstention_recall"}),
        (ramble, {"answer_words_median"}),
        (say_nothing, {"answer_recall"}),
        (crash, EVIDENCE | CITATIONS | {"answer_recall", "answer_words_median", "answered_share"}),
    ],
)
def test_each_fault_breaks_exactly_its_floors(
    spoil: Callable[[Question, Record], Record], floors: set[str]
) -> None:
    assert broken(run(spoil)) == floors


def test_refusing_everything_shows_in_the_precision_of_refusals() -> None:
    precision = run(refuse_everything).overall.measured["refusal_precision"]
    assert (precision.interval.mean, precision.n_items) == (100 * 16 / 128, 128)


def test_failed_questions_stay_in_every_denominator_and_are_counted() -> None:
    def fail_once(question: Question, record: Record) -> Record:
        return {"status": "answered"} if question.id == "dev-001" else record

    report, whole = run(fail_once), run()
    assert report.overall.n_failed == 1
    assert report.rows[0].status == "failed"
    assert "KeyError" in report.rows[0].failure
    for name in (
        "answer_recall",
        "evidence_recall_150w",
        "quote_exactness",
        "citation_recall",
        "answered_share",
    ):
        one, other = report.overall.measured[name], whole.overall.measured[name]
        assert one.n_items == other.n_items
        assert one.interval.mean == pytest.approx(100 * (1 - 1 / other.n_items))


def test_an_unknown_status_or_source_is_a_failed_item() -> None:
    assert run(lambda _, record: record | {"status": "maybe"}).overall.n_failed == 128
    other = run(lambda _, r: r | {"citations": [c | {"source_id": "x"} for c in r["citations"]]})
    assert other.overall.n_failed == 112


def test_the_question_is_asked_with_its_history() -> None:
    assistant = Scripted()
    followup = next(q for q in QUESTIONS if q.type == "followup")
    run_gold(assistant, [followup])
    assert assistant.asked == [(followup.question, followup.history)]


def ticks() -> Iterator[float]:
    now = 0.0
    for step in (1, 5, 3, 5, 2, 5):  # every first of two is a latency
        yield now
        now += step


def test_latency_is_the_wall_clock_of_asking_alone() -> None:
    seen: list[GoldRow] = []
    clock = ticks().__next__
    report = run_gold(Scripted(), QUESTIONS[:3], clock=clock, on_row=seen.append)
    assert [row.latency_s for row in seen] == [1, 3, 2]
    assert report.latency_median_s == 2
    assert report.latency_p95_s == pytest.approx(2.9)


def test_types_are_reported_apart_with_their_n_and_provenance_is_kept() -> None:
    report = run(lambda q, r: r | {"provenance": {"index_id": "i2" if q.id == "dev-128" else "i1"}})
    assert {group.name: group.n for group in report.by_type}["factoid"] == 25
    assert sum(group.n for group in report.by_type) == 128
    assert report.provenance["index_id"] == "i1, i2"
    assert "settings digest: not recorded" in markdown(gold_outcome(report, name="dev").sheet)


def test_a_run_folder_holds_report_rows_and_summary(tmp_path: Path) -> None:
    outcome, now = gold_outcome(run(crash), name="dev"), datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    name = stamp(now, outcome.kind)
    assert name == "20260102T030405Z-gold"
    folder = write_outcome(outcome, new_folder(tmp_path / "runs", name), now=now)
    assert new_folder(tmp_path / "runs", name).name == f"{name}-2"
    assert new_folder(tmp_path / "runs", name).name == f"{name}-3"
    whole = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert whole["overall"]["n_failed"] == len(whole["failures"]) == 112
    rows = [json.loads(row) for row in (folder / "rows.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [row["question_id"] for row in rows] == [q.id for q in QUESTIONS]
    assert "RuntimeError: out of memory" in (folder / "summary.md").read_text(encoding="utf-8")


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(StorageError):
        new_folder(tmp_path / "file", "run")


@pytest.mark.parametrize("text", ["[floors]\nmrrr = 1", "[floors]\nmrr = true", "x = [", "", "floors = 3"])
def test_a_gate_that_is_not_one_is_a_settings_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "gate.toml").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError):
        load_floors(tmp_path / "gate.toml")


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Any]:
    """Runs `waymark eval` with a scripted assistant in place of the real one."""

    def invoke(*arguments: str, spoil: Callable[[Question, Record], Record] | None = None) -> Any:
        module = ModuleType("rag.assistant")
        assistant = Scripted(spoil) if spoil else Scripted()
        module.Assistant = type("Assistant", (), {"open": staticmethod(lambda *_: assistant)})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "rag.assistant", module)
        return CliRunner().invoke(app, ["gold", "--out", str(tmp_path / "runs"), *arguments])

    return invoke


def test_the_command_prints_json_and_passes_the_gate(command: Callable[..., Any], tmp_path: Path) -> None:
    result = command("--json", "--gate")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["overall"]["n"] == 128
    assert len(list((tmp_path / "runs").iterdir())) == 1


def test_a_broken_floor_is_listed_and_exits_with_one(command: Callable[..., Any]) -> None:
    result = command("--gate", spoil=refuse_nothing)
    assert result.exit_code == 1
    assert "Floor broken: abstention_recall: 0.00, at least 65 is wanted" in " ".join(result.stderr.split())


def test_a_failed_question_does_not_pass_the_gate(command: Callable[..., Any]) -> None:
    result = command("--gate", spoil=lambda q, record: {} if q.id == "dev-128" else record)
    assert result.exit_code == 1
    assert "Floor broken: questions that failed: 1, none is wanted" in " ".join(result.stderr.split())


def test_without_the_gate_a_bad_run_is_still_a_run(command: Callable[..., Any]) -> None:
    result = command(spoil=crash)
    assert result.exit_code == 0
    assert "112 failed" in result.stdout
    assert "dev-001 failed: RuntimeError: out of memory" in result.stderr


def test_types_can_be_chosen_and_unknown_ones_are_told(command: Callable[..., Any]) -> None:
    result = command("--json", "--type", "table", "--type", "typo")
    assert json.loads(result.stdout)["overall"]["n"] == 8
    assert command("--type", "riddle").exit_code == 2
