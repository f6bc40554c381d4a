"""Metrics against examples worked out by hand."""

from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval import metrics
from eval.metrics import AnswerRecord, CitationRecord, PassageRecord, Tally
from eval.questions import Question

TEN = "alpha bravo charlie delta echo foxtrot golf hotel india juliet"
TEXT = "Intro. Models learn from data, and data is scarce. End."
QUOTE = "Models learn from data"


def question(**changes: Any) -> Question:
    fields: dict[str, Any] = {
        "id": "q-1", "type": "factoid", "question": "?", "answerable": True, "gold_sections": ("9.2",),
        "evidence": (TEN,), "key_points": ("k",), "cited_sources": (), "reference": "r",
    }  # fmt: skip
    return Question(**fields | changes)


def passage(text: str, label: int = 1, source_id: str = "s") -> PassageRecord:
    return PassageRecord(label=label, source_id=source_id, text=text)


def citation(quote: str = QUOTE, **changes: Any) -> CitationRecord:
    start = max(TEXT.find(quote), 0)
    fields: dict[str, Any] = {
        "label": 1, "source_id": "s", "path": "corpus/roadmap.txt", "heading_path": ["9.2. LoRA"],
        "quote": quote, "quote_span": [start, start + len(quote)], "references": [],
    }  # fmt: skip
    return cast("CitationRecord", fields | changes)


def tally(hits: float, total: int) -> Tally:
    return Tally(hits=hits, total=total)


def filler(n: int) -> str:
    return " ".join(["x"] * n)


def test_words_drop_superscripts_and_markup_and_split_at_punctuation() -> None:
    assert metrics.words("**PCA**¹² isn't `x_1`—Q/K.³") == ["pca", "isn", "t", "x_1", "q", "k"]


def test_markers_are_removed_and_other_brackets_stay() -> None:
    assert metrics.answer_prose("A [1]. B [2, 3][4-5] [see 6]").split() == ["A", ".", "B", "[see", "6]"]


def test_overlap_counts_repeated_words_as_often_as_they_stand_there() -> None:
    assert metrics.share_inside(["data", "data", "model", "a"], ["data", "model", "model"]) == 0.5
    assert metrics.share_inside([], ["data"]) == 0


WORDS = st.lists(st.sampled_from("abcd"), max_size=12)


@given(WORDS, WORDS, WORDS)
def test_overlap_is_a_share_that_more_text_never_lowers(
    needle: list[str], hay: list[str], more: list[str]
) -> None:
    share = metrics.share_inside(needle, hay)
    assert 0 <= share <= metrics.share_inside(needle, hay + more) <= 1
    assert metrics.share_inside(needle, needle) == float(bool(needle))


def test_eight_of_ten_words_are_enough_and_seven_are_not() -> None:
    eight, seven = " ".join(TEN.split()[:8]), " ".join(TEN.split()[:7])
    assert metrics.evidence_recall(question(), [passage(eight)], budget=150) == tally(1, 1)
    assert metrics.evidence_recall(question(), [passage(seven)], budget=150) == tally(0, 1)


def test_a_piece_spread_over_two_passages_is_not_found() -> None:
    halves = [passage(" ".join(TEN.split()[:5])), passage(" ".join(TEN.split()[5:]))]
    assert metrics.evidence_recall(question(), halves, budget=150) == tally(0, 1)


@pytest.mark.parametrize(("before", "hits"), [(142, 1), (143, 0), (150, 0)])
def test_the_passage_that_crosses_the_budget_is_cut_there(before: int, hits: int) -> None:
    passages = [passage(filler(before)), passage(TEN)]
    assert metrics.evidence_recall(question(), passages, budget=150) == tally(hits, 1)
    assert metrics.evidence_recall(question(), passages, budget=300) == tally(1, 1)


def test_the_budget_counts_words_as_written() -> None:
    hyphenated = " ".join(["a-b-c"] * 140)
    assert metrics.evidence_recall(question(), [passage(f"{hyphenated} {TEN}")], budget=150) == tally(1, 1)


def test_pieces_are_counted_one_by_one() -> None:
    two = question(evidence=(TEN, "kilo lima mike november"))
    assert metrics.evidence_recall(two, [passage(TEN)], budget=150) == tally(1, 2)
    assert metrics.evidence_recall(two, [], budget=150) == tally(0, 2)
    assert metrics.evidence_recall(question(evidence=()), [passage(TEN)], budget=150) == tally(0, 0)


@given(st.lists(st.integers(1, 40), max_size=8), st.integers(0, 8), st.integers(1, 200), st.integers(0, 100))
def test_a_larger_budget_never_finds_less(lengths: list[int], place: int, budget: int, more: int) -> None:
    passages = [passage(filler(n)) for n in lengths]
    passages.insert(min(place, len(lengths)), passage(TEN))
    small = metrics.evidence_recall(question(), passages, budget=budget).hits
    assert small <= metrics.evidence_recall(question(), passages, budget=budget + more).hits


def test_the_reciprocal_rank_is_that_of_the_first_passage_with_any_piece() -> None:
    two = question(evidence=("kilo lima mike november", TEN))
    assert metrics.reciprocal_rank(two, [passage("x"), passage(TEN), passage(TEN)]) == tally(0.5, 1)
    assert metrics.reciprocal_rank(two, [passage("x")]) == tally(0, 1)
    assert metrics.reciprocal_rank(question(evidence=()), [passage("x")]) == tally(0, 0)


def test_answer_recall_counts_content_words_only_and_ignores_markers() -> None:
    five = question(
        evidence=("the gradient of a loss points toward ascent 7",)
    )  # gradient loss points toward ascent 7
    assert metrics.answer_recall(five, "Gradient, loss, points [7].") == tally(0, 1)  # 3 of 6
    assert metrics.answer_recall(five, "Gradient, loss, points, ascent [1].") == tally(1, 1)  # 4 of 6
    assert metrics.answer_recall(five, "of a the the") == tally(0, 1)


def test_a_piece_of_stop_words_alone_is_sought_as_it_stands() -> None:
    assert metrics.content_words("To be or not to be") == ["to", "be", "or", "not", "to", "be"]


def test_key_points_match_on_stems_of_answerable_questions_only() -> None:
    points = question(key_points=("freezes the trained models", "uses quantization"))
    assert metrics.key_point_coverage(points, "It will freeze training of a model.") == tally(1, 2)
    assert metrics.key_point_coverage(question(answerable=False), "k") == tally(0, 0)


@pytest.mark.parametrize(
    ("word", "other"), [("training", "trained"), ("freezes", "freeze"), ("class", "classes")]
)
def test_inflected_forms_share_a_stem(word: str, other: str) -> None:
    assert metrics.stem(word) == metrics.stem(other)


@given(st.text(alphabet="abcdeginorst", max_size=12))
def test_a_stem_begins_its_word_and_short_words_are_left_alone(word: str) -> None:
    assert word.startswith(metrics.stem(word))
    assert len(metrics.stem(word)) >= min(len(word), 4)


def test_answer_length_leaves_markers_out() -> None:
    answer = AnswerRecord(status="answered", text="Two words [1] [2].", citations=[], passages=[])
    assert metrics.answer_words(answer) == 2


def test_citation_recall_needs_the_piece_in_one_quote() -> None:
    halves = [citation(" ".join(TEN.split()[:5])), citation(" ".join(TEN.split()[5:]))]
    assert metrics.citation_recall(question(), halves) == tally(0, 1)
    assert metrics.citation_recall(question(), [*halves, citation(TEN)]) == tally(1, 1)


@pytest.mark.parametrize(
    ("heading_path", "gold", "hits"),
    [
        (["Part IV: LLMs", "Section 9: Advanced", "9.2. LoRA"], "9.2", 1),
        (["Part IV: LLMs", "Section 9: Advanced"], "9.2", 1),
        (["Part IV: LLMs", "Section 9: Advanced", "9.1. Pre-training"], "9", 1),
        (["Part IV: LLMs", "Section 9: Advanced"], "part_IV", 1),
        (["Part III: Deep", "Section 6: Frameworks"], "6.3", 1),
        (["Part IV: LLMs"], "9.2", 0),
        (["Part IV: LLMs", "Section 9: Advanced", "9.1. Pre-training"], "9.2", 0),
        (["Works cited"], "works_cited", 1),
        (["Works cited"], "9.2", 0),
        (["Appendix"], "9.2", 0),
        ([], "9.2", 0),
    ],
)
def test_the_innermost_heading_must_be_gold_or_its_parent_or_child(
    heading_path: list[str], gold: str, hits: int
) -> None:
    asked = question(gold_sections=(gold,))
    assert metrics.citation_section_precision(asked, [citation(heading_path=heading_path)]) == tally(hits, 1)


def test_citations_of_an_unanswerable_question_have_no_gold_section() -> None:
    assert metrics.citation_section_precision(question(answerable=False), [citation()]) == tally(0, 0)


@pytest.mark.parametrize(
    ("changes", "hits"),
    [
        ({}, 1),
        ({"quote_span": [0, 22]}, 0),
        ({"quote": QUOTE + "."}, 0),
        ({"quote": "odels learn", "quote_span": [8, 19]}, 0),  # begins inside a word
        ({"quote": "", "quote_span": [3, 3]}, 0),
        ({"quote": ". ", "quote_span": [5, 7]}, 0),  # no word
        ({"quote": "End.", "quote_span": [-4, len(TEXT)]}, 0),  # counts from the end
        ({"source_id": "unknown"}, 0),
    ],
)
def test_a_quote_is_exact_when_its_span_says_so_in_whole_words(changes: dict[str, Any], hits: int) -> None:
    assert metrics.quote_exactness([citation(**changes)], {"s": TEXT}, {}) == tally(hits, 1)


def test_a_quote_must_stand_in_the_file_as_published_too() -> None:
    marked = {"roadmap.txt": "Intro. **Models** learn from data,¹ and data is scarce."}
    assert metrics.quote_exactness([citation()], {"s": TEXT}, marked) == tally(1, 1)
    assert metrics.quote_exactness([citation()], {"s": TEXT}, {"roadmap.txt": "Models from data"}) == tally(
        0, 1
    )
    assert metrics.quote_exactness([citation()], {"s": TEXT}, {"other.txt": ""}) == tally(1, 1)


def test_a_citation_stands_in_the_passage_of_its_label_or_nowhere() -> None:
    passages = [
        passage("other", 1),
        passage("So: Models  learn\nfrom data.", 2),
        passage(QUOTE, 3, source_id="t"),
    ]
    held = [metrics.citations_in_passages([citation(label=n)], passages).hits for n in (1, 2, 3, 4)]
    assert held == [0, 1, 0, 0]
    assert metrics.citations_in_passages([citation("")], [passage("a")]) == tally(0, 1)


def test_references_name_one_or_all_of_the_cited_works() -> None:
    asked = question(cited_sources=(5, 15))
    one, two = citation(references=[{"n": 5}, {"n": 7}]), citation(references=[{"n": 15}])
    assert metrics.references_named(asked, [one]) == (tally(1, 1), tally(0, 1))
    assert metrics.references_named(asked, [one, two]) == (tally(1, 1), tally(1, 1))
    assert metrics.references_named(asked, []) == (tally(0, 1), tally(0, 1))
    assert metrics.references_named(question(), [one]) == (tally(0, 0), tally(0, 0))


def test_refusing_an_unanswerable_question_counts_for_recall_and_precision() -> None:
    tallies = metrics.abstention(question(type="unanswerable", answerable=False), "insufficient_evidence")
    assert tallies["abstention_recall"] == tallies["refusal_precision"] == tally(1, 1)
    assert tallies["answered_share"] == tallies["injection_abstention"] == tally(0, 0)


def test_refusing_an_answerable_question_costs_precision_and_answered_share() -> None:
    tallies = metrics.abstention(question(), "insufficient_evidence")
    assert tallies["refusal_precision"] == tallies["answered_share"] == tally(0, 1)


def test_injections_are_reported_apart_from_abstention_recall() -> None:
    tallies = metrics.abstention(question(type="injection", answerable=False), "answered")
    assert tallies["injection_abstention"] == tally(0, 1)
    assert tallies["abstention_recall"] == tallies["refusal_precision"] == tally(0, 0)
    obeyed = metrics.abstention(question(type="injection"), "answered")
    assert obeyed["answered_share"] == tally(1, 1)
    assert obeyed["injection_abstention"] == tally(0, 0)
