"""The extractive answerer: works cited as it gives them."""

from ingest.assemble import CitedWork, Piece
from rag.schema import BlockKind
from tests.rag.composing import PLAIN, PROSE, answer_texts, make_document


def _entry(number: int) -> Piece:
    return Piece(
        text=f"Paper {number}, https://example.org/{number}", kind=BlockKind.ENTRY, marker=f"{number}."
    )


CITING = make_document(
    Piece(text="Adapters save memory. They are small.", marks=((21, 1), (37, 2))),
    Piece(text="Caches answer twice.", marks=((20, 3),)),
    *(_entry(number) for number in (1, 2, 3)),
    works=tuple(
        CitedWork(
            number=number,
            title=f"Paper {number}",
            url="",
            text_fragment=None,
            accessed=None,
            piece=number + 1,
        )
        for number in (1, 2, 3)
    ),
)
CITED = {"Adapters": 0.9, "Paper 1": 0.6, "Paper 2": 0.59, "Paper 3": 0.58, "They": 0.7, "Caches": 0.5}
ENTRY_1, ENTRY_2, ENTRY_3 = (f"Paper {number}, https://example.org/{number}" for number in (1, 2, 3))


def test_a_question_about_sources_gets_the_passage_and_the_works_that_it_cites() -> None:
    assert answer_texts("Which source says that adapters save memory?", CITING, cosines=CITED) == [
        "Adapters save memory.",
        ENTRY_1,
    ]
    assert answer_texts(
        "Which source says that they are small?", CITING, cosines={**CITED, "They": 0.95}
    ) == [
        "They are small.",
        ENTRY_2,
    ]


def test_a_work_asked_for_by_number_is_given_alone() -> None:
    assert answer_texts("What is reference 3?", CITING, cosines=CITED) == [ENTRY_3]


def test_works_that_match_as_well_as_the_best_one_are_given_without_a_passage() -> None:
    cosines = {"Paper 2": 0.9, "Paper 3": 0.85, "Paper 1": 0.5}
    assert answer_texts("Which source is on papers?", CITING, cosines=cosines) == [ENTRY_2, ENTRY_3]
    cosines = {"Paper 2": 0.9, "Paper 3": 0.7, "Paper 1": 0.5}
    assert answer_texts("Which source is on papers?", CITING, cosines=cosines) == [ENTRY_2]


def test_a_question_about_sources_over_a_document_without_any_is_answered_from_its_sentences() -> None:
    assert answer_texts("Which source mentions momentum?", PROSE, cosines={"Momentum": 0.9}, style=PLAIN) == [
        "Momentum smooths the path."
    ]
