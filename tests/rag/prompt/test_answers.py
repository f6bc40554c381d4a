"""What becomes of a model's answer: checked, cut to its context, refused, cancelled, replaced where the model fails."""

import re
import threading

import pytest

from rag.answer import EXTRACTIVE, Answer, AnswerStatus
from rag.errors import GenerationError, OutOfMemory, ServerFailed
from rag.index.rows import Rows
from rag.options import AskOptions
from rag.prompt.templates import REFUSAL
from rag.schema import Role, Turn
from tests.rag.prompt.conftest import Scripted

LORA = "How does LoRA cut memory?"
TRUE = "LoRA drastically reduces the number of trainable parameters [1]."
FALSE = "LoRA was invented by a bird in 1987 [2]."


def _weak(answer: Answer) -> list[str]:
    return [span.cut(answer.text) for span in answer.unsupported_spans]


# --- Checked --------------------------------------------------------------------------------------------------------


def test_every_mark_shown_has_a_verbatim_quote_inside_its_passage(scripted: Scripted) -> None:
    assistant, _ = scripted(
        f"{TRUE} {FALSE} LoRA can achieve performance comparable to full fine-tuning [1, 77]."
    )
    answer = assistant.ask(LORA)
    assert _weak(answer) == ["LoRA was invented by a bird in 1987."]
    assert answer.unknown_labels == (77,)
    assert "[77]" not in answer.text
    assert "[1, 77]" in answer.raw_text
    passages = {passage.label: passage for passage in answer.passages}
    assert (
        {int(n) for n in re.findall(r"\[(\d+)\]", answer.text)} == {c.label for c in answer.citations} == {1}
    )
    for citation in answer.citations:
        assert citation.quote == citation.quote_span.cut(assistant.document_text(citation.source_id))
        assert passages[citation.label].span.holds(citation.quote_span)
        assert citation.quote in passages[citation.label].text
        assert 0.5 < (citation.support or 0) <= 1
    assert any("1 of 3 sentences" in warning for warning in answer.warnings)


def test_no_document_is_read_whole_for_an_answer(scripted: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    assistant, _ = scripted(TRUE)
    monkeypatch.delattr(Rows, "document")
    assert assistant.ask(LORA).provenance.generator != EXTRACTIVE
    for question in (
        "What are the four pillars of MLOps?",
        "BERT vs GPT attention",
        "How many works are cited?",
    ):
        assert assistant.ask(question, options=AskOptions(llm=EXTRACTIVE)).citations


def test_a_quote_names_the_work_that_its_sentence_rests_on(scripted: Scripted) -> None:
    assistant, _ = scripted(
        "Despite training only a fraction of the parameters, LoRA can achieve comparable performance [1]."
    )
    answer = assistant.ask(LORA)
    assert [r.number for c in answer.citations for r in c.references] == [44]


def test_a_reply_that_names_no_passage_gets_those_that_support_it_and_says_so(scripted: Scripted) -> None:
    assistant, _ = scripted(
        "LoRA drastically reduces the number of trainable parameters. A bird invented it in 1987."
    )
    answer = assistant.ask(LORA)
    assert "trainable parameters. [1] A bird" in answer.text
    assert _weak(answer) == ["A bird invented it in 1987."]
    assert "[1]" not in answer.raw_text
    assert any("named no passages" in warning for warning in answer.warnings)


def test_a_reply_that_cites_gets_no_marks_for_what_it_does_not_cite(scripted: Scripted) -> None:
    assistant, _ = scripted(f"{TRUE} LoRA is a popular and effective PEFT technique.")
    answer = assistant.ask(LORA)
    assert _weak(answer) == ["LoRA is a popular and effective PEFT technique."]


def test_strict_leaves_out_what_is_not_supported(scripted: Scripted) -> None:
    assistant, _ = scripted(f"{FALSE} {TRUE}", strict=True)
    answer = assistant.ask(LORA)
    assert answer.text == TRUE
    assert answer.unsupported_spans == ()
    assert FALSE in answer.raw_text


def test_strict_with_nothing_left_is_a_refusal_with_the_nearest_passages(scripted: Scripted) -> None:
    assistant, _ = scripted(FALSE)
    answer = assistant.ask(LORA, options=AskOptions(strict=True))
    assert answer.status is AnswerStatus.INSUFFICIENT_EVIDENCE
    assert "the passages support no sentence of it" in answer.text
    assert "What lies nearest:\n- " in answer.text
    assert "bird" not in answer.text
    assert answer.passages


@pytest.mark.parametrize(
    "reply", [REFUSAL, f"{REFUSAL} [1]", f'"{REFUSAL}"', REFUSAL.rstrip("."), f"**{REFUSAL}**"]
)
def test_the_sentence_of_refusal_is_a_refusal(scripted: Scripted, reply: str) -> None:
    assistant, _ = scripted(reply)
    answer = assistant.ask(LORA)
    assert answer.status is AnswerStatus.INSUFFICIENT_EVIDENCE
    assert "found no answer in them" in answer.text
    assert answer.citations == ()


def test_the_gate_refuses_before_a_model_is_asked(scripted: Scripted) -> None:
    assistant, model = scripted()
    answer = assistant.ask("What is the capital of France?")
    assert answer.status is AnswerStatus.INSUFFICIENT_EVIDENCE
    assert model.seen == []


def test_a_question_about_sources_is_looked_up_and_not_written(scripted: Scripted) -> None:
    assistant, model = scripted()
    answer = assistant.ask("Which source is cited for LoRA?")
    assert "https://huggingface.co/docs/peft/main/conceptual_guides/lora" in answer.text
    assert answer.provenance.generator == "extractive"
    assert (answer.warnings, model.seen) == ((), [])


def test_the_same_question_gets_the_same_prompt(scripted: Scripted) -> None:
    assistant, model = scripted(TRUE, TRUE)
    assert assistant.ask(LORA).provenance == assistant.ask(LORA).provenance
    assert model.seen[0] == model.seen[1]


# --- Packed ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("context", [600, 800, 1200, 4096])
def test_prompt_and_answer_never_pass_the_context_and_the_rest_is_told(
    scripted: Scripted, context: int
) -> None:
    assistant, model = scripted(TRUE, context_tokens=context)
    answer = assistant.ask(LORA)
    prompt = sum(model.count_tokens(message.text) for message in model.seen[0])
    assert prompt + model.count_tokens(TRUE) <= context
    assert answer.provenance.generator == "scripted"
    in_prompt = model.seen[0][-1].text.count("end of passage [")
    assert [passage.label for passage in answer.passages] == list(range(1, len(answer.passages) + 1))
    assert {cut.label for cut in answer.cut} >= set(range(in_prompt + 1, len(answer.passages) + 1))
    assert answer.cut


def test_a_context_without_room_for_a_passage_gives_the_extractive_answer(scripted: Scripted) -> None:
    assistant, model = scripted(context_tokens=256)
    answer = assistant.ask(LORA)
    assert answer.provenance.generator == "extractive"
    assert "do not fit" in answer.warnings[-1]
    assert model.seen == []


def test_an_answer_that_reaches_its_longest_says_so(scripted: Scripted) -> None:
    assistant, model = scripted(answer_tokens=16)
    model.enqueue("LoRA freezes the original model weights [1]. ", "It " * 40)
    answer = assistant.ask(LORA)
    assert answer.usage.stop_reason == "length"
    assert any("cut off" in warning for warning in answer.warnings)


# --- Trouble --------------------------------------------------------------------------------------------------------

TROUBLE = [
    ServerFailed("the stream was cut", hint="Look at its log."),
    OutOfMemory("no memory"),
    GenerationError("?"),
]


@pytest.mark.parametrize("error", TROUBLE, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("before", [(), ("LoRA is ",)], ids=["before the first token", "in the middle"])
def test_a_model_that_fails_leaves_the_extractive_answer_and_a_warning(
    scripted: Scripted, before: tuple[str, ...], error: GenerationError
) -> None:
    assistant, model = scripted()
    model.enqueue(*before, error)
    *pieces, answer = assistant.stream(LORA)
    assert isinstance(answer, Answer)
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.provenance.generator == "extractive"
    assert answer.provenance.strategy is None
    assert answer.citations
    assert answer.passages
    assert str(error) in answer.warnings[-1]
    assert error.hint in answer.warnings[-1]
    assert "".join(map(str, pieces)) == ("LoRA is" if before else answer.text)  # a blank is held back


def test_after_a_failure_the_next_question_is_asked_again(scripted: Scripted) -> None:
    assistant, model = scripted()
    model.enqueue(ServerFailed("busy"))
    model.enqueue(TRUE)
    assert assistant.ask(LORA).provenance.generator == "extractive"
    assert assistant.ask(LORA).text == TRUE


def test_cancelling_keeps_what_was_written_checked(scripted: Scripted) -> None:
    assistant, model = scripted()
    model.enqueue(TRUE, " And then", " more.")
    cancel = threading.Event()
    stream = assistant.stream(LORA, cancel=cancel)
    first = next(stream)
    cancel.set()
    *_, answer = stream
    assert first == TRUE.removesuffix(" [1].")  # a word is held back until it ends
    assert isinstance(answer, Answer)
    assert answer.text == TRUE
    assert answer.usage.stop_reason == "cancelled"
    assert any("stopped" in warning for warning in answer.warnings)


def test_cancelling_before_the_first_word_leaves_the_extractive_answer(scripted: Scripted) -> None:
    assistant, _ = scripted(TRUE)
    cancel = threading.Event()
    cancel.set()
    *_, answer = assistant.stream(LORA, cancel=cancel)
    assert isinstance(answer, Answer)
    assert answer.provenance.generator == "extractive"
    assert "stopped before its first word" in answer.warnings[-1]


def test_an_assistant_closes_its_model(scripted: Scripted) -> None:
    assistant, model = scripted()
    assistant.close()
    assert model.closed


# --- Follow-ups -----------------------------------------------------------------------------------------------------

TALK = (
    Turn(role=Role.USER, text="What is LoRA?"),
    Turn(role=Role.ASSISTANT, text="LoRA is a PEFT technique [1]."),
)


def test_a_model_makes_a_follow_up_stand_alone_and_it_is_shown(scripted: Scripted) -> None:
    assistant, model = scripted("By what factor does LoRA reduce the trainable parameters?", TRUE)
    answer = assistant.ask("and by what factor does it reduce the parameters?", history=TALK)
    assert answer.standalone == "By what factor does LoRA reduce the trainable parameters?"
    assert answer.question == "and by what factor does it reduce the parameters?"
    assert f"Question: {answer.standalone}" in model.seen[1][-1].text
    assert "Person: What is LoRA?\nAssistant: LoRA is a PEFT technique." in model.seen[0][-1].text


def test_a_question_that_stands_alone_is_not_rewritten(scripted: Scripted) -> None:
    assistant, model = scripted(TRUE)
    assert assistant.ask(LORA, history=TALK).standalone == LORA
    assert len(model.seen) == 1


@pytest.mark.parametrize(
    "reply", ["", "LoRA reduces them by 10,000 with ZEBRA, OKAPI and GNU adapters.", "x" * 900]
)
def test_a_rewrite_that_is_none_leaves_it_to_the_rules(scripted: Scripted, reply: str) -> None:
    assistant, _ = scripted(reply, TRUE)
    answer = assistant.ask("and by what factor does it reduce the parameters?", history=TALK)
    assert answer.standalone == "By what factor does LoRA reduce the parameters?"
    assert answer.text == TRUE


def test_a_rewrite_that_a_person_edited_is_used_as_it_is(scripted: Scripted) -> None:
    assistant, model = scripted(TRUE)
    options = AskOptions(standalone="How far does LoRA reduce the parameters?")
    answer = assistant.ask("and by what factor?", history=TALK, options=options)
    assert answer.standalone == options.standalone
    assert len(model.seen) == 1


def test_a_model_that_fails_at_the_rewrite_is_not_asked_again(scripted: Scripted) -> None:
    assistant, model = scripted()
    model.enqueue(ServerFailed("gone"))
    answer = assistant.ask("and by what factor does it reduce the parameters?", history=TALK)
    assert answer.standalone == "By what factor does LoRA reduce the parameters?"
    assert answer.provenance.generator == "extractive"
    assert len(model.seen) == 1
    assert "gone" in answer.warnings[-1]
