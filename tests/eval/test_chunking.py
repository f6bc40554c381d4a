"""chunking_evaluation's measures against sets of characters, and the published set-up against its known figures."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.chunking import ChunkingSet, Range, SpanQuestion, load_chunking, measure_passages, overlap
from eval.chunking_report import WAYMARK, chunking_outcome
from eval.chunking_run import opened, raw_places, retrieve
from eval.compare import compare_rows
from eval.floors import check_values, load_floors
from eval.options import FLOORS
from ingest.loaders.plain import load_plain
from rag.embed import PACKAGED, open_embedder
from rag.errors import QuestionSetError
from rag.retrieve import Weights
from rag.settings import Settings
from rag.testing import FakeEmbedder

texts = st.sampled_from("ab")
spans = st.tuples(st.integers(0, 40), st.integers(1, 15)).map(lambda pair: (pair[0], pair[0] + pair[1]))
ranges = st.builds(lambda text, span: Range(text, *span), texts, spans)


def _apart(found: list[Range]) -> list[Range]:
    kept: list[Range] = []
    for one in found:
        if all(one.text != other.text or one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return kept


def _characters(of: list[Range]) -> set[tuple[str, int]]:
    return {(one.text, n) for one in of for n in range(one.start, one.end)}


@given(st.lists(ranges, min_size=1, max_size=4).map(_apart), st.lists(ranges, max_size=6))
def test_recall_precision_and_iou_are_those_of_sets_of_characters(
    wanted: list[Range], found: list[Range]
) -> None:
    hit = len(_characters(wanted) & _characters(found))
    n_found = sum(
        one.end - one.start for one in found
    )  # twice where two passages overlap, as the set's authors do
    recall, precision, iou = overlap(wanted, found)
    missed = len(_characters(wanted)) - hit
    assert recall == pytest.approx(hit / len(_characters(wanted)))
    assert precision == pytest.approx(hit / n_found if n_found else 0)
    assert iou == pytest.approx(hit / (n_found + missed))


def test_means_are_over_questions_and_only_the_first_passages_count() -> None:
    questions = [
        SpanQuestion(question="?", text="a", ranges=(Range("a", 0, 10),)),
        SpanQuestion(question="?", text="b", ranges=(Range("b", 0, 10),)),
    ]
    elsewhere = [Range("a", 50 + n, 51 + n) for n in range(5)]
    passages = [[Range("a", 0, 10)], [*elsewhere, Range("b", 0, 10)]]
    measured = measure_passages(questions, passages)
    assert (measured.recall_5, measured.recall_10, measured.n) == (50, 100, 2)
    assert measure_passages(questions, passages, of="b".__eq__).recall_5 == 0


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        (None, "questions_df.csv"),
        ("question,references,corpus_id\n", "that are not there"),
        ('question,references,corpus_id\nWhy?,"[{}]",one\n', "start_index"),
        ('question,references,corpus_id\nWhy?,"[]",two\n', "two"),
    ],
)
def test_a_set_that_is_not_whole_is_refused(csv: str | None, message: str, tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    (tmp_path / "corpora" / "one.md").write_text("Because.")
    if csv is not None:
        (tmp_path / "questions_df.csv").write_text(csv)
    with pytest.raises(QuestionSetError, match=message):
        load_chunking(tmp_path)


def test_without_the_set_the_command_to_name_it_is_told() -> None:
    with pytest.raises(QuestionSetError) as caught:
        load_chunking(None)
    assert "WAYMARK_EVAL_DATA" in caught.value.hint


@pytest.mark.parametrize(
    "raw",
    [
        "One  two.\nThree\tfour.\n\n* five\n* six",
        "Ünïcode “quotes” stay.",
        "a\u200bb c",
        "  lead and trail  ",
    ],
)
def test_characters_of_a_loaded_text_are_traced_to_the_raw_one(raw: str) -> None:
    text = load_plain(raw.encode(), path="a.txt").text
    places = raw_places(text, raw)
    traced = [(text[n], raw[place]) for n, place in enumerate(places) if place >= 0]
    assert all(here == there for here, there in traced)
    assert (
        sum(not character.isspace() for character in raw) - len(traced) <= 2
    )  # bullets change, what is unseen goes
    assert sorted(place for place in places if place >= 0) == [place for place in places if place >= 0]


def test_what_waymark_finds_are_ranges_of_the_raw_texts(tmp_path: Path) -> None:
    raw = {"a": "Zebras  graze\nat dawn.\n\n" + "Nothing here. " * 30, "b": "Lions sleep."}
    wanted = Range("a", 0, len("Zebras  graze\nat dawn."))
    data = ChunkingSet(
        texts=raw, questions=(SpanQuestion(question="When do zebras graze?", text="a", ranges=(wanted,)),)
    )
    embedder = FakeEmbedder()
    with opened(raw, embedder, home=tmp_path, progress=lambda *_: None) as index:
        found = retrieve(index, data, embedder, k=4, weights=Weights())
    assert overlap((wanted,), found[0][:1])[0] == 1
    outcome = chunking_outcome(data, {WAYMARK: found}, facts=["a fact"], provenance={"embedder": "fake"})
    assert outcome.values["recall_5"] == 100
    assert json.dumps(outcome.details)
    assert compare_rows(outcome.rows, outcome.rows).n_both == 1


@pytest.mark.slow
@pytest.mark.shared
@pytest.mark.timeout(900)
def test_the_usual_set_up_has_its_known_figures_and_waymark_keeps_its_floors(
    shared: Path, home: Path
) -> None:
    """Ten minutes of embedding where nothing is cached."""
    from eval import baseline

    data = load_chunking(shared / "data" / "chunking_evaluation")
    embedder = open_embedder(PACKAGED, home=home)
    asked = [one.question for one in data.questions]
    usual = baseline.retrieve(data.texts, asked, embedder, home=home)
    known = {
        "MiniLM": (76.7, 86.2, 5.39),
        "BM25": (87.2, 93.4, 5.71),
        "score fusion, 0.4 dense": (88.3, 93.4, 5.89),
    }
    for name, figures in known.items():
        one = measure_passages(data.questions, usual[name])
        assert (one.recall_5, one.recall_10, one.iou_5) == pytest.approx(figures, abs=0.5)
    settings = Settings(home=home)
    with opened(data.texts, embedder, home=home, progress=lambda *_: None) as index:
        weights = Weights(dense=settings.others_dense_weight)
        ours = measure_passages(
            data.questions, retrieve(index, data, embedder, k=settings.passages, weights=weights)
        )
    values = {"recall_5": ours.recall_5, "recall_10": ours.recall_10, "iou_5": ours.iou_5}
    assert check_values(values, load_floors(FLOORS, kind="chunking")) == ()
