"""A child process that is waited for: how it ends, and whose processor time is counted."""

import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from ingest.loaders.child import Ended, run_child

_BURN = "import time\nwhile time.process_time() < {}: pass"


def _run(code: str, *, most_s: float = 60) -> Ended:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer:
        return run_child([sys.executable, "-S", "-c", code], source=source, answer=answer, most_s=most_s)


def test_a_child_reads_one_file_and_writes_the_other() -> None:
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as answer:
        source.write(b"told")
        source.seek(0)
        copy = "import sys; sys.stdout.write(sys.stdin.read()); sys.exit(3)"
        ended = run_child([sys.executable, "-c", copy], source=source, answer=answer, most_s=60)
        answer.seek(0)
        assert (answer.read(), ended.code, ended.is_late) == (b"told", 3, False)


def test_a_child_that_takes_too_long_is_killed() -> None:
    began = time.monotonic()
    ended = _run("import time; time.sleep(60)", most_s=0.5)
    assert (ended.is_late, ended.code != 0) == (True, True)
    assert time.monotonic() - began < 30


@pytest.mark.skipif(sys.platform == "win32", reason="processor time of one child is not told there")
def test_time_that_other_children_spend_meanwhile_is_not_counted() -> None:
    with ThreadPoolExecutor(1) as pool:
        idle = pool.submit(_run, "import time; time.sleep(3)")
        subprocess.run(
            [sys.executable, "-c", _BURN.format(1.5)], check=True
        )  # ended and waited for meanwhile
        busy = _run(_BURN.format(0.5))
    assert busy.spent_s >= 0.4
    assert idle.result().spent_s < 0.5
