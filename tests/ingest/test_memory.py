"""What indexing costs in memory and how large a file may be: measured in processes of their own.

The embedder is a double with vectors as wide as those of the real one: embedding 50 MB takes an hour and no memory,
which the last test shows on a smaller text.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from random import Random

import pytest

from ingest.chunking import ChunkLimits, cut_document
from ingest.library import Library, write_library
from ingest.loaders import load_document
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.pipeline import index_corpus
from rag.testing import FakeEmbedder

ROOT = Path(__file__).resolve().parents[2]
MIB = 2**20
MOST_MIB = 1024  # of parent and child together

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for peaks"),
]

CHILD = """if True:
    import json, resource, sys
    from pathlib import Path
    from ingest.library import Library, write_library
    from ingest.pipeline import index_corpus
    from rag.embed import PACKAGED, open_embedder
    from rag.testing import FakeEmbedder
    import numpy as np

    class Quick(FakeEmbedder):
        def embed_passages(self, passages):
            for n, passage in enumerate(passages):
                yield n, np.full((1 + len(passage.parts), 384), 384**-0.5, dtype=np.float32)

    home, source, name = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
    real = open_embedder(PACKAGED, home=Path(sys.argv[4]))  # open in any case, for what it takes
    embedder = real if name == "real" else Quick(dim=384)
    home.mkdir(exist_ok=True)
    write_library(home, Library().with_items(source))
    def peak():  # getrusage would count what the process that started this one had in memory
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024

    before = peak()
    report = index_corpus(home, embedder=embedder)
    print(json.dumps({
        "before": before, "own": peak(),
        "child": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
        "skipped": [one.reason for one in report.skipped], "chunks": report.n_chunks,
    }))
"""


def _measure(home: Path, source: Path, embedder: str, models: Path) -> dict:
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(home), str(source), embedder, str(models)],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder in which the embedder was converted by another process: that takes torch, once."""
    folder = tmp_path_factory.mktemp("models")
    code = "import sys, pathlib; from rag.embed import *; open_embedder(PACKAGED, home=pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(folder)], cwd=ROOT, check=True)
    return folder


def _write_text(path: Path, n_bytes: int) -> None:
    """Paragraphs of made-up English; quotation marks make Python keep two bytes for each character."""
    random = Random(1)  # noqa: S311
    letters = "etaoinshrdlucmfwypvbgkjqxz"
    words = ["".join(random.choices(letters, k=random.randint(2, 9))) for _ in range(50_000)]
    left = n_bytes
    with path.open("w", encoding="utf-8") as file:
        while left > 2500:
            sentences = (
                " ".join(random.choices(words, k=random.randint(8, 25))) for _ in range(random.randint(2, 8))
            )
            paragraph = " ".join(f"“{sentence.capitalize()}.”" for sentence in sentences) + "\n\n"
            left -= len(paragraph.encode())
            file.write(paragraph)


@pytest.mark.timeout(1200)
def test_a_text_of_50_mb_takes_less_than_a_gibibyte(tmp_path: Path, models: Path) -> None:
    _write_text(tmp_path / "long.txt", 50 * MIB)
    measured = _measure(tmp_path / "home", tmp_path / "long.txt", "double", models)
    assert measured["skipped"] == []
    assert measured["chunks"] > 100_000
    assert measured["own"] + measured["child"] < MOST_MIB


@pytest.mark.shared
def test_a_pdf_of_140_pages_takes_less_than_a_gibibyte(tmp_path: Path, models: Path, shared: Path) -> None:
    [path] = (shared / "sources" / "docs").rglob("Lectures-on-Machine-Learning.pdf")
    measured = _measure(tmp_path / "home", path, "double", models)
    assert measured["skipped"] == []
    assert measured["own"] + measured["child"] < MOST_MIB


def test_embedding_more_takes_no_more_memory(tmp_path: Path, models: Path) -> None:
    peaks = []
    for n_bytes in (20_000, 200_000):
        path = tmp_path / f"{n_bytes}.txt"
        _write_text(path, n_bytes)
        peaks.append(_measure(tmp_path / f"home{n_bytes}", path, "real", models)["own"])
    assert peaks[1] < peaks[0] + 40
    assert peaks[1] < 0.6 * MOST_MIB


def test_a_text_of_100_mb_is_refused_for_its_size_at_once(home: Path, tmp_path: Path) -> None:
    path = tmp_path / "huge.txt"
    path.write_bytes(b"words and words \n" * (100 * MIB // 17))
    write_library(home, Library().with_items(path.as_posix()))
    (tmp_path / "roadmap.txt").write_text("Title\n\nSection 1: One\n\nA sentence.\n", encoding="utf-8")
    began = time.monotonic()
    report = index_corpus(home, embedder=FakeEmbedder(), roadmap=tmp_path / "roadmap.txt")
    assert time.monotonic() - began <= 1
    assert [one.reason for one in report.skipped] == [
        f"{path.stat().st_size:,} bytes; at most 52,428,800 are read"
    ]
    with pytest.raises(Unloadable) as caught:
        load_document(path.read_bytes(), path="huge.txt")
    assert caught.value.outcome is Outcome.LIMIT


@pytest.mark.parametrize(
    "text",
    [
        "word " * 1_000_000,  # one sentence without an end
        "e.g. " * 400_000,  # stops that end nothing
        "x" * 2_000_000,  # one word
        "It is. " * 300_000,  # one paragraph of many sentences
        "- item\n" * 300_000,
        ("Much: " * 20_000).strip()
        + "\n\n"
        + "- item\n" * 20_000,  # what leads in is longer than all it leads to
        "a\n\n" * 390_000,
        "".join(" " * n + "- item\n" for n in range(3_000)),
    ],
    ids=["no stop", "no end", "one word", "one paragraph", "items", "long lead", "paragraphs", "deep items"],
)
def test_text_without_the_usual_ends_is_cut_in_time_and_into_slices(text: str) -> None:
    began = time.monotonic()
    document = load_document(text.encode(), path="odd.txt")
    embedder = FakeEmbedder()
    chunks = 0
    for chunk in cut_document(document, limits=ChunkLimits(), count_tokens=embedder.count_tokens):
        assert chunk.text == chunk.span.cut(document.text)
        assert len(chunk.sentences[0].context) <= 2000
        chunks += 1
    assert chunks > 100
    assert time.monotonic() - began < 60
