"""The extractive answerer: which sentences it picks, how many, and in what order."""

from dataclasses import replace

import pytest

from ingest.assemble import Piece
from rag.compose import Style, compose, weigh_sentences
from rag.query import make_query
from rag.schema import BlockKind, Role, Turn
from tests.rag.composing import ITEM, PLAIN, PROSE, answer_texts, make_document, make_hits


def test_nothing_found_gives_no_answer() -> None:
    assert compose(make_query("Why?"), (), document=lambda source_id: PROSE, weigh=lambda term: 1.0) == ()


def test_the_best_sentence_leads_and_poor_ones_stay_out() -> None:
    assert answer_texts("Why momentum?", PROSE, cosines={"Momentum": 0.9}, style=PLAIN) == [
        "Momentum smooths the path."
    ]


def test_further_sentences_need_their_share_of_the_best_ones_worth() -> None:
    cosines = {"Momentum": 0.9, "Caches": 0.7}
    both = ["Momentum smooths the path.", "Caches answer twice."]
    assert answer_texts("Why momentum?", PROSE, cosines=cosines, style=replace(PLAIN, keep=0.77)) == both
    assert answer_texts("Why momentum?", PROSE, cosines=cosines, style=replace(PLAIN, keep=0.79)) == both[:1]


def test_sentences_come_in_the_order_of_the_document() -> None:
    cosines = {"Caches": 0.9, "Momentum": 0.88, "Noise": 0.86}
    assert answer_texts("Why?", PROSE, cosines=cosines, style=PLAIN) == [
        "Momentum smooths the path.",
        "Noise helps now and then.",
        "Caches answer twice.",
    ]


def test_the_document_of_the_best_sentence_comes_first() -> None:
    other = make_document(Piece(text="Zebras are striped."), path="zoo.txt")
    for best, order in (("Zebras", ["Zebras", "Momentum"]), ("Momentum", ["Momentum", "Zebras"])):
        cosines = {"Zebras": 0.85, "Momentum": 0.85} | {best: 0.9}
        answer = answer_texts("Why?", PROSE, other, cosines=cosines, style=PLAIN)
        assert [sentence.split()[0] for sentence in answer] == order


def test_a_budget_is_kept_and_a_shorter_sentence_may_still_fit() -> None:
    cosines = {"Momentum": 0.9, "Noise": 0.88, "Caches": 0.86}
    fitting = replace(PLAIN, budget_words=8)
    assert answer_texts("Why?", PROSE, cosines=cosines, style=fitting) == [
        "Momentum smooths the path.",
        "Caches answer twice.",
    ]
    assert len(answer_texts("Why?", PROSE, cosines=cosines, style=replace(fitting, budget_words=12))) == 3


def test_the_best_sentence_is_shown_even_if_it_passes_the_budget() -> None:
    style = replace(PLAIN, budget_words=1)
    assert answer_texts("Why?", PROSE, cosines={"Noise": 0.9}, style=style) == ["Noise helps now and then."]


def test_a_neighbour_of_a_chosen_sentence_is_preferred() -> None:
    cosines = {"Momentum": 0.9, "Decay": 0.7, "Queues": 0.72}
    style = replace(PLAIN, budget_words=8)
    assert answer_texts("Why?", PROSE, cosines=cosines, style=replace(style, chunk=0.0, sentence=1.0)) == [
        "Momentum smooths the path.",
        "Queues hold the rest.",
    ]
    near = replace(style, chunk=0.0, sentence=1.0, adjacent=0.1)
    assert answer_texts("Why?", PROSE, cosines=cosines, style=near) == [
        "Momentum smooths the path.",
        "Decay shrinks the weights.",
    ]


def test_a_sentence_of_another_section_is_worth_less() -> None:
    cosines = {"Momentum": 0.9, "Caches": 0.7}
    style = replace(PLAIN, keep=0.77)
    assert len(answer_texts("Why?", PROSE, cosines=cosines, style=style)) == 2
    assert len(answer_texts("Why?", PROSE, cosines=cosines, style=replace(style, aside=0.1))) == 1


def test_what_another_section_loses_depends_on_whether_it_adds_a_term_of_the_question() -> None:
    cosines = {"Momentum": 0.9, "Caches": 0.7}
    style = replace(PLAIN, keep=0.77, aside=0.1)
    for question, n in (("Why momentum with caches?", 2), ("Why momentum with wings?", 1)):
        assert len(answer_texts(question, PROSE, cosines=cosines, style=style)) == n


# Each sentence a chunk of its own where `target` is small: what is pointed back at may lie in the chunk before.
POINTING = make_document(
    Piece(text="1. Trees", level=1, section_id="1"),
    Piece(text="Pruning removes branches. It makes a tree robust. Leaves hold a class."),
)


def test_a_sentence_that_points_back_brings_the_one_before_it() -> None:
    style = replace(PLAIN, keep=0.99)
    assert answer_texts("Why?", POINTING, cosines={"It makes": 0.9}, style=style) == [
        "Pruning removes branches.",
        "It makes a tree robust.",
    ]
    narrow = replace(style, budget_words=7)  # the best sentence is told all the same
    assert answer_texts("Why?", POINTING, cosines={"It makes": 0.9}, style=narrow) == [
        "It makes a tree robust."
    ]
    cosines = {"Leaves": 0.95, "It makes": 0.9}
    for room, n in ((12, 3), (9, 1)):  # together or not at all, behind another
        found = answer_texts(
            "Why?", POINTING, cosines=cosines, style=replace(PLAIN, budget_words=room, keep=0.9)
        )
        assert len(found) == n


def test_a_sentence_whose_antecedent_found_no_room_is_not_told_either() -> None:
    document = make_document(
        Piece(text="1. Trees", level=1, section_id="1"),
        Piece(text="Pruning removes all the branches that add little. It helps. Leaves hold a class."),
    )
    cosines = {"Leaves": 0.95, "Pruning": 0.93, "It helps": 0.9}
    style = replace(PLAIN, budget_words=7)
    assert answer_texts("Why?", document, cosines=cosines, style=style) == ["Leaves hold a class."]


def test_what_is_pointed_back_at_may_lie_in_the_chunk_before() -> None:
    hits = make_hits(POINTING, {"It makes": 0.9}, target=6)
    assert len(hits) > 1
    chosen = compose(
        make_query("Why?"),
        hits,
        document=lambda _: POINTING,
        weigh=lambda _: 1.0,
        style=replace(PLAIN, keep=0.99),
    )
    assert [one.text for one in chosen] == ["Pruning removes branches.", "It makes a tree robust."]


def test_a_comparison_tells_the_item_of_either_side_and_a_follow_up_only_the_one_it_means() -> None:
    document = make_document(
        Piece(text="1. Learning", level=1, section_id="1"),
        Piece(text="Ridge: It shrinks all weights, as lasso does.", kind=ITEM, marker="-", label="Ridge"),
        Piece(text="Noise moves things.", kind=ITEM, marker="-"),
        Piece(text="Lasso: Many weights end at zero.", kind=ITEM, marker="-", label="Lasso"),
    )
    cosines = {"Ridge": 0.9, "Noise": 0.88, "Lasso": 0.3}
    style = replace(PLAIN, budget_words=14)
    assert [
        one.split(":")[0] for one in answer_texts("Ridge vs lasso?", document, cosines=cosines, style=style)
    ] == [
        "Ridge",
        "Lasso",
    ]
    history = (
        Turn(role=Role.USER, text="What is lasso?"),
        Turn(role=Role.ASSISTANT, text="Many weights end at zero."),
    )
    asked = answer_texts(
        "what does it do differently?", document, cosines=cosines, style=style, history=history
    )
    assert asked[0].startswith("Ridge")


def test_a_comparison_of_what_sections_are_named_after_tells_both_of_them() -> None:
    document = make_document(
        Piece(text="1.1. Ridge (RR): Small Weights", level=1, section_id="1.1"),
        Piece(text="It shrinks all weights."),
        Piece(text="1.2. Lasso: Few Weights", level=1, section_id="1.2"),
        Piece(text="Many weights end at zero."),
        Piece(text="1.3. Nets", level=1, section_id="1.3"),
        Piece(text="Elastic nets stand between them."),
    )
    cosines = {"Elastic": 0.9, "It shrinks": 0.5, "Many": 0.3}
    style = replace(PLAIN, budget_words=9)
    assert answer_texts("Lasso vs ridge?", document, cosines=cosines, style=style) == [
        "It shrinks all weights.",
        "Many weights end at zero.",
    ]
    assert answer_texts("Lasso vs RR?", document, cosines=cosines, style=style) == [
        "It shrinks all weights.",
        "Many weights end at zero.",
    ]
    assert answer_texts("Lasso vs boosting?", document, cosines=cosines, style=style) == [
        "Elastic nets stand between them."
    ]


def test_a_work_cited_is_no_answer_to_what_asks_for_none() -> None:
    document = make_document(
        Piece(text="Momentum smooths the path."),
        Piece(text="Works cited", level=1, section_id="works_cited"),
        Piece(text="1. Momentum - An Encyclopedia", kind=BlockKind.ENTRY, marker="1."),
    )
    cosines = {"Momentum - ": 0.9, "Momentum": 0.5}
    assert answer_texts("How does momentum work?", document, cosines=cosines, style=PLAIN) == [
        "Momentum smooths the path."
    ]


def test_a_sentence_that_holds_what_is_still_missing_is_preferred() -> None:
    cosines = {"Momentum": 0.9, "Caches": 0.6, "Decay": 0.61}
    style = replace(PLAIN, budget_words=8, chunk=0.0, sentence=1.0, keep=0.6)
    question = "Why momentum with caches?"
    assert "Decay shrinks the weights." in answer_texts(question, PROSE, cosines=cosines, style=style)
    fresh = answer_texts(question, PROSE, cosines=cosines, style=replace(style, fresh=0.5))
    assert fresh == ["Momentum smooths the path.", "Caches answer twice."]


def test_a_comparison_tells_both_sides() -> None:
    cosines = {"Momentum": 0.9, "Decay": 0.62, "Caches": 0.55}
    style = Style(budget_words=8, chunk=0.0, sentence=1.0)
    assert answer_texts("Why do momentum and caches matter?", PROSE, cosines=cosines, style=style) == [
        "Momentum smooths the path.",
        "Decay shrinks the weights.",
    ]
    assert answer_texts("Momentum vs caches?", PROSE, cosines=cosines, style=style) == [
        "Momentum smooths the path.",
        "Caches answer twice.",
    ]


def test_terms_of_the_question_count_by_their_weight() -> None:
    cosines = {"Momentum": 0.5, "Caches": 0.5}
    for heavy, first in (("momentum", "Momentum smooths the path."), ("cach", "Caches answer twice.")):
        ranked = weigh_sentences(
            make_query("Why momentum and caches?"),
            make_hits(PROSE, cosines),
            weigh=lambda term, heavy=heavy: 9.0 if term == heavy else 1.0,  # type: ignore[misc]
            style=Style(),
        )
        assert ranked[0].text == first
        assert ranked[0].worth - ranked[1].worth == pytest.approx(Style().coverage * 0.8)


def test_a_follow_up_is_not_answered_with_what_was_just_said() -> None:
    cosines = {"Momentum": 0.9, "Decay": 0.85}
    history = (
        Turn(role=Role.USER, text="Why?"),
        Turn(role=Role.ASSISTANT, text="Momentum smooths the path."),
    )
    style = replace(PLAIN, keep=0.99, repeats=0.3, chunk=0.0, sentence=1.0)
    assert (
        answer_texts("And otherwise?", PROSE, cosines=cosines, style=style)[0] == "Momentum smooths the path."
    )
    assert answer_texts("And otherwise?", PROSE, cosines=cosines, style=style, history=history) == [
        "Decay shrinks the weights."
    ]


def test_ties_go_to_the_earlier_sentence() -> None:
    ranked = weigh_sentences(make_query("Zebras?"), make_hits(PROSE, {}), weigh=lambda term: 1.0, style=PLAIN)
    assert [candidate.place for candidate in ranked] == sorted(candidate.place for candidate in ranked)
