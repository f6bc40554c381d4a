"""The delay that Waymark adds before a model's first token, measured as the command measures it."""

import json

import pytest
from typer.testing import CliRunner

from eval.bench_cli import app
from ingest.pipeline import index_corpus
from rag.embed import PACKAGED, open_embedder
from rag.errors import SettingsError
from rag.generate.shapes import open_shape
from rag.settings import load_settings

pytestmark = pytest.mark.slow

MOST_ADDED_S = 0.150


def test_the_first_token_is_not_delayed_by_more_than_150_ms() -> None:
    home = load_settings().settings.home
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    for _ in range(3):  # what else runs on the machine only adds
        told = CliRunner().invoke(app, ["llm", "-n", "15", "--json"], catch_exceptions=False)
        record = json.loads(told.stdout)
        if record["added_s"] < MOST_ADDED_S:
            break
    assert record["n"] >= 12
    assert record["prompt_tokens"] > 500
    assert record["direct_first_token_s"] > 0
    assert record["waymark_before_model_s"] > 0
    assert record["added_s"] < MOST_ADDED_S
    assert record["written_per_s"] > 1
    assert "random weights" in record["model"]


def test_a_shape_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(SettingsError, match="qwen3-4b"):
        open_shape("qwen9", ["text"])
