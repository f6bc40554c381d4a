"""Indexing as a whole: nothing is embedded twice, nothing is written without need, a kill costs little."""

import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from ingest.chunking import ChunkLimits
from ingest.pipeline import IndexReport, index_corpus
from rag.embed import Passage, Vectors
from rag.errors import DocumentError, EmbedderError, IndexMismatch
from rag.index.cache import FILE
from rag.index.generations import Generations
from rag.index.reader import Index
from rag.testing import FakeEmbedder

ROOT = Path(__file__).resolve().parents[2]
SMALL = """The Small Roadmap

Section 1: Beginnings

1.1. Words

The first sentence opens. The second one follows.

- **Item:** It has a mark.¹
- **Other:** It has none.

1.2. Numbers

Three is a number.

Works cited

1. A Title, accessed on October 10, 2025, <https://a.org/b>
"""


@pytest.fixture
def roadmap(tmp_path: Path) -> Path:
    path = tmp_path / "roadmap.txt"
    path.write_text(SMALL, encoding="utf-8")
    return path


def _files(home: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(home)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in home.rglob("*")
        if path.is_file()
    }


def _texts(embedder: FakeEmbedder) -> set[str]:
    return {passage.text for passage in embedder.seen}


def _n_cached(home: Path) -> int:
    with closing(sqlite3.connect(home / FILE)) as database:
        return int(database.execute("select count(*) from vectors").fetchone()[0])


def _small(
    home: Path, roadmap: Path, embedder: FakeEmbedder, limits: ChunkLimits | None = None
) -> IndexReport:
    return index_corpus(home, embedder=embedder, roadmap=roadmap, limits=limits)


def test_the_first_run_embeds_every_chunk_of_the_roadmap_once(home: Path) -> None:
    embedder = FakeEmbedder()
    report = index_corpus(home, embedder=embedder)
    assert report.changed
    assert report.n_documents == 1
    assert report.n_embedded == len(embedder.seen) == len(_texts(embedder)) == report.n_chunks > 200
    with Index.open(home, embedder=embedder.spec) as index:
        assert (len(index), index.warnings) == (report.n_chunks, ())
    assert index.manifest.generation_id == report.generation_id
    assert [entry.path for entry in index.manifest.sources] == ["corpus/roadmap.txt"]
    assert index.manifest.sources[0].n_chunks == report.n_chunks


def test_the_second_run_embeds_nothing_and_writes_nothing(home: Path) -> None:
    first = index_corpus(home, embedder=FakeEmbedder())
    before = _files(home)
    embedder = FakeEmbedder()
    second = index_corpus(home, embedder=embedder)
    assert (second.changed, second.n_embedded, embedder.seen) == (False, 0, [])
    assert (second.generation_id, second.n_chunks) == (first.generation_id, first.n_chunks)
    assert _files(home) == before


def test_what_was_indexed_is_found_by_its_own_words(home: Path, roadmap: Path) -> None:
    embedder = FakeEmbedder()
    _small(home, roadmap, embedder)
    query = embedder.embed_query("Numbers\nBeginnings\nThree is a number.")
    with Index.open(home, embedder=embedder.spec) as index:
        rows, cosines = index.dense.search(query, k=2)
        assert index.chunks([int(rows[0])])[0].text == "Three is a number."
        assert cosines[0] > 0.9 > cosines[1]
        for chunk, vectors in index.chunks_with_vectors(range(len(index))):
            assert vectors.shape == (len(chunk.sentences), 32)


def test_an_edit_embeds_only_the_chunks_that_changed(home: Path, roadmap: Path) -> None:
    first = _small(home, roadmap, FakeEmbedder())
    roadmap.write_text(SMALL.replace("Three is", "Three is still"), encoding="utf-8")
    embedder = FakeEmbedder()
    second = _small(home, roadmap, embedder)
    (changed,) = _texts(embedder)
    assert changed == "Beginnings\nNumbers\nThree is still a number."
    assert second.changed
    assert second.generation_id != first.generation_id
    assert second.n_embedded == len(embedder.seen) == 1 < second.n_chunks


def test_going_back_to_an_earlier_text_embeds_nothing(home: Path, roadmap: Path) -> None:
    _small(home, roadmap, FakeEmbedder())
    roadmap.write_text(SMALL.replace("Three", "Four"), encoding="utf-8")
    _small(home, roadmap, FakeEmbedder())
    roadmap.write_text(SMALL, encoding="utf-8")
    report = _small(home, roadmap, FakeEmbedder())
    assert (report.changed, report.n_embedded) == (True, 0)


def test_equal_passages_are_embedded_once(home: Path, roadmap: Path) -> None:
    roadmap.write_text("Section 1: One\n\n- Same words.\n- Same words.\n- Other words.\n", encoding="utf-8")
    embedder = FakeEmbedder()
    report = _small(home, roadmap, embedder)
    assert (report.n_chunks, report.n_embedded, len(embedder.seen)) == (3, 2, 2)
    query = embedder.embed_query("One\nSame words.")
    with Index.open(home, embedder=embedder.spec) as index:
        cosines = index.dense.cosines(query, np.arange(3)).round(5)
    assert list(cosines) == [1, 1, pytest.approx(0.7, abs=0.29)]


@pytest.mark.parametrize(
    "other", [FakeEmbedder(revision="2"), FakeEmbedder(model="other"), FakeEmbedder(dim=8)]
)
def test_another_embedder_means_a_full_rebuild(home: Path, roadmap: Path, other: FakeEmbedder) -> None:
    first = _small(home, roadmap, FakeEmbedder())
    other.seen.clear()
    with pytest.raises(IndexMismatch):
        Index.open(home, embedder=other.spec)
    second = _small(home, roadmap, other)
    assert (second.changed, second.n_embedded) == (True, first.n_chunks)
    with Index.open(home, embedder=other.spec) as index:
        assert len(index) == first.n_chunks
    third = _small(home, roadmap, FakeEmbedder())  # what the first one computed is still there
    assert (third.changed, third.n_embedded) == (True, 0)


def test_other_limits_mean_a_rebuild_and_chunks_never_pass_the_window(home: Path, roadmap: Path) -> None:
    first = _small(home, roadmap, FakeEmbedder())
    second = _small(home, roadmap, FakeEmbedder(), ChunkLimits(target_tokens=5, max_tokens=250))
    assert second.changed
    assert second.n_chunks > first.n_chunks
    narrow = FakeEmbedder(max_tokens=9)
    assert _small(home, roadmap, narrow).changed
    assert max(narrow.count_tokens(text) for text in _texts(narrow)) <= 9
    with Index.open(home, embedder=narrow.spec) as index:
        assert index.manifest.chunker.max_tokens == 9


def test_progress_counts_up_to_all_and_then_tells_of_the_writing(home: Path) -> None:
    calls: list[tuple[str, int, int]] = []
    report = index_corpus(home, embedder=FakeEmbedder(), progress=lambda *call: calls.append(call))
    steps = [done for step, done, total in calls if step == "embed" and total == report.n_embedded]
    assert steps[0] == 0
    assert steps[-1] == report.n_embedded
    assert steps == sorted(set(steps))
    assert max(b - a for a, b in pairwise(steps)) == 1
    assert calls[-2:] == [("write", 0, 1), ("write", 1, 1)]


def test_a_damaged_generation_is_built_anew_from_the_cache(home: Path, roadmap: Path) -> None:
    first = _small(home, roadmap, FakeEmbedder())
    (home / "generations" / first.generation_id / "dense.faiss").write_bytes(b"?")
    second = _small(home, roadmap, FakeEmbedder())
    assert (second.changed, second.n_embedded) == (True, 0)
    with Index.open(home, embedder=FakeEmbedder().spec) as index:
        assert index.warnings == ()


def test_a_failure_while_embedding_keeps_what_serves_and_what_was_computed(home: Path, roadmap: Path) -> None:
    first = _small(home, roadmap, FakeEmbedder())

    class Failing(FakeEmbedder):
        def embed_passages(self, passages: Sequence[Passage]) -> Iterator[tuple[int, Vectors]]:
            for n, found in enumerate(super().embed_passages(passages)):
                if n == 16:
                    raise EmbedderError("out of memory")
                yield found

    with pytest.raises(EmbedderError):
        index_corpus(home, embedder=Failing())
    assert Generations(home).open_current().manifest.generation_id == first.generation_id
    again = index_corpus(home, embedder=FakeEmbedder())
    assert again.n_embedded == again.n_chunks - 16


def test_a_roadmap_without_text_is_refused_and_nothing_changes(home: Path, roadmap: Path) -> None:
    first = _small(home, roadmap, FakeEmbedder())
    roadmap.write_text("Section 1: Only a heading\n", encoding="utf-8")
    with pytest.raises(DocumentError, match="no text"):
        _small(home, roadmap, FakeEmbedder())
    assert Generations(home).open_current().manifest.generation_id == first.generation_id


CHILD = """
import sys
from pathlib import Path
from ingest.pipeline import index_corpus
from rag.testing import FakeEmbedder

index_corpus(Path(sys.argv[1]), embedder=FakeEmbedder(delay_s=0.01))
"""


def test_after_a_kill_only_what_is_missing_is_embedded(home: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(home)], cwd=ROOT)
    try:
        give_up = time.monotonic() + 60
        while not ((home / FILE).exists() and _has_cached(home, 40)):
            assert child.poll() is None
            assert time.monotonic() < give_up
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
    assert not (home / "CURRENT").exists()
    n_cached = _n_cached(home)
    embedder = FakeEmbedder()
    report = index_corpus(home, embedder=embedder)
    assert 40 <= n_cached < report.n_chunks
    assert report.n_embedded == len(embedder.seen) == report.n_chunks - n_cached
    with Index.open(home, embedder=embedder.spec) as index:
        assert index.manifest.counts.chunks == report.n_chunks


def _has_cached(home: Path, n: int) -> bool:
    try:
        return _n_cached(home) >= n
    except sqlite3.OperationalError:  # being made, or locked
        return False
