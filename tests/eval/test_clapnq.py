"""Evidence sentences of CLAPNQ, and statements told from their changed forms, on the real set."""

from pathlib import Path

import numpy as np
import pytest

from eval.bootstrap import interval
from eval.clapnq import Asked, Item, answerability, baselines, load_asked, load_items, measure
from eval.pairs import answer_pairs, check_pairs, overall_auroc, quote_pairs, tell
from eval.perturb import Change
from rag.embed.minilm import open_minilm
from rag.errors import QuestionSetError
from rag.ground.embedded import EmbeddedChecker, load_model
from rag.testing import FakeEmbedder


def item(gold: set[int], n: int = 4) -> Item:
    return Item(
        id="1", question="q", answer="a", title="t", sentences=tuple("abcdefgh"[:n]), gold=frozenset(gold)
    )


def test_precision_and_recall_are_pooled_and_averaged() -> None:
    chosen = measure([item({0}), item({0, 1, 2})], lambda one: frozenset({0, 1}))
    assert (chosen.precision.mean, chosen.recall.mean) == (3 / 4, 3 / 4)
    assert (chosen.mean_precision, chosen.mean_recall) == (3 / 4, pytest.approx(5 / 6))
    assert chosen.f1 == 3 / 4


def test_a_question_for_which_nothing_is_chosen_costs_recall() -> None:
    chosen = measure([item({0}), item({1})], lambda one: one.gold & {0})
    assert (chosen.precision.mean, chosen.recall.mean) == (1.0, 0.5)


def test_the_interval_of_the_f1_of_means_holds_it_and_repeats_itself() -> None:
    items = [item({n % 4}) for n in range(40)]
    chosen, again = (measure(items, lambda one: frozenset({0, 1})) for _ in range(2))
    found = chosen.mean_f1
    assert found.low < found.mean < found.high
    assert found == again.mean_f1


def test_an_interval_of_any_figure_is_that_of_the_mean_where_it_is_the_mean() -> None:
    values = np.arange(20.0)
    found = interval(lambda drawn: float(values[drawn].mean()), n=20)
    assert (found.mean, found.n) == (9.5, 20)
    assert found == interval(lambda drawn: float(values[drawn].mean()), n=20)
    assert 6 < found.low < 9.5 < found.high < 13


def test_passages_that_share_the_questions_words_are_told_from_others() -> None:
    def asked(question: str, passage: str, *, answerable: bool) -> Asked:
        return Asked(question=question, title="t", passage=passage, answerable=answerable)

    pairs = [asked(f"word{n} other{n}", f"word{n} other{n} here", answerable=True) for n in range(20)]
    pairs += [asked(f"word{n} other{n}", "nothing of the kind", answerable=False) for n in range(20)]
    found = answerability(pairs, FakeEmbedder(dim=1024))
    assert {auroc.mean for auroc in found.values()} == {1.0}
    turned = [asked(one.question, one.passage, answerable=not one.answerable) for one in pairs]
    assert {auroc.mean for auroc in answerability(turned, FakeEmbedder(dim=1024)).values()} == {0.0}


def test_a_folder_without_the_set_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuestionSetError, match="CLAPNQ"):
        load_items(tmp_path)


@pytest.mark.shared
def test_baselines_without_a_model_are_what_they_are_known_to_be(shared: Path) -> None:
    items = load_items(shared)
    assert (len(items), sum(len(one.sentences) for one in items)) == (150, 1036)
    every = measure(items, lambda one: frozenset(range(len(one.sentences))))
    # Measured elsewhere on another draw of the set: not the same figure, but inside the interval of this one.
    assert every.mean_f1.low < 0.634 < every.mean_f1.high
    three = measure(items, lambda one: frozenset(range(min(3, len(one.sentences)))))
    assert three.mean_f1.mean == pytest.approx(0.520, abs=0.005)
    asked = load_asked(shared)
    assert (len(asked), sum(one.answerable for one in asked)) == (300, 150)


@pytest.mark.shared
@pytest.mark.slow
def test_the_floors_of_the_embedded_checker_hold(shared: Path, home: Path) -> None:
    items, embedder = load_items(shared), open_minilm("", home=home)
    checker = EmbeddedChecker(embedder)
    chosen = measure(items, lambda one: frozenset(checker.choose(one.answer, one.sentences)))
    nearest = measure(items, baselines(embedder)["top 3 by cosine with the answer"])
    assert chosen.f1 >= 0.67
    assert chosen.precision.mean >= 0.62
    assert chosen.f1 > nearest.f1
    threshold = load_model().threshold
    for pairs in (quote_pairs(items), answer_pairs(items)):
        scores = check_pairs(checker, pairs)
        told = {kind.kind: kind for kind in tell(pairs, scores, threshold=threshold)}
        assert overall_auroc(pairs, scores) >= 0.90
        assert told["swapped"].right >= 0.97
        for change in Change:
            apart = told[change.value].apart
            assert apart is not None
            assert apart >= 0.90
        assert np.isfinite(scores).all()
