"""Which documents a question names, by their paths and titles."""

import pytest

from rag.naming import Names

NAMES = Names(
    {
        "lora": ("/shelf/huggingface/course-lora.mdx", "Low-rank adaptation"),
        "peft": ("/shelf/huggingface/peft_lora.md", "PEFT"),
        "bias": ("/shelf/aws/sagemaker-clarify-bias.md", "Bias drift"),
        "sklearn": ("/shelf/scikit-learn/tree.rst", "Decision trees"),
        "grinder": ("/shelf/grinder.md", "Corvo K4 coffee grinder: quick guide"),
    }
)


@pytest.mark.parametrize(
    ("question", "sources", "rest"),
    [
        ("What rank would the Hugging Face course begin with?", ("lora",), "What rank would begin with?"),
        (
            "What does LoRA save, according to the Hugging Face docs?",
            ("lora", "peft"),
            "What does LoRA save?",
        ),
        ("In the SageMaker Clarify page, what is biased?", ("bias",), ", what is biased?"),
        ("What do scikit-learn's own pages say of greed?", ("sklearn",), "What do say of greed?"),
        ("Why are trees greedy according to scikit-learn?", ("sklearn",), "Why are trees greedy?"),
        ("What does the Corvo guide say about rice?", ("grinder",), "What does say about rice?"),
    ],
)
def test_a_name_before_a_kind_of_document_leads_to_its_sources(
    question: str, sources: tuple[str, ...], rest: str
) -> None:
    named = NAMES.find(question)
    assert (named.source_ids, named.rest) == (sources, rest)


@pytest.mark.parametrize(
    "question",
    [
        "What is a tensor, in this guide's words?",
        "Which correlation should guide my selection of trees?",
        "What does the roadmap say according to the framework table?",
        "What does the TensorFlow documentation say?",
        "How does LoRA work in PEFT?",  # a topic as much as a place
        "Equations on a page kill me.",
        "",
    ],
)
def test_what_names_no_document_is_left_as_it_is(question: str) -> None:
    named = NAMES.find(question)
    assert (named.source_ids, named.rest) == ((), question)
