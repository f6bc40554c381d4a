"""The embedded checker on sentences that a person can judge at a glance."""

import pytest

from rag.embed import Embedder
from rag.ground import Stance, open_checker
from rag.settings import Settings

EVIDENCE = (
    "LoRA freezes the pre-trained weights and trains two small matrices.",
    "It cuts the trainable parameters of GPT-3 by 10,000 times.",
    "Dropout is used during training only.",
)


@pytest.mark.parametrize(
    ("statement", "stance", "evidence"),
    [
        ("LoRA freezes the pre-trained weights and trains two small matrices.", Stance.SUPPORTED, 0),
        ("LoRA trains two small matrices and freezes the pre-trained weights.", Stance.SUPPORTED, 0),
        ("It cuts the trainable parameters of GPT-3 by 10000 times.", Stance.SUPPORTED, 1),
        ("LoRA does not freeze the pre-trained weights.", Stance.CONTRADICTED, 0),
        ("It cuts the trainable parameters of GPT-3 by 1,000 times.", Stance.CONTRADICTED, 1),
    ],
)
def test_a_statement_gets_its_stance_and_the_sentence_it_rests_on(
    embedder: Embedder, statement: str, stance: Stance, evidence: int
) -> None:
    support = open_checker(embedder, Settings()).check(statement, EVIDENCE)
    assert (support.stance, support.evidence) == (stance, evidence)


def test_another_topic_is_not_found(embedder: Embedder) -> None:
    support = open_checker(embedder, Settings()).check("Bananas are rich in potassium.", EVIDENCE)
    assert support.stance is Stance.NOT_FOUND
    assert support.score < 0.2


def test_no_evidence_supports_nothing(embedder: Embedder) -> None:
    support = open_checker(embedder, Settings()).check("LoRA freezes the weights.", ())
    assert (support.stance, support.evidence) == (Stance.NOT_FOUND, None)


def test_the_reason_names_the_number_that_is_not_there(embedder: Embedder) -> None:
    support = open_checker(embedder, Settings()).check(
        "It cuts the parameters of GPT-3 by 42 times.", EVIDENCE
    )
    assert any("42" in reason for reason in support.reasons)


@pytest.mark.parametrize("statement", EVIDENCE)
def test_a_quote_is_all_but_certain(embedder: Embedder, statement: str) -> None:
    assert open_checker(embedder, Settings()).check(statement, EVIDENCE).score >= 0.99


BOOSTING = (
    "Each new tree is trained to correct the 3 largest errors made by the previous trees in gradient boosting.",
)


@pytest.mark.parametrize(
    ("statement", "stance"),
    [
        (
            "Gradient boosting adds trees one after another, each meant to fix the mistakes of those before it.",
            Stance.SUPPORTED,
        ),
        (
            "Gradient boosting adds 50 trees one after another, each meant to fix the mistakes before it.",
            Stance.NOT_FOUND,
        ),
        ("Gradient boosting needs many trees, which are slow to train.", Stance.NOT_FOUND),
    ],
)
def test_a_paraphrase_is_support_unless_something_speaks_against_it(
    embedder: Embedder, statement: str, stance: Stance
) -> None:
    assert open_checker(embedder, Settings()).check(statement, BOOSTING).stance is stance
