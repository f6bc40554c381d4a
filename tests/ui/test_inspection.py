"""What the inspector shows of an answer: candidates with their scores, what was cut, facts."""

from tests.ui.records import answer, passage
from ui.inspection import inspect_answer


def test_candidates_carry_the_score_of_each_stage_and_whether_they_are_cited() -> None:
    found = inspect_answer(answer(passages=[passage(1), passage(2)]))
    first, second = found.candidates
    assert (first["dense"], first["lexical"], first["fused"], first["rerank"]) == (0.7, 3.1, 0.8, None)
    assert (first["cited"], second["cited"]) == (True, False)


def test_what_a_model_did_not_get_to_read_is_told() -> None:
    (cut,) = inspect_answer(answer(cut=[{"label": 3, "tokens": 120}])).cut
    assert cut == "passage 3: 120 tokens did not fit"


def test_facts_that_an_answer_lacks_are_left_out() -> None:
    facts = dict(inspect_answer(answer()).facts)
    assert facts["answerer"] == "extractive"
    assert facts["retrieval"] == "10 ms"
    assert "strategy" not in facts
    assert dict(inspect_answer({"text": "", "status": "answered"}).facts) == {"status": "answered"}
