"""Models that are not there or cannot be used, and prompts that a model asks for."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from rag.embed import Passage
from rag.embed.minilm import packaged_folder
from rag.embed.sentence_transformer import open_sentence_transformer
from rag.errors import EmbedderError
from rag.schema import Span


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the packaged model; the weights are a link."""
    copy = tmp_path / "model"
    shutil.copytree(packaged_folder(), copy, ignore=shutil.ignore_patterns("*.safetensors"))
    (copy / "model.safetensors").symlink_to(packaged_folder() / "model.safetensors")
    return copy


@pytest.mark.parametrize("name", ["nobody/nothing", "nothing", "not a name at all", "/no/such/folder", ""])
def test_a_model_that_is_not_here_is_refused_and_not_fetched(home: Path, name: str) -> None:
    with pytest.raises(EmbedderError, match="cannot be opened") as caught:
        open_sentence_transformer(name, home=home)
    assert "downloads nothing" in caught.value.hint
    assert not home.exists()


def test_a_folder_without_safetensors_is_refused_whatever_else_is_in_it(folder: Path, home: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"a pickle")
    with pytest.raises(EmbedderError, match="no safetensors"):
        open_sentence_transformer(str(folder), home=home)


@pytest.mark.parametrize("name", ["model.safetensors", "config.json", "tokenizer.json"])
def test_a_damaged_file_is_an_embedder_error(folder: Path, home: Path, name: str) -> None:
    (folder / name).unlink()
    (folder / name).write_bytes(b"{damaged")
    with pytest.raises(EmbedderError, match="cannot be opened"):
        open_sentence_transformer(str(folder), home=home)


def test_the_prompts_of_a_model_are_put_before_its_texts_and_shift_no_part(folder: Path, home: Path) -> None:
    plain = open_sentence_transformer(str(folder), home=home)
    (folder / "config_sentence_transformers.json").write_text(
        '{"prompts": {"query": "question: ", "document": "text: "}, "default_prompt_name": "query"}'
    )
    prompted = open_sentence_transformer(str(folder), home=home)
    assert (prompted.spec.query_prefix, prompted.spec.passage_prefix) == ("question: ", "text: ")
    assert np.allclose(prompted.embed_query("words"), plain.embed_query("question: words"), atol=1e-5)
    text, part = "Cats purr. Dogs bark.", Span(start=11, end=21)
    ((_, ours),) = prompted.embed_passages([Passage(text=text, parts=(part,))])
    shifted = Span(start=part.start + 6, end=part.end + 6)
    ((_, theirs),) = plain.embed_passages([Passage(text=f"text: {text}", parts=(shifted,))])
    assert np.allclose(ours, theirs, atol=1e-5)
    assert prompted.count_tokens(text) == plain.count_tokens(f"text: {text}")
    assert prompted.spec != plain.spec
