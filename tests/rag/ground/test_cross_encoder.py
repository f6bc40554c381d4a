"""An entailment model as checker: a tiny one, made here, whose output is set by hand so that verdicts are known."""

import json
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from rag.embed import Embedder
from rag.errors import ModelMissing, ModelUnusable, SettingsError
from rag.ground import Stance, open_checker
from rag.ground.cross_encoder import CrossEncoder, read_outputs
from rag.settings import Settings
from rag.testing import FakeEmbedder

WORDS = "[PAD] [UNK] [CLS] [SEP] it rains snows not today here".split()
THREE = {0: "CONTRADICTION", 1: "NEUTRAL", 2: "ENTAILMENT"}


def made(
    folder: Path, labels: dict[int, str], *, always: int | None = None, safetensors: bool = True
) -> Path:
    """A model in a folder. `always`: the output that its bias makes all but certain."""
    torch.manual_seed(0)
    vocabulary = {word: n for n, word in enumerate(WORDS)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    special = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep")}
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, **special).save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=64, id2label=labels, label2id={label: n for n, label in labels.items()},
    )  # fmt: skip
    model = BertForSequenceClassification(config)
    if always is not None:
        with torch.no_grad():
            model.classifier.weight.zero_()
            model.classifier.bias.fill_(-6.0)
            model.classifier.bias[always] = 6.0
    model.save_pretrained(folder)
    if not safetensors:
        weights = folder / "model.safetensors"
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
        weights.unlink()
    return folder


@pytest.mark.parametrize(
    ("labels", "always", "stance"),
    [
        (THREE, 2, Stance.SUPPORTED),
        (THREE, 1, Stance.NOT_FOUND),
        (THREE, 0, Stance.CONTRADICTED),
        ({0: "entailment", 1: "neutral", 2: "contradiction"}, 0, Stance.SUPPORTED),  # another order
        ({0: "not_entailment", 1: "entailment"}, 1, Stance.SUPPORTED),
        ({0: "not_entailment", 1: "entailment"}, 0, Stance.NOT_FOUND),
        ({0: "LABEL_0"}, 0, Stance.SUPPORTED),  # a single output is the probability of support
    ],
)
def test_the_order_of_labels_is_read_from_the_model(
    tmp_path: Path, labels: dict[int, str], always: int, stance: Stance
) -> None:
    checker = CrossEncoder("tiny", made(tmp_path / "model", labels, always=always))
    support = checker.check("it rains", ["it snows", "it rains today", "not here"])
    assert support.stance is stance
    assert 0.0 <= support.score <= 1.0
    assert bool(support.reasons) == (stance is not Stance.SUPPORTED)


def test_the_setting_opens_it_from_a_folder(tmp_path: Path) -> None:
    folder = made(tmp_path / "model", THREE, always=2)
    checker = open_checker(FakeEmbedder(), Settings(checker=f"cross-encoder:{folder}"))
    assert checker.name == f"cross-encoder:{folder}"
    assert checker.check("it rains", ["it rains"]).stance is Stance.SUPPORTED
    assert checker.check("it rains", ()).stance is Stance.NOT_FOUND


def test_evidence_longer_than_the_model_reads_is_no_error(tmp_path: Path) -> None:
    checker = CrossEncoder("tiny", made(tmp_path / "model", THREE, always=2))
    assert checker.check("it rains", ["it snows " * 100] * 20).stance is Stance.SUPPORTED


def test_weights_that_can_carry_code_are_refused(tmp_path: Path) -> None:
    folder = made(tmp_path / "model", THREE, safetensors=False)
    with pytest.raises(ModelUnusable, match="safetensors"):
        CrossEncoder("tiny", folder)


def test_a_damaged_model_is_named(tmp_path: Path) -> None:
    folder = made(tmp_path / "model", THREE)
    (folder / "config.json").write_text(json.dumps({"model_type": "none such"}), encoding="utf-8")
    with pytest.raises(ModelUnusable, match="tiny"):
        CrossEncoder("tiny", folder)


def test_labels_that_say_nothing_are_refused() -> None:
    with pytest.raises(ModelUnusable, match="LABEL_0"):
        read_outputs({0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"})


def test_a_model_that_is_not_here_is_not_downloaded() -> None:
    with pytest.raises(ModelMissing):
        open_checker(FakeEmbedder(), Settings(checker="cross-encoder:nobody/nothing"))


def test_another_word_is_no_checker() -> None:
    with pytest.raises(SettingsError, match="hearsay"):
        open_checker(FakeEmbedder(), Settings(checker="hearsay"))


@pytest.mark.parametrize(("downloaded", "name"), [(False, "embedded"), (True, "cross-encoder:")])
def test_auto_takes_an_entailment_model_only_if_one_was_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Embedder, downloaded: bool, name: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    snapshot = tmp_path / "models--cross-encoder--nli-deberta-v3-small" / "snapshots" / "abc"
    if downloaded:
        made(snapshot, THREE, always=2)
        monkeypatch.setattr("rag.generate.weights.snapshot_download", lambda *_, **__: str(snapshot))
    assert open_checker(embedder, Settings()).name.startswith(name)
