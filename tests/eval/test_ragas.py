"""Ragas over Waymark's answers: known verdicts give the known scores, and what fails is counted."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from eval.judging import JudgeModel
from eval.questions import Question
from eval.ragas_judge import GeneratorJudge, find_objects
from eval.ragas_metrics import EMBEDDED, JUDGED, embedded_metrics, judged_metrics
from eval.ragas_report import ragas_outcome
from eval.samples import Sample, ask_sample, make_sample
from eval.score_cache import ScoreCache
from eval.scoring import Metric, Pace, ScoredItem, add_up, score_samples
from rag.errors import ServerFailed
from rag.generate import Finish, Message
from rag.ground import Stance, Support
from rag.testing import FakeEmbedder, ScriptedGenerator

pytestmark = pytest.mark.slow  # Ragas takes seconds to load

STATEMENTS = ["LoRA freezes the weights.", "LoRA doubles the memory."]


class Judge:
    """A `Generator` that answers each of Ragas' prompts by what it asks for; `spoil` changes what is said."""

    name = "scripted judge"
    context_tokens = 100_000

    def __init__(self, *, spoil: Callable[[str], str] = lambda text: text, delay_s: float = 0.0) -> None:
        self.calls = 0
        self.stopped = 0
        self._spoil = spoil
        self._delay_s = delay_s

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    def stream(
        self, messages: Sequence[Message], *, max_new_tokens: int, seed: int | None, cancel: threading.Event
    ) -> Iterator[str | Finish]:
        self.calls += 1
        if cancel.wait(self._delay_s):
            self.stopped += 1
            return
        yield self._spoil(json.dumps(self._verdict(messages[1].text)))
        yield Finish(prompt_tokens=1, completion_tokens=1, stop_reason="eos")

    def close(self) -> None:
        return None

    def _verdict(self, prompt: str) -> dict[str, Any]:
        if "Break down each sentence" in prompt:
            return {"statements": STATEMENTS}
        if "faithfulness of a series of statements" in prompt:
            verdicts = [("freezes" in statement) for statement in STATEMENTS]
            return {
                "statements": [
                    {"statement": statement, "reason": "told", "verdict": int(verdict)}
                    for statement, verdict in zip(STATEMENTS, verdicts, strict=True)
                ]
            }
        if "Generate a question" in prompt:
            return {"question": "What does LoRA freeze?", "noncommittal": 0}
        if "was useful in arriving" in prompt:
            last = prompt[prompt.rindex('"context"') :]  # the examples come before
            return {"reason": "told", "verdict": int("freezes" in last)}
        return {
            "classifications": [
                {"statement": "a", "reason": "told", "attributed": 1},
                {"statement": "b", "reason": "told", "attributed": 0},
                {"statement": "c", "reason": "told", "attributed": 1},
                {"statement": "d", "reason": "told", "attributed": 1},
            ]
        }


class WordChecker:
    """Supports a statement whose words all stand in one sentence of the evidence."""

    name = "words"

    def check(self, statement: str, evidence: Sequence[str]) -> Support:
        words = set(statement.lower().strip(".").split())
        held = any(words <= set(sentence.lower().strip(".").split()) for sentence in evidence)
        stance = Stance.SUPPORTED if held else Stance.NOT_FOUND
        return Support(score=float(held), stance=stance, evidence=None, reasons=())


def sample(name: str = "q1", **changes: Any) -> Sample:
    fields: dict[str, Any] = {
        "question_id": name,
        "type": "factoid",
        "user_input": "What does LoRA freeze?",
        "response": "LoRA freezes the weights. LoRA doubles the memory.",
        "retrieved_contexts": ("Something else.", "LoRA freezes the weights."),
        "reference": "The weights.",
        "reference_contexts": ("LoRA freezes the weights.",),
        "answered": True,
        "claims": (("LoRA freezes the weights.", ("LoRA freezes the weights.",)),),
    }
    return Sample(**fields | changes)


def scored(
    metrics: Sequence[Metric], samples: Sequence[Sample], folder: Path, **options: Any
) -> tuple[ScoredItem, ...]:
    pace = Pace(**({"timeout_s": 30.0} | options))
    return asyncio.run(score_samples(metrics, samples, cache=ScoreCache(folder), pace=pace))


def judged(generator: Any, setup: str = "") -> tuple[Metric, ...]:
    return judged_metrics(JudgeModel(generator=generator, setup=setup), FakeEmbedder())


def test_known_verdicts_give_the_known_scores(tmp_path: Path) -> None:
    (item,) = scored(judged(Judge()), [sample()], tmp_path)
    assert item.failures == {}
    assert item.scores == pytest.approx(
        {
            "faithfulness": 0.5,  # one of two statements
            "response_relevancy": 1.0,  # the question itself comes back
            "context_precision": 0.5,  # the useful passage is the second of two
            "context_recall": 0.75,  # three of four
        }
    )


def test_the_embedded_metrics_need_no_judge_and_give_the_known_scores(tmp_path: Path) -> None:
    (item,) = scored(embedded_metrics(WordChecker()), [sample()], tmp_path)
    assert item.failures == {}
    assert tuple(item.scores) == EMBEDDED
    assert item.scores["groundedness"] == 0.5
    assert item.scores["cited_groundedness"] == 0.5
    assert item.scores["non_llm_context_recall"] == 1.0
    assert item.scores["non_llm_context_precision"] == pytest.approx(0.5)


@pytest.mark.parametrize("said", ["I think it is fine.", '{"verdict": "perhaps"}', "", "[1, 2]"])
def test_rubbish_is_a_counted_failure_after_a_second_try(tmp_path: Path, said: str) -> None:
    judge = Judge(spoil=lambda _: said)
    (item,) = scored(judged(judge), [sample()], tmp_path)
    assert item.scores == {}
    assert set(item.failures) == set(JUDGED)
    assert all("ServerFailed" in reason for reason in item.failures.values())
    assert judge.calls == 2 * len(JUDGED)


def test_a_verdict_wrapped_in_prose_or_fences_is_read(tmp_path: Path) -> None:
    judge = Judge(spoil=lambda text: f"Sure! {{not json}}\n```json\n{text}\n```\nDone.")
    (item,) = scored(judged(judge), [sample()], tmp_path)
    assert item.scores["faithfulness"] == 0.5


def test_no_statement_is_a_failure_and_not_a_mean(tmp_path: Path) -> None:
    judge = Judge(spoil=lambda text: '{"statements": []}' if "statements" in text else text)
    items = scored(judged(judge)[:1], [sample()], tmp_path)
    (faithfulness,) = add_up(["faithfulness"], items)
    assert (faithfulness.n_due, faithfulness.n_failed, faithfulness.interval) == (1, 1, None)
    assert faithfulness.floor == 0.0


def _less(text: str) -> str:
    """The reply without its last verdict."""
    said = json.loads(text)
    return json.dumps({"statements": said["statements"][:1]}) if "verdict" in text else text


@pytest.mark.parametrize(
    ("metric", "spoil", "told"),
    [
        ("faithfulness", _less, "1 verdicts on 2 statements"),
        ("faithfulness", lambda text: text.replace('"verdict": 1', '"verdict": 2'), "verdict is 2"),
        (
            "context_recall",
            lambda text: text.replace('"attributed": 0', '"attributed": 5'),
            "attributed is 5",
        ),
        ("context_recall", lambda text: text.replace('"attributed": 0', '"attributed": NaN'), "attributed"),
        ("context_precision", lambda text: text.replace('"verdict": 0', '"verdict": -1'), "verdict is -1"),
    ],
)
def test_a_verdict_that_is_partial_or_out_of_range_is_a_counted_failure(
    tmp_path: Path, metric: str, spoil: Callable[[str], str], told: str
) -> None:
    metrics = [one for one in judged(Judge(spoil=spoil)) if one.name == metric]
    (item,) = scored(metrics, [sample()], tmp_path)
    assert item.scores == {}
    assert told in item.failures[metric]


@pytest.mark.parametrize("score", [1.5, -3.0, float("inf"), float("nan")])
def test_a_score_that_is_no_share_is_a_failure(tmp_path: Path, score: float) -> None:
    async def give(_: Sample) -> float:
        return score

    (item,) = scored([Metric(name="m", key="k", due=lambda _: True, score=give)], [sample()], tmp_path)
    assert (item.scores, set(item.failures)) == ({}, {"m"})


def test_what_a_judge_thinks_aloud_is_no_verdict(tmp_path: Path) -> None:
    judge = Judge(spoil=lambda text: f'<think>Perhaps {{"statements": []}}?</think>{{"note": 1}} {text}')
    (item,) = scored(judged(judge)[:1], [sample()], tmp_path)
    assert item.scores == {"faithfulness": 0.5}


def test_a_slow_judge_is_stopped_and_counted(tmp_path: Path) -> None:
    judge, began = Judge(delay_s=20), time.monotonic()
    (item,) = scored(judged(judge)[:1], [sample()], tmp_path, timeout_s=0.2)
    assert item.failures == {"faithfulness": "no score within 0.2 s"}
    assert judge.stopped == 1
    assert time.monotonic() - began < 10


def test_failed_items_stand_beside_the_mean_and_count_as_zero_for_the_floor(tmp_path: Path) -> None:
    metrics = embedded_metrics(WordChecker())[:1]
    samples = [sample(), sample("q2", retrieved_contexts=()), sample("q3", failure="RuntimeError: gone")]
    outcome = ragas_outcome(scored(metrics, samples, tmp_path), ["groundedness"], facts={})
    overall: Any = outcome.details["overall"]
    assert overall["groundedness"] | {"low": 0, "high": 0} == {
        "n_due": 3,
        "n_failed": 2,
        "mean": 0.5,
        "low": 0,
        "high": 0,
        "mean_with_failed_as_0": pytest.approx(0.5 / 3),
    }
    assert outcome.n_failed == 2
    assert outcome.values == {"groundedness": pytest.approx(0.5 / 3)}
    assert outcome.rows[1]["tallies"] == {"groundedness": [0, 1]}


def test_a_refusal_is_due_only_where_passages_are_measured(tmp_path: Path) -> None:
    refused = sample(answered=False, response="", claims=())
    (item,) = scored(embedded_metrics(WordChecker()), [refused], tmp_path)
    assert set(item.scores) == {"non_llm_context_recall", "non_llm_context_precision"}
    declined = sample(answered=False, response="", claims=(), reference_contexts=())
    assert scored(embedded_metrics(WordChecker()), [declined], tmp_path)[0].scores == {}


def test_a_second_run_asks_only_for_what_failed(tmp_path: Path) -> None:
    spoilt = Judge(spoil=lambda text: "no" if "classifications" in text else text)
    scored(judged(spoilt), [sample()], tmp_path)
    judge = Judge()
    (item,) = scored(judged(judge), [sample()], tmp_path)
    assert set(item.scores) == set(JUDGED)
    assert judge.calls == 1  # context recall
    other = Judge()
    scored(judged(other)[:1], [sample(response="Another answer.")], tmp_path)
    assert other.calls == 2  # another answer is another item


def test_a_cut_last_line_of_the_cache_is_passed_over(tmp_path: Path) -> None:
    cache = ScoreCache(tmp_path)
    cache.put("a", 0.25)
    with (tmp_path / "scores.jsonl").open("a", encoding="utf-8") as file:
        file.write('["b", 0.')
    assert (ScoreCache(tmp_path).get("a"), ScoreCache(tmp_path).get("b")) == (0.25, None)


def test_at_most_so_many_items_are_judged_at_once(tmp_path: Path) -> None:
    running, most = 0, 0

    async def score(_: Sample) -> float:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return 1.0

    metric = Metric(name="m", key=None, due=lambda _: True, score=score)
    scored([metric], [sample(f"q{n}") for n in range(12)], tmp_path, concurrency=3)
    assert most == 3


def test_the_judge_names_the_fault_when_it_asks_again() -> None:
    llm = ScriptedGenerator("nothing", "still nothing")
    form = judged(llm)[0]
    with pytest.raises(ServerFailed, match="no JSON object"):
        asyncio.run(form.score(sample()))  # type: ignore[arg-type]  # a coroutine function
    assert "That is not the form asked for" in llm.seen[1][-1].text


@pytest.mark.parametrize(
    ("text", "found"), [('{"a": 1}', {"a": 1}), ('x {b {"a": {"c": 2}} y', {"a": {"c": 2}})]
)
def test_the_first_whole_object_is_found(text: str, found: dict[str, Any]) -> None:
    assert next(find_objects(text)) == found


def test_a_judge_can_be_asked_without_a_loop() -> None:
    from eval.ragas_quiet import Faithfulness

    judge = GeneratorJudge(Judge())
    assert Faithfulness(llm=judge).name == "faithfulness"


QUESTION = Question(
    id="q",
    type="factoid",
    question="What?",
    answerable=True,
    gold_sections=("1",),
    evidence=("the evidence",),
    key_points=("it",),
    cited_sources=(),
    reference="It is.",
)
RECORD: dict[str, Any] = {
    "status": "answered",
    "text": "One thing [2].\n\nAnother [1, 3].",
    "passages": [
        {"label": 2, "text": "second"},
        {"label": 1, "text": "first"},
        {"label": 3, "text": "third"},
    ],
    "citations": [
        {"quote": "One quote.", "answer_spans": [[0, 14]]},
        {"quote": "Another quote.", "answer_spans": [[0, 14], [16, 31]]},
    ],
}


def test_a_sample_has_prose_without_marks_and_passages_in_label_order() -> None:
    made = make_sample(QUESTION, RECORD, n_contexts=2)
    assert made.response == "One thing. Another."
    assert made.retrieved_contexts == ("first", "second")
    assert made.claims == (
        ("One thing.", ("One quote.", "Another quote.")),
        ("Another.", ("Another quote.",)),
    )


def test_a_question_that_raises_is_a_failed_sample() -> None:
    class Broken:
        def ask(self, question: str, *, history: object) -> Any:
            raise RuntimeError("out of memory")

        def document_text(self, source_id: str) -> str:
            return ""

    made, provenance = ask_sample(Broken(), QUESTION, n_contexts=2)
    assert (made.failure, provenance) == ("RuntimeError: out of memory", {})


OFFLINE = """
import asyncio, socket, sys
def refuse(*a, **k):
    print("NETWORK", a[1:], file=sys.stderr); sys.exit(9)
socket.socket.connect = socket.socket.connect_ex = refuse
socket.getaddrinfo = refuse
from pathlib import Path
from eval.ragas_metrics import embedded_metrics
from eval.samples import Sample
from eval.score_cache import ScoreCache
from eval.scoring import Pace, score_samples
from rag.ground import open_checker
from rag.settings import Settings
from rag.testing import FakeEmbedder
sample = Sample(question_id="q", type="t", user_input="What?", response="It is so.", reference="So.",
    retrieved_contexts=("It is so.",), reference_contexts=("It is so.",), answered=True)
metrics = embedded_metrics(open_checker(FakeEmbedder(), Settings(home=Path("home"))))
(item,) = asyncio.run(score_samples(metrics, [sample], cache=ScoreCache(Path("cache")), pace=Pace(timeout_s=60)))
assert not item.failures, item.failures
print(item.scores)
"""


def test_the_embedded_mode_needs_no_network_and_leaves_nothing_in_the_users_folder(tmp_path: Path) -> None:
    home = tmp_path / "user"
    home.mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("RAGAS", "XDG"))}
    environ |= {"HOME": str(home), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", OFFLINE]
    done = subprocess.run(
        command, check=False, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert "groundedness" in done.stdout
    left = [path for path in home.rglob("*") if "ragas" in path.as_posix().lower()]
    assert left == []
