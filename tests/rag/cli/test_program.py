"""The program itself: settings and embedders that do not fit, help, version, the doctor."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import rag
from ingest.pipeline import index_corpus
from rag.embed import PACKAGED
from rag.errors import (
    EmbedderError,
    IndexMismatch,
    SettingsError,
)
from rag.testing import FakeEmbedder
from tests.rag.cli.running import Waymark, assert_told, environment

pytestmark = pytest.mark.slow


def test_a_variable_that_is_no_setting_is_told(waymark: Waymark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_TYPO", "1")
    for command in (("ask", "x"), ("status",), ("index",), ("doctor",)):
        assert_told(waymark(*command), SettingsError, about="WAYMARK_TYPO")


def test_a_settings_file_with_a_bad_key_is_told(
    waymark: Waymark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "waymark.toml").write_text("pasages = 3\n")
    monkeypatch.chdir(tmp_path)
    assert_told(waymark("ask", "x"), SettingsError, about="did you mean passages?")
    (tmp_path / "waymark.toml").write_text("passages = \n")
    assert_told(waymark("ask", "x"), SettingsError, about="not valid TOML")


def test_a_flag_out_of_range_is_told(waymark: Waymark, indexed: Path) -> None:
    assert_told(waymark("ask", "--passages", "0", "x"), SettingsError, about="passages = 0 (flag)")
    assert_told(waymark("ask", "--llm", "openai:x", "x"), SettingsError, about="openai:x")


def test_a_strategy_that_is_none_is_told_with_those_there_are(waymark: Waymark, indexed: Path) -> None:
    assert_told(
        waymark("ask", "--strategy", "wildly", "x"), SettingsError, about="strategy = 'wildly' (flag)"
    )


def test_a_model_server_that_is_not_there_leaves_the_extractive_answer(
    waymark: Waymark, indexed: Path
) -> None:
    url = "http://127.0.0.1:9/v1"
    done = waymark(
        "ask", "--llm", "openai:x", "--llm-url", url, "--strict", "--json", "How does LoRA cut memory?"
    )
    assert done.code == 0
    record = json.loads(done.out)
    assert record["provenance"]["generator"] == "extractive"
    assert record["citations"]
    assert url in record["warnings"][-1]


def test_an_index_of_another_embedder_is_told_with_both_names(waymark: Waymark, own: Path) -> None:
    index_corpus(own, embedder=FakeEmbedder(model="other", revision="7"))
    done = waymark("ask", "What is LoRA?")
    assert_told(done, IndexMismatch, about="other@7")
    assert "all-MiniLM-L6-v2@53aa51172d14" in done.err
    assert "`waymark index`" in done.err
    assert waymark("index").code == 0
    assert waymark("ask", "What is LoRA?").code == 0


def test_an_embedder_that_is_not_there_is_told(
    waymark: Waymark, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_EMBEDDER", "no/such")
    assert_told(waymark("ask", "x"), EmbedderError, about="no/such")


def test_settings_are_listed_with_their_origins(
    waymark: Waymark, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_PASSAGES", "9")
    record = json.loads(waymark("doctor", "--settings", "--json").out)
    assert record["passages"] == {"value": "9", "origin": "environment WAYMARK_PASSAGES"}
    assert record["embedder"] == {"value": PACKAGED, "origin": "default"}
    assert "environment" in waymark("doctor", "--settings").out


def test_the_doctor_passes_a_sound_installation_and_fails_a_damaged_one(waymark: Waymark, own: Path) -> None:
    assert waymark("doctor").code == 0
    assert all(finding["ok"] for finding in json.loads(waymark("doctor", "--json").out))
    shutil.rmtree(own / "generations")
    assert waymark("doctor").code == 1


# --- The program itself --------------------------------------------------------------------------------------------


def test_version_and_help(waymark: Waymark) -> None:
    assert waymark("--version").out == f"waymark {rag.__version__}\n"
    shown = waymark("--help").out
    assert all(
        name in shown for name in ("ask", "chat", "index", "status", "verify", "rollback", "doctor", "eval")
    )
    assert "--gate" in waymark("eval", "gold", "--help").out


def test_help_loads_no_heavy_library() -> None:
    heavy = ("torch", "faiss", "numpy", "onnxruntime", "langchain_core", "streamlit")
    script = f"import sys, rag.cli; sys.exit(', '.join(set({heavy}) & set(sys.modules)) or 0)"
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
