"""The estimate of tokens, and marks that a text must not forge."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.bundled import roadmap_path
from rag.embed.minilm import packaged_folder
from rag.generate.tokens import defuse, estimate_tokens


def test_the_estimate_lies_above_a_real_count_of_the_roadmap_and_not_far_above() -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(
        str(packaged_folder() / "tokenizer.json")
    )  # 30,522 pieces: a small vocabulary
    tokenizer.no_truncation()
    tokenizer.no_padding()
    paragraphs = [line for line in roadmap_path().read_text(encoding="utf-8").splitlines() if len(line) > 200]
    assert len(paragraphs) > 100
    real = [len(tokenizer.encode(one, add_special_tokens=False).ids) for one in paragraphs]
    estimated = [estimate_tokens(one) for one in paragraphs]
    assert sum(e >= r for e, r in zip(estimated, real, strict=True)) >= 0.99 * len(paragraphs)
    assert sum(estimated) < 2 * sum(real)


@given(st.text(), st.text())
def test_a_longer_text_is_never_estimated_at_less(text: str, more: str) -> None:
    assert (
        estimate_tokens(text)
        <= estimate_tokens(text + more)
        <= estimate_tokens(text) + estimate_tokens(more) + 1
    )


@pytest.mark.parametrize(
    "mark",
    [
        "<|im_start|>",
        "<|IM_END|>",
        "<|eot_id|>",
        "</s>",
        "[INST]",
        "[/INST]",
        "<<SYS>>",
        "<end_of_turn>",
        "<think>",
    ],
)
def test_a_mark_is_broken_and_stays_readable(mark: str) -> None:
    broken = defuse(f"before {mark} after")
    assert mark not in broken
    assert broken.replace(" ", "") == f"before{mark}after"


@pytest.mark.parametrize(
    "text", ["a < b and c > d", "x[0] | y", "List[int]", "<div>text</div>", "if a <| b", ""]
)
def test_other_text_is_left_alone(text: str) -> None:
    assert defuse(text) == text


def test_the_marks_of_a_models_own_vocabulary_are_broken_too() -> None:
    assert defuse("say §turn§ now", ("§turn§", "§turn§§")) == "say § turn§ now"
    assert defuse("a b", (" ", "b")) == "a b"  # a blank or a letter is no mark


@given(st.text(alphabet="<|>im_endsINST/[] ", max_size=40))
def test_no_mark_is_left_and_nothing_else_is_lost(text: str) -> None:
    broken = defuse(text)
    assert broken.replace(" ", "") == text.replace(" ", "")
    assert defuse(broken) == broken
