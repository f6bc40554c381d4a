"""Whether a question leans on the turns before it."""

import time

import pytest

from rag.followup import drop_change_of_topic, needs_history


@pytest.mark.parametrize(
    "question",
    [
        "why?",
        "why not?",
        "how so?",
        "and GPT?",
        "tell me more",
        "give an example",
        "what are the main drawbacks?",
        "what does it cost?",
        "how does that differ from full fine-tuning?",
        "explain the second one",
        "what does the second step do?",
        "and the other?",
        "is that still the case today?",
        "do both need labels?",
        "what would you use instead?",
        "what's the difference to fine-tuning?",
        "so does quality suffer?",
        "how do people deal with that?",
        "who invented this technique?",
        "what memory and compute does it need?",
        "which optimizer does it use?",
    ],
)
def test_what_points_back_or_names_nothing_leans(question: str) -> None:
    assert needs_history(question)


@pytest.mark.parametrize(
    "question",
    [
        "What is GPT?",
        "dropout?",
        "Explain overfitting",
        "And what is Docker?",
        "ok, so how does backpropagation work?",
        "So why does GPT only look at the words before?",
        "How does gradient descent converge?",
        "What is backpropagation and how does it work?",
        "How do CNNs reduce their number of weights?",
        "Does LoRA change the weights or freeze them?",
        "When a model overfits, what can I do about it?",
        "Which algorithm that groups points is used for segmentation?",
        "Do both BERT and GPT use attention?",
        "Which one is easier, PyTorch or TensorFlow?",
        "What is the last of the four pillars of MLOps?",
        "What is the first step of gradient descent?",
        "What else than accuracy should I monitor?",
        "Which books does it recommend for calculus?",
        "Another word for next-token prediction?",
    ],
)
def test_what_stands_alone_does_not(question: str) -> None:
    assert not needs_history(question)


def test_an_announced_change_of_topic_is_believed_and_dropped() -> None:
    assert not needs_history("new topic: what about it?")
    assert drop_change_of_topic("new topic: what is Docker?") == "what is Docker?"


@pytest.mark.parametrize("piece", ["it ", "and it ", "one or ", "both the other ", "that that is ", "why "])
def test_a_long_question_is_read_in_time_that_grows_with_its_length(piece: str) -> None:
    """The longest question has 4,000 characters."""
    began = time.process_time()
    needs_history(piece * (4000 // len(piece)))
    assert time.process_time() - began < 1
