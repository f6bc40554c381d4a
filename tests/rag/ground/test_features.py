"""What the checker sees, for any text whatever."""

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.ground.embedded import EmbeddedChecker, load_model
from rag.ground.features import Features, look
from rag.testing import FakeEmbedder

WORDS = st.lists(
    st.sampled_from(
        "not no 3 three 50 % GPT-4 Meta models train without increase decrease the , . n't".split()
    ),
    max_size=12,
).map(" ".join)
TEXTS = st.one_of(st.text(max_size=60), WORDS)
CAPS = {"no_number": 2.0, "no_name": 3.0, "flipped": 2.0, "denied": 1.0}


@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_features_stay_within_their_ranges(statement: str, evidence: list[str]) -> None:
    seen = look(statement, evidence, np.linspace(0.9, 0.1, len(evidence), dtype=np.float32))
    values = asdict(seen.features)
    assert all(0.0 <= values[name] <= most for name, most in CAPS.items())
    assert all(0.0 <= values[name] <= 1.0 for name in ("held", "order"))
    assert set(seen.counted) <= set(range(len(evidence)))
    assert (seen.best is None) == (not evidence)


@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_a_check_ends_in_a_probability_and_is_repeatable(statement: str, evidence: list[str]) -> None:
    first, second = (EmbeddedChecker(FakeEmbedder()).check(statement, evidence) for _ in range(2))
    assert first == second
    assert 0.0 <= first.score <= 1.0


@given(st.lists(WORDS, min_size=1, max_size=4))
def test_a_quote_is_verbatim_wherever_it_stands(evidence: list[str]) -> None:
    for sentence in evidence:
        if any(c.isalnum() for c in sentence):
            alone = look(sentence, [sentence], np.ones(1, dtype=np.float32))
            assert alone.verbatim
            assert not alone.numbers


@pytest.mark.parametrize(
    "denial", ["It is not true that", "Nobody says that it is false:", "It is a myth that"]
)
def test_words_right_behind_a_denial_are_no_quote(denial: str) -> None:
    told = [f"{denial} models train without labels."]
    assert not look("Models train without labels.", told, np.ones(1, dtype=np.float32)).verbatim


def test_what_two_sentences_say_is_joined() -> None:
    evidence = ["LoRA freezes the weights.", "Bananas are yellow.", "LoRA trains two matrices."]
    seen = look("LoRA freezes the weights and trains two matrices.", evidence, np.array([0.8, 0.1, 0.8]))
    assert set(seen.counted) == {0, 2}
    assert seen.features.held == 1.0


def test_the_model_that_ships_weighs_what_there_is_and_conflicts_count_against() -> None:
    model = load_model()
    assert set(model.coefficients) == set(Features.__dataclass_fields__)
    assert all(model.coefficients[name] < -1 for name in CAPS)
    assert 0.5 <= model.threshold < 1
    assert model.fitted["references"] == "fit.jsonl"  # never a set that is reported
