"""Ways of asking a model, with replies that a test wrote."""

import json
from typing import Any

import pytest

from rag.answer import Answer, AnswerStatus
from rag.errors import ServerFailed, SettingsError
from rag.options import AskOptions
from rag.prompt.strategies import STRATEGIES, split_parts
from rag.testing import ScriptedGenerator
from tests.rag.prompt.conftest import Scripted

LORA = "How does LoRA cut memory?"
TRUE = "LoRA drastically reduces the number of trainable parameters [1]."
FALSE = "LoRA was invented by a bird in 1987 [1]."


def _prompt(model: ScriptedGenerator, call: int = -1) -> str:
    return model.seen[call][-1].text


def test_direct_asks_once_with_rule_before_and_reminder_after_the_question(scripted: Scripted) -> None:
    assistant, model = scripted(TRUE)
    answer = assistant.ask(LORA)
    assert answer.text == TRUE
    assert [message.role for message in model.seen[0]] == ["system", "user"]
    assert "End every sentence with the number" in model.seen[0][0].text
    prompt = _prompt(model)
    assert (
        prompt.index("passage [1]") < prompt.index(f"Question: {LORA}") < prompt.rindex("End every sentence")
    )
    assert (answer.provenance.strategy, answer.provenance.generator) == ("direct", "scripted")
    assert answer.usage.completion_tokens == model.count_tokens(TRUE)


def test_step_by_step_shows_nothing_of_its_reasoning_even_while_it_streams(scripted: Scripted) -> None:
    assistant, model = scripted(strategy="step_by_step")
    model.enqueue("<reas", "oning>Passage 1 says [1] so.", "</reasoning>\n", TRUE[:20], TRUE[20:])
    *pieces, answer = assistant.stream(LORA)
    assert isinstance(answer, Answer)
    assert "".join(map(str, pieces)) == answer.text == TRUE
    assert "Passage 1 says" in answer.raw_text
    assert "<reasoning>" in _prompt(model)


def test_a_model_that_reasons_unasked_is_not_shown_doing_so(scripted: Scripted) -> None:
    assistant, _ = scripted(f"<think>Hm.</think>{TRUE}")
    assert assistant.ask(LORA).text == TRUE


def test_reasoning_without_an_end_gives_the_extractive_answer(scripted: Scripted) -> None:
    assistant, _ = scripted("<think>and so on")
    answer = assistant.ask(LORA)
    assert answer.provenance.generator == "extractive"
    assert answer.citations
    assert "wrote no answer" in answer.warnings[-1]


def test_least_to_most_searches_for_each_part_and_composes(scripted: Scripted) -> None:
    assistant, model = scripted(
        "1. What is LoRA?\n2. What is the dying ReLU problem?", TRUE, strategy="least_to_most"
    )
    answer = assistant.ask("What is LoRA and how does it save memory?")
    assert answer.status is AnswerStatus.ANSWERED
    assert len(model.seen) == 2
    assert "=== " not in _prompt(model, 0)
    assert "Its parts:\n1. What is LoRA?\n2. What is the dying ReLU problem?" in _prompt(model)
    assert "dying" in _prompt(model).split("Question:")[0].lower()


def test_least_to_most_asks_a_simple_question_directly(scripted: Scripted) -> None:
    assistant, model = scripted(LORA, TRUE, strategy="least_to_most")
    assert assistant.ask(LORA).text == TRUE
    assert "Its parts" not in _prompt(model)


@pytest.mark.parametrize(("seed", "seeds"), [(None, [None, 1, 2]), (7, [7, 8, 9])])
def test_draft_and_select_keeps_the_draft_that_the_passages_support(
    scripted: Scripted, seed: int | None, seeds: list[int | None]
) -> None:
    assistant, model = scripted(f"{FALSE} {TRUE}", TRUE, FALSE, strategy="draft_and_select")
    *pieces, answer = assistant.stream(LORA, options=AskOptions(seed=seed))
    assert isinstance(answer, Answer)
    assert answer.text == TRUE
    assert "".join(map(str, pieces)) == TRUE
    assert model.seeds == seeds
    assert answer.raw_text == TRUE


def test_a_draft_that_fails_leaves_those_before_it_and_says_so(scripted: Scripted) -> None:
    assistant, model = scripted(TRUE, strategy="draft_and_select")
    model.enqueue("Half a ", ServerFailed("the stream was cut"))
    answer = assistant.ask(LORA)
    assert (answer.text, answer.provenance.generator) == (TRUE, model.name)
    assert "Only 1 of 3 drafts were written: the stream was cut" in answer.warnings
    assert len(model.seen) == 2


def test_a_first_draft_that_fails_gives_the_extractive_answer(scripted: Scripted) -> None:
    assistant, model = scripted(strategy="draft_and_select")
    model.enqueue(ServerFailed("the stream was cut"))
    assert assistant.ask(LORA).provenance.generator == "extractive"


def test_expand_query_searches_for_what_the_model_guesses_and_never_shows_it_as_evidence(
    scripted: Scripted,
) -> None:
    guess = "The dying ReLU problem makes neurons output zero, said ZEBRA."
    assistant, model = scripted(guess, TRUE, strategy="expand_query")
    answer = assistant.ask(LORA)
    assert "ZEBRA" not in _prompt(model)
    assert "ReLU" in _prompt(model).split("Question:")[0]
    assert "ZEBRA" not in json.dumps(answer.to_dict() | {"raw_text": ""})
    assert answer.citations[0].support is not None


def test_an_option_goes_over_the_setting_and_an_unknown_strategy_is_told(scripted: Scripted) -> None:
    assistant, _ = scripted(f"<think>x</think>{TRUE}", strategy="draft_and_select")
    answer = assistant.ask(LORA, options=AskOptions(strategy="step_by_step"))
    assert answer.provenance.strategy == "step_by_step"
    with pytest.raises(SettingsError, match="guess_wildly"):
        assistant.ask(LORA, options=AskOptions(strategy="guess_wildly"))


def test_the_setting_knows_every_strategy() -> None:
    from rag.settings import Settings

    field: Any = Settings.model_fields["strategy"].annotation
    assert set(field.__args__) == set(STRATEGIES)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_strategy_writes_a_checked_answer_with_the_same_record(
    scripted: Scripted, strategy: str
) -> None:
    replies = {
        "least_to_most": ("What is LoRA?\nHow does it work?", TRUE),
        "expand_query": ("LoRA adapters.", TRUE),
    }
    assistant, _ = scripted(*replies.get(strategy, (TRUE,) * 3), strategy=strategy)
    answer = assistant.ask(LORA)
    assert answer.text == TRUE
    assert [citation.label for citation in answer.citations] == [1]
    assert answer.provenance.strategy == strategy
    assert answer.provenance.prompt_digest


@pytest.mark.parametrize(
    ("reply", "parts"),
    [
        ("1) What is A?\n2) What is B?", ("What is A?", "What is B?")),
        ("Sure! Here they are:\n- What is A?\n\n- What is A?", ("What is A?",)),
        ("Why?\nBecause.", ()),
        (
            "\n".join(f"What is number {n}?" for n in range(9)),
            tuple(f"What is number {n}?" for n in range(4)),
        ),
    ],
)
def test_only_questions_of_a_reply_are_parts(reply: str, parts: tuple[str, ...]) -> None:
    assert split_parts(reply) == parts
