"""The seam of the embedders: which one opens, what is refused, how parts are pooled."""

import math
from pathlib import Path

import numpy as np
import pytest

import rag.embed
import rag.testing
from rag.embed import PACKAGED, Passage, Vectors, open_embedder, pool_parts, refuse_overlong
from rag.embed.minilm import MiniLM
from rag.errors import EmbedderError
from rag.schema import Span
from rag.testing import FakeEmbedder

STATES = np.random.default_rng(1).standard_normal((7, 5)).astype(np.float32)
OFFSETS = np.array([(0, 0), (0, 3), (3, 5), (6, 9), (10, 12), (12, 14), (0, 0)], dtype=np.int64)


def _mean_of(*tokens: int) -> list[float]:
    """The unit vector of a mean, in plain Python."""
    mean = [sum(float(STATES[token][axis]) for token in tokens) / len(tokens) for axis in range(5)]
    norm = math.sqrt(sum(value * value for value in mean))
    return [value / norm for value in mean]


def test_parts_are_means_of_the_tokens_inside_them() -> None:
    parts = [Span(start=0, end=5), Span(start=6, end=14), Span(start=0, end=14), Span(start=10, end=12)]
    pooled = pool_parts(STATES, OFFSETS, parts)
    expected = [
        _mean_of(0, 1, 2, 3, 4, 5, 6),
        _mean_of(1, 2),
        _mean_of(3, 4, 5),
        _mean_of(1, 2, 3, 4, 5),
        _mean_of(4),
    ]
    assert pooled.dtype == np.float32
    for row, wanted in zip(pooled, expected, strict=True):
        assert row.tolist() == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("part", [Span(start=1, end=3), Span(start=20, end=30), Span(start=5, end=5)])
def test_a_part_without_a_whole_token_has_the_vector_of_the_text(part: Span) -> None:
    pooled = pool_parts(STATES, OFFSETS, [part])
    assert pooled[1].tolist() == pooled[0].tolist()


def test_states_of_nothing_give_no_nan() -> None:
    assert not np.isnan(
        pool_parts(np.zeros((2, 5), dtype=np.float32), OFFSETS[:2], [Span(start=0, end=3)])
    ).any()


def test_the_packaged_name_opens_the_packaged_model(converted_home: Path) -> None:
    assert isinstance(open_embedder(PACKAGED, home=converted_home), MiniLM)


def test_any_other_name_goes_to_the_backend_for_all_others(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, Path]] = []

    def note(name: str, *, home: Path) -> FakeEmbedder:
        opened.append((name, home))
        return FakeEmbedder()

    monkeypatch.setattr(rag.testing, "open_noted", note, raising=False)
    monkeypatch.setattr(rag.embed, "_ANY_OTHER", "rag.testing:open_noted")
    open_embedder("some/other-model", home=home)
    assert opened == [("some/other-model", home)]


def test_a_text_longer_than_the_window_is_refused_with_its_beginning() -> None:
    spec = FakeEmbedder(max_tokens=4).spec
    refuse_overlong(4, spec, "fits")
    with pytest.raises(EmbedderError, match=r"5 word pieces passes the 4 .* “too long…”"):
        refuse_overlong(5, spec, "too long")


def _one(embedder: FakeEmbedder, passage: Passage) -> Vectors:
    ((_, rows),) = embedder.embed_passages([passage])
    return rows


def test_the_fake_embedder_keeps_the_contract() -> None:
    embedder = FakeEmbedder(max_tokens=6)
    passage = Passage(text="cats purr dogs", parts=(Span(start=0, end=9), Span(start=10, end=14)))
    rows = _one(embedder, passage)
    assert rows.shape == (3, 32)
    assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-6)
    assert np.array_equal(rows, _one(FakeEmbedder(max_tokens=6), passage))
    assert np.array_equal(embedder.embed_query("cats purr dogs"), rows[0])
    assert embedder.embed_query("Cats purr!") @ rows[1] > embedder.embed_query("Cats purr!") @ rows[2]
    assert np.array_equal(embedder.embed_query("a b c d e f"), embedder.embed_query("a b c d"))
    assert not np.array_equal(_one(FakeEmbedder(revision="2"), passage), rows)
    assert (embedder.count_tokens("a b, c"), embedder.seen) == (6, [passage])
    with pytest.raises(EmbedderError):
        _one(embedder, Passage(text="a b c d e"))


def test_the_fake_embedder_numbers_what_it_yields() -> None:
    embedder = FakeEmbedder()
    found = dict(embedder.embed_passages([Passage(text=text) for text in ("a", "b", "c")]))
    assert sorted(found) == [0, 1, 2]
    assert all(np.array_equal(found[n][0], embedder.embed_query(text)) for n, text in enumerate("abc"))
