"""What a question and a second indexing run may cost once the roadmap is indexed. The best of three counts."""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

import rag
from ingest.pipeline import index_corpus
from rag.assistant import Assistant
from rag.embed import PACKAGED, open_embedder
from rag.settings import Settings

pytestmark = pytest.mark.slow

COLD_S, COLD_MIB = 2.5, 400  # a process that answers one question
WARM_S = 0.150  # the median question of an open assistant
T = TypeVar("T")
UNCHANGED_S = 1.0  # a second `waymark index`, inside the command
ROOT = Path(rag.__file__).parents[1]
QUESTIONS = [
    json.loads(line)["question"]
    for line in (ROOT / "eval" / "questions" / "dev.jsonl").read_text(encoding="utf-8").splitlines()[::6][:20]
]
# Started from a small process: the peak of a child counts what it had of its parent before it became another program.
_MEASURE = """
import json, os, subprocess, sys, time
began = time.monotonic()
child = subprocess.Popen([sys.executable, "-m", "rag.cli", *sys.argv[1:]], stdout=subprocess.PIPE)
out = child.stdout.read().decode()
_, status, usage = os.wait4(child.pid, 0)
print(json.dumps({"code": status, "s": time.monotonic() - began, "kib": usage.ru_maxrss, "out": out}))
"""


@pytest.fixture(scope="module")
def indexed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.getbasetemp() / "roadmap"  # built already where tests/rag ran before
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    return home


def _measured(home: Path, *arguments: str) -> tuple[float, float, str]:
    """Seconds, peak MiB and output of one run of the program."""
    done = subprocess.run(
        [sys.executable, "-c", _MEASURE, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT), "WAYMARK_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    record = json.loads(done.stdout)
    assert record["code"] == 0, done.stderr
    return record["s"], record["kib"] / 1024, record["out"]


def _best(measure: Callable[[], T], good_enough: Callable[[T], bool]) -> T:
    """The first of three measurements that is good enough, else the last."""
    for _ in range(3):
        if good_enough(measured := measure()):
            break
    return measured


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is counted in KiB on Linux only")
def test_a_cold_question_is_quick_and_small(indexed: Path) -> None:
    seconds, mib, out = _best(
        lambda: _measured(indexed, "ask", "How does LoRA cut memory?"), lambda one: one[0] <= COLD_S
    )
    assert out.startswith("LoRA (Low-Rank Adaptation)")
    assert seconds <= COLD_S
    assert 50 < mib <= COLD_MIB  # less would be the measuring of something else


def test_a_warm_question_is_answered_at_once(indexed: Path) -> None:
    assert len(set(QUESTIONS)) == 20

    def median() -> float:
        taken = []
        for question in QUESTIONS:
            began = time.monotonic()
            assistant.ask(question)
            taken.append(time.monotonic() - began)
        return statistics.median(taken)

    with Assistant.open(Settings(home=indexed)) as assistant:
        assert _best(median, lambda one: one <= WARM_S) <= WARM_S


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what a process holds")
def test_question_after_question_keeps_neither_memory_nor_files(indexed: Path) -> None:
    code = """if True:
        import json, sys
        from pathlib import Path
        from rag.assistant import Assistant
        from rag.settings import Settings

        def held():
            resident = int(Path("/proc/self/status").read_text().split("VmRSS:")[1].split()[0]) / 1024
            return resident, len(list(Path("/proc/self/fd").iterdir()))

        with Assistant.open(Settings(home=Path(sys.argv[1]))) as assistant:
            for n in range(800):
                if n == 400:
                    began = held()
                assistant.ask(json.loads(sys.argv[2])[n % 20])
            print(json.dumps([began, held()]))
    """
    command = [sys.executable, "-c", code, str(indexed), json.dumps(QUESTIONS)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    (mib_before, files_before), (mib, files) = json.loads(done.stdout)
    assert mib - mib_before <= 4  # the allocator's own steps; what is kept would grow with each question
    assert abs(files - files_before) <= 5


def test_indexing_what_did_not_change_embeds_nothing_and_is_quick(indexed: Path) -> None:
    def inside() -> float:
        _, _, out = _measured(indexed, "index")
        assert ", 0 embedded, " in out
        [seconds] = re.findall(r" ([\d.]+) s, ", out)
        return float(seconds)

    assert _best(inside, lambda one: one <= UNCHANGED_S) <= UNCHANGED_S
