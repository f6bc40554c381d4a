"""BM25 against the formula written out, and rows that keep their places."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.index.lexical import Lexical, LexicalBuilder
from rag.terms import terms
from rag.testing import content_bytes

TEXTS = [
    "LoRA freezes the weights and trains two small matrices.",
    "",
    "Fine-tuning trains all weights; fine-tuning is costly, fine-tuning is slow.",
    "the and of",
    "A Dockerfile copies the weights. Docker builds images in layers.",
    "Weights.",
]


def _files(scratch: Path, texts: list[str]) -> dict[str, bytes]:
    builder = LexicalBuilder()
    for text in texts:
        builder.add(text)
    return {name: content_bytes(content) for name, content in builder.files(scratch).items()}


def _lexical(folder: Path, texts: list[str]) -> Lexical:
    for name, data in _files(folder / "scratch", texts).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return Lexical(folder)


def _slow_bm25(query: list[str], texts: list[str], *, k1: float = 1.5, b: float = 0.75) -> list[float]:
    """The formula of Lucene; a row without terms counts as one term long, since it is stored as one empty word."""
    rows = [list(terms(text)) or [""] for text in texts]
    average = sum(map(len, rows)) / len(rows)
    scores = []
    for row in rows:
        score = 0.0
        for term in query:
            df = sum(term in other for other in rows)
            tf = row.count(term)
            idf = math.log(1 + (len(rows) - df + 0.5) / (df + 0.5))
            score += idf * tf / (tf + k1 * (1 - b + b * len(row) / average))
        scores.append(score)
    return scores


@pytest.fixture
def lexical(tmp_path: Path) -> Lexical:
    return _lexical(tmp_path, TEXTS)


@pytest.mark.parametrize(
    "question", ["Which weights does LoRA train?", "fine-tuning", "docker images", "weights weights"]
)
def test_scores_are_those_of_the_formula(lexical: Lexical, question: str) -> None:
    query = list(terms(question))
    scores = lexical.scores(query)
    assert scores.tolist() == pytest.approx(_slow_bm25(query, TEXTS), abs=1e-5)
    assert scores.max() > 0


_words = st.sampled_from("lora weights docker layer fine-tuning the attention".split())
_texts = st.lists(_words, max_size=6).map(" ".join)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_texts, min_size=1, max_size=6), _texts)
def test_scores_of_any_texts_are_those_of_the_formula(
    tmp_path: Path, texts: list[str], question: str
) -> None:
    lexical = _lexical(tmp_path, texts)
    query = list(terms(question))
    assert len(lexical) == len(texts)
    assert lexical.scores(query).tolist() == pytest.approx(_slow_bm25(query, texts), abs=1e-5)


def test_empty_rows_keep_the_others_in_their_places(lexical: Lexical) -> None:
    assert len(lexical) == len(TEXTS)
    assert [row for row, score in enumerate(lexical.scores(["lora"])) if score] == [0]
    assert [row for row, score in enumerate(lexical.scores(list(terms("Dockerfile")))) if score] == [4]
    assert lexical.scores(list(terms("weights")))[[1, 3]].tolist() == [0, 0]


def test_terms_that_no_row_has_count_nothing(lexical: Lexical) -> None:
    assert lexical.scores(["zebra"]).tolist() == lexical.scores([]).tolist() == [0] * len(TEXTS)
    assert lexical.scores(["zebra", "lora"]).tolist() == lexical.scores(["lora"]).tolist()


def test_document_frequency_counts_rows(lexical: Lexical) -> None:
    frequencies = {term: lexical.document_frequency(term) for term in ("weight", "fine-tun", "lora", "zebra")}
    assert frequencies == {"weight": 4, "fine-tun": 1, "lora": 1, "zebra": 0}


def test_words_are_counted_as_written_but_for_case(lexical: Lexical) -> None:
    assert lexical.word_counts["weights"] == 4
    assert lexical.word_counts["fine-tuning"] == 3
    assert lexical.word_counts["the"] == 3
    assert "LoRA" not in lexical.word_counts


def test_nothing_is_pickled_and_equal_texts_give_equal_words(tmp_path: Path) -> None:
    files = _files(tmp_path / "one", TEXTS)
    assert {Path(name).suffix for name in files} <= {".json", ".npy"}
    assert all(name.startswith("lexical/") for name in files)
    assert not any(data.startswith(b"\x80") for data in files.values())
    assert _files(tmp_path / "two", TEXTS) == files
    assert json.loads(files["lexical/words.json"])["lora"] == 1


ROWS = (  # place, headings, own words
    ("a", "Metals\n", "Iron rusts."),
    ("a", "Metals\n", "Copper turns green."),
    ("a", "Metals\n", "Gold stays."),
    ("b", "Woods\n", "Oak is hard."),
    (None, "", "Pine is soft."),
    (None, "", "Ash bends."),
)


@pytest.mark.parametrize(
    ("around", "asked", "found"),
    [
        (0, "copper", {1}),
        (1000, "copper", {0, 1, 2}),  # its neighbours of the same place have it, others have not
        (1000, "oak", {3}),
        (1000, "pine", {4}),  # without a place there are no neighbours
        (1000, "metals", {0, 1, 2}),
        (len("Iron rusts.") + len("Copper turns green."), "gold", {2}),  # no room for two neighbours
        (len("Copper turns green.") + len("Gold stays."), "iron", {0, 1}),  # the row before comes first
    ],
)
def test_a_row_is_found_by_the_words_around_it_as_far_as_there_is_room(
    around: int, asked: str, found: set[int], tmp_path: Path
) -> None:
    builder = LexicalBuilder(around_chars=around)
    for place, headings, own in ROWS:
        builder.add(headings + own, n_own=len(own), place=place)
    for name, content in builder.files(tmp_path / "scratch").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_bytes(content))
    scores = Lexical(tmp_path).scores(terms(asked))
    assert {row for row, score in enumerate(scores) if score > 0} == found


def test_headings_count_once_however_many_neighbours_a_row_has(tmp_path: Path) -> None:
    builder = LexicalBuilder(around_chars=1000)
    for _, headings, own in ROWS[:3]:
        builder.add(headings + own, n_own=len(own), place="a")
    builder.add("Metals metals metals metals", place=None)
    for name, content in builder.files(tmp_path / "scratch").items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content_bytes(content))
    scores = Lexical(tmp_path).scores(terms("metals"))
    assert scores[3] > max(scores[:3])
