"""A run that is killed at any moment: what was embedded is kept, and little that was in hand is embedded twice."""

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest

from ingest.pipeline import index_corpus
from rag.embed.minilm import open_minilm
from rag.index.cache import FILE
from rag.testing import FakeEmbedder

ROOT = Path(__file__).resolve().parents[2]
N_KILLS = 6
IN_HAND = 2 * ((os.cpu_count() or 1) + 1)  # passages: two for each core, and two that are being kept
# Each passage that a batch begins with is one byte of the file.
CHILD = """
import os, sys
from pathlib import Path
from ingest.pipeline import index_corpus
from rag.embed.minilm import MiniLM, open_minilm

begun = os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


class Counted(MiniLM):
    def _run(self, ids):
        os.write(begun, b"." * len(ids))
        return super()._run(ids)


embedder = open_minilm("", home=Path(sys.argv[1]))
embedder.__class__ = Counted
index_corpus(Path(sys.argv[1]), embedder=embedder)
"""


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _n_cached(home: Path) -> int:
    try:
        with closing(sqlite3.connect(home / FILE)) as database:
            return int(database.execute("select count(*) from vectors").fetchone()[0])
    except sqlite3.OperationalError:  # not made yet
        return 0


def _start(home: Path, begun: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CHILD, str(home), str(begun)], cwd=ROOT)


def _kill_while_embedding(home: Path, begun: Path, after_s: float) -> None:
    before, give_up = _size(begun), time.monotonic() + 60
    child = _start(home, begun)
    try:
        while _size(begun) == before:
            assert child.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.002)
        time.sleep(after_s)
    finally:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL


@pytest.mark.slow
def test_a_kill_costs_no_more_than_what_each_core_has_in_hand(home: Path, tmp_path: Path) -> None:
    begun, chance = tmp_path / "begun", random.Random(7)  # noqa: S311
    open_minilm("", home=home)  # converts it, once
    lost = 0
    for _ in range(N_KILLS):
        kept, started = _n_cached(home), _size(begun)
        _kill_while_embedding(home, begun, chance.uniform(0, 0.5))
        cost = (_size(begun) - started) - (_n_cached(home) - kept)
        assert 0 <= cost <= IN_HAND
        lost += cost
    assert _n_cached(home) > 0
    assert _start(home, begun).wait() == 0
    assert _size(begun) == _n_cached(home) + lost  # nothing else was embedded twice


def test_an_embedder_that_is_cut_off_has_lost_the_passage_in_hand_alone(home: Path) -> None:
    """Of an embedder that computes one passage at a time."""
    for n in (1, 7, 40):

        class Failing(FakeEmbedder):
            def embed_passages(self, passages, n=n):  # type: ignore[no-untyped-def]
                for position, found in enumerate(super().embed_passages(passages)):
                    if position == n:
                        raise KeyboardInterrupt
                    yield found

        before = _n_cached(home)
        with pytest.raises(KeyboardInterrupt):
            index_corpus(home, embedder=Failing())
        assert _n_cached(home) == before + n
    rest = FakeEmbedder()
    report = index_corpus(home, embedder=rest)
    assert len(rest.seen) == report.n_embedded == report.n_chunks - 48
