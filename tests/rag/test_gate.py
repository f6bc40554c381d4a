"""The evidence gate: its features, its verdict, and the record of its fit."""

import json
import math
from dataclasses import asdict, fields, replace
from pathlib import Path

import pytest

import rag.gate
from rag.asked import Detail
from rag.gate import OTHERS, ROADMAP, Evidence, detail_missing, judge, load_gate, weigh_evidence
from rag.query import make_query
from rag.schema import BlockKind, Chunk, Hit, Role, Scores, Sentence, Span, Turn

NOTHING = Evidence(
    dense=0.0, sentence=0.0, sentence_mean=0.0, held=0.0, names=0.0, works=0.0, no_detail=0.0, foreign=0.0
)
PERFECT = Evidence(
    dense=1.0, sentence=1.0, sentence_mean=1.0, held=1.0, names=0.0, works=0.0, no_detail=0.0, foreign=0.0
)
WORST = Evidence(
    dense=-1.0,
    sentence=-1.0,
    sentence_mean=-1.0,
    held=0.0,
    names=2.0,
    works=0.0,
    no_detail=1.0,
    foreign=0.5,
)


def _hit(
    *sentences: str,
    scores: tuple[float, ...],
    dense: float = 0.0,
    heading: str = "",
    context: str = "",
    kind: BlockKind = BlockKind.PARAGRAPH,
) -> Hit:
    text = " ".join(sentences)
    spans, start = [], 50  # the chunk does not stand at the document's start
    for sentence in sentences:
        spans.append(Span(start=start, end=start + len(sentence)))
        start += len(sentence) + 1
    chunk = Chunk(
        chunk_id="c",
        source_id="s",
        ordinal=0,
        text=text,
        span=Span(start=50, end=50 + len(text)),
        section_id="",
        heading_path=(heading,) if heading else (),
        first_page=None,
        last_page=None,
        n_tokens=1,
        sentences=tuple(Sentence(span=span, kind=kind, block=0, context=context) for span in spans),
    )
    return Hit(
        rank=1,
        row=0,
        chunk=chunk,
        title="T",
        path="t.txt",
        scores=Scores(dense=dense, lexical=0.0, fused=0.0),
        sentence_scores=scores,
    )


def _evidence(
    question: str, *hits: Hit, history: tuple[Turn, ...] = (), names: tuple[str, ...] = ()
) -> Evidence:
    return weigh_evidence(make_query(question, history), hits, weigh=lambda term: 1.0, names=names)


# --- features ------------------------------------------------------------------------------------------------------


def test_without_hits_there_is_no_evidence() -> None:
    assert _evidence("Why does momentum help?") == NOTHING


def test_dense_is_the_best_chunks_cosine_wherever_it_ranks() -> None:
    hits = [_hit("A.", scores=(0.1,), dense=dense) for dense in (0.3, 0.8, 0.5)]
    assert _evidence("Why?", *hits).dense == 0.8


def test_sentence_features_are_the_best_and_the_mean_of_the_best_three_of_all_hits() -> None:
    evidence = _evidence("Why?", _hit("A.", "B.", scores=(0.2, 0.9)), _hit("C.", "D.", scores=(0.6, 0.3)))
    assert evidence.sentence == 0.9
    assert evidence.sentence_mean == pytest.approx((0.9 + 0.6 + 0.3) / 3)
    assert _evidence("Why?", _hit("A.", "B.", scores=(0.2, 0.4))).sentence_mean == pytest.approx(0.3)


def test_held_is_the_share_of_the_best_single_passage_with_what_stands_over_it() -> None:
    question = "Why does momentum smooth gradients?"  # three terms
    one, other = _hit("Momentum.", scores=(0.1,)), _hit("Smoothing.", scores=(0.1,))
    assert _evidence(question, one, other).held == pytest.approx(1 / 3)
    assert _evidence(question, _hit("Momentum.", scores=(0.1,), heading="Gradients")).held == pytest.approx(
        2 / 3
    )
    full = _hit("Momentum.", scores=(0.1,), heading="Gradients", context="Smooth")
    assert _evidence(question, one, full).held == pytest.approx(1.0)


def test_held_counts_terms_by_their_weight() -> None:
    evidence = weigh_evidence(
        make_query("Why does momentum smooth?"),
        [_hit("Momentum.", scores=(0.1,))],
        weigh=lambda term: 3.0 if term == "momentum" else 1.0,
    )
    assert evidence.held == pytest.approx(0.75)


def test_held_looks_at_the_first_five_hits() -> None:
    poor, rich = _hit("Nothing.", scores=(0.1,)), _hit("Momentum.", scores=(0.1,))
    assert _evidence("Momentum?", *[poor] * 4, rich).held == 1.0
    assert _evidence("Momentum?", *[poor] * 5, rich).held == 0.0


def test_a_follow_up_is_held_by_passages_on_what_came_before() -> None:
    history = (Turn(role=Role.USER, text="What is momentum?"),)
    evidence = _evidence("And its drawback?", _hit("Momentum.", scores=(0.1,)), history=history)
    assert evidence.held == pytest.approx(0.5)


@pytest.mark.parametrize(("names", "value"), [((), 0), (("Jax",), 1), (("Jax", "Zig", "Nim"), 2)])
def test_strange_names_are_counted_up_to_two(names: tuple[str, ...], value: int) -> None:
    assert _evidence("Why?", names=names).names == value


@pytest.mark.parametrize("name", ["k-means", "T5", "LoRA", "Lisbon"])
def test_what_is_written_as_a_name_is_one(name: str) -> None:
    assert _evidence(f"Why {name}?", names=(name,)).names == 1.0


@pytest.mark.parametrize(
    ("question", "word"),
    [
        ("whyy?", "whyy"),
        ("Anotating costs a lot", "Anotating"),
        ("got 50k photos", "50k"),
        ("multiply-and-add, why?", "multiply-and-add"),
        ("WHAT IS LORA", "LORA"),
    ],
)
def test_what_may_be_a_typing_error_or_an_amount_is_no_name(question: str, word: str) -> None:
    assert _evidence(question, names=(word,)).names == 0.0


def test_a_question_for_works_is_marked() -> None:
    assert _evidence("Which source says so?").works == 1.0
    assert _evidence("Who says so?").works == 0.0


def test_a_detail_that_no_close_sentence_tells_and_the_pull_of_foreign_words_are_passed_on() -> None:
    query = make_query("Why?")
    evidence = weigh_evidence(query, [], weigh=lambda term: 1.0, no_detail=True, foreign=0.25)
    assert (evidence.no_detail, evidence.foreign) == (1.0, 0.25)


def test_only_the_best_five_sentences_are_looked_at_for_a_detail() -> None:
    def asked(score: float) -> Detail | None:
        hit = _hit(
            "Some.",
            "Few.",
            "Many.",
            "Most.",
            "All.",
            "It has 12 layers.",
            scores=(0.9, 0.8, 0.7, 0.6, 0.5, score),
        )
        return detail_missing(make_query("How many layers are there?"), [hit])

    assert (asked(0.4), asked(0.55)) == (Detail.COUNT, None)


def test_what_stands_over_a_sentence_says_what_its_figure_is_of() -> None:
    hit = _hit("There are 12.", scores=(0.9,), context="Layers")
    assert detail_missing(make_query("How many layers are there?"), [hit]) is None
    assert detail_missing(make_query("How many heads are there?"), [hit]) is Detail.COUNT


def test_the_day_on_which_a_cited_work_was_read_dates_nothing() -> None:
    query, text = make_query("When was BERT published?"), "BERT, accessed on October 10, 2025"
    assert detail_missing(query, [_hit(text, scores=(0.9,))]) is None
    assert detail_missing(query, [_hit(text, scores=(0.9,), kind=BlockKind.ENTRY)]) is Detail.DATE


def test_who_asks_for_works_asks_for_no_particular() -> None:
    assert detail_missing(make_query("Which source gives the number of layers?"), []) is None


# --- verdict -------------------------------------------------------------------------------------------------------


def test_the_probability_is_logistic_in_the_fitted_coefficients() -> None:
    evidence = replace(NOTHING, sentence=0.5, names=1.0)
    model = load_gate()
    score = model.intercept + 0.5 * model.coefficients["sentence"] + model.coefficients["names"]
    assert judge(evidence).probability == pytest.approx(1 / (1 + math.exp(-score)))


def test_an_answer_needs_the_fitted_threshold() -> None:
    model = load_gate()
    steps = [replace(NOTHING, sentence=n / 50, sentence_mean=n / 50) for n in range(51)]
    verdicts = [judge(evidence) for evidence in steps]
    assert [v.answer for v in verdicts] == [v.probability >= model.threshold for v in verdicts]
    assert {verdict.answer for verdict in verdicts} == {True, False}


@pytest.mark.parametrize("evidence", [NOTHING, PERFECT, WORST])
def test_a_threshold_of_0_answers_everything_and_of_1_refuses_everything(evidence: Evidence) -> None:
    assert judge(evidence, threshold=0.0).answer
    assert not judge(evidence, threshold=1.0).answer


def test_a_threshold_decides_at_its_value() -> None:
    probability = judge(NOTHING).probability
    assert judge(NOTHING, threshold=probability).answer
    assert not judge(NOTHING, threshold=probability + 1e-9).answer


def test_perfect_evidence_is_answered_and_the_worst_refused() -> None:
    assert judge(PERFECT).answer
    assert not judge(WORST).answer


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        ({"sentence": 0.3}, {"sentence": 0.6}),
        ({"sentence_mean": 0.3}, {"sentence_mean": 0.6}),
        ({"names": 1.0}, {"names": 0.0}),
        ({"foreign": 0.1}, {"foreign": 0.0}),
        ({"no_detail": 1.0}, {"no_detail": 0.0}),
    ],
)
def test_each_feature_pulls_the_way_that_it_should(worse: dict[str, float], better: dict[str, float]) -> None:
    low, high = (judge(replace(NOTHING, **change)).probability for change in (worse, better))
    assert low < high


# --- the record ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [ROADMAP, OTHERS])
def test_the_shipped_gates_carry_their_records(name: str) -> None:
    record = json.loads(Path(rag.gate.__file__).with_name(f"{name}.json").read_bytes())
    assert set(record) == {"coefficients", "intercept", "threshold", "fitted"}
    assert list(record["coefficients"]) == [field.name for field in fields(Evidence)] == list(asdict(NOTHING))
    assert 0 < record["threshold"] < 1
    fitted = record["fitted"]
    assert {"n_natural", "n_hard", "cross_validated_auroc", "answered_share", "natural", "hard"} <= set(
        fitted
    )
    assert 0.5 < fitted["cross_validated_auroc"] <= 1
    assert 0 < fitted["answered_share"] <= 1


def test_the_gate_was_fitted_on_no_reported_set() -> None:
    assert {load_gate().fitted["natural"], load_gate().fitted["hard"]} == {"fit.jsonl", "refusal.jsonl"}
    assert load_gate(OTHERS).fitted["natural"] == "others.jsonl"


def test_the_gate_of_other_documents_asks_for_more_likeness_the_more_of_them_there_are() -> None:
    passable = replace(NOTHING, dense=0.35, sentence=0.4, sentence_mean=0.38, held=0.6)
    among = {n: replace(passable, searched=math.log(n)) for n in (5, 10_000)}
    assert judge(passable).answer
    assert judge(among[10_000]) == judge(among[5])  # the roadmap's own gate knows one size
    assert not judge(among[10_000], model=load_gate(OTHERS)).answer
    assert judge(among[5], model=load_gate(OTHERS)).answer
    assert judge(PERFECT, model=load_gate(OTHERS)).answer
