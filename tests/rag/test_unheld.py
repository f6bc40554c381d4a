"""Words of a question that no close passage has, over the index of the roadmap."""

import pytest

from rag.assistant import Assistant
from rag.query import make_query
from rag.unheld import Foreign, foreign_words


def _foreign(assistant: Assistant, question: str) -> Foreign:
    hits = assistant.search(question)
    return foreign_words(
        make_query(question), hits, assistant.index, assistant.embedder, weigh=lambda term: float(len(term))
    )


def test_a_question_in_the_words_of_a_close_passage_has_none(assistant: Assistant) -> None:
    assert _foreign(assistant, "What does the LoRA method freeze?") == Foreign()


def test_a_word_that_no_close_passage_has_draws_the_question_away(assistant: Assistant) -> None:
    foreign = _foreign(assistant, "PyTorch or MXNet for research?")
    assert "mxnet" in foreign.words
    assert "pytorch" not in foreign.words
    assert foreign.pull > 0


def test_words_come_in_the_order_of_their_weight(assistant: Assistant) -> None:
    assert _foreign(assistant, "Does LoRA like aubergines with figs?").words[:1] == ("aubergines",)


def test_where_every_word_is_foreign_nothing_is_left_to_compare(assistant: Assistant) -> None:
    assert _foreign(assistant, "zwetschgenknödel").pull == 0.0


def test_the_pull_has_a_limit(assistant: Assistant) -> None:
    long = "Does LoRA, aubergines, figs, sourdough, hedgehogs, submarines and volcanoes, freeze weights?"
    assert _foreign(assistant, long).pull == pytest.approx(0.1, abs=0.1)
    assert _foreign(assistant, long).pull <= 0.1
