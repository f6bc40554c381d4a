"""The command line: what it prints, and one line, a hint and an exit code of its own for whatever goes wrong.

Most tests run the program inside this process, as the installed command does; those that are about processes (pipes,
rights, two at a time) start some.
"""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import rag
from ingest.pipeline import index_corpus
from rag import cli
from rag.assistant import Assistant
from rag.embed import PACKAGED, Embedder, open_embedder
from rag.errors import (
    BatchError,
    EmbedderError,
    IndexCorrupt,
    IndexLocked,
    IndexMismatch,
    IndexMissing,
    QuestionError,
    SettingsError,
    StorageError,
)
from rag.index.generations import Generations
from rag.testing import FakeEmbedder

pytestmark = pytest.mark.slow

CODE = Path(rag.__file__).parents[1]
USAGE = 2  # Typer's own exit code


@dataclass(frozen=True)
class Done:
    code: int
    out: str
    err: str


Waymark = Callable[..., Done]


@pytest.fixture
def waymark(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], assistant: Assistant
) -> Waymark:
    """Run the program in this process; the packaged embedder is opened once for all runs."""

    def open_once(name: str, *, home: Path) -> Embedder:
        return assistant._embedder if name == PACKAGED else open_embedder(name, home=home)

    monkeypatch.setattr("rag.embed.open_embedder", open_once)
    monkeypatch.setattr("rag.assistant.open_embedder", open_once)

    def run(*arguments: object, stdin: bytes = b"") -> Done:
        monkeypatch.setattr(sys, "argv", ["waymark", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return Done(int(exit_.value.code or 0), out, err)

    return run


@pytest.fixture
def indexed(roadmap_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The roadmap's data folder, in the environment. To be read only."""
    monkeypatch.setenv("WAYMARK_HOME", str(roadmap_home))
    return roadmap_home


@pytest.fixture
def own(roadmap_home: Path, home: Path) -> Path:
    """A copy of it that may be written."""
    shutil.copytree(roadmap_home, home, copy_function=_link_models)
    return home


def _link_models(source: str, target: str) -> None:
    """The converted model is large, and nobody changes it."""
    (os.link if Path(source).suffix == ".onnx" else shutil.copy2)(source, target)


def _assert_told(done: Done, error: type[Any], *, about: str) -> None:
    """One line, one hint, the exit code, nothing on standard output."""
    assert done.out == ""
    told, hint = [line for line in done.err.splitlines() if line.strip()][-2:]
    assert told.startswith("waymark: ")
    assert about in told
    assert hint.startswith("hint: ")
    assert len(hint) > 20
    assert "Traceback" not in done.err
    assert done.code == error.exit_code


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "rag.cli", *map(str, arguments)]


def _environment(**variables: str) -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(CODE), "PYTHONDONTWRITEBYTECODE": "1"} | variables


def _files(home: Path) -> list[tuple[str, int, int]]:
    found = [home, *home.rglob("*")]
    return sorted((str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in found)


# --- ask ----------------------------------------------------------------------------------------------------------


def test_ask_prints_the_answer_and_the_works_it_rests_on(waymark: Waymark, indexed: Path) -> None:
    done = waymark("ask", "How does LoRA cut memory?")
    assert done.code == 0
    assert "memory and" in done.out
    assert "[1] 9.2. Parameter-Efficient Fine-Tuning (PEFT): The LoRA Method" in done.out
    assert "rests on 44. LoRA - Hugging Face" in done.out
    assert "https://huggingface.co/docs/peft/main/conceptual_guides/lora" in done.out
    assert done.err == ""


def test_ask_json_prints_the_record(waymark: Waymark, indexed: Path) -> None:
    record = json.loads(waymark("ask", "--json", "How does LoRA cut memory?").out)
    assert record["status"] == "answered"
    assert record["citations"][0]["references"][0]["n"] == 44
    assert set(record["timings"]) == {"retrieve_s", "first_token_s", "total_s"}


def test_a_refusal_is_an_answer_and_no_failure(waymark: Waymark, indexed: Path) -> None:
    done = waymark("ask", "What is the capital of France?")
    assert done.code == 0
    assert "do not answer this" in done.out


def test_asking_writes_nothing_to_the_data_folder(waymark: Waymark, own: Path) -> None:
    before = _files(own)
    assert waymark("ask", "What is LoRA?").code == 0
    assert _files(own) == before


@pytest.mark.parametrize(
    ("question", "about"),
    [
        ("", "The question is empty."),
        ("  \t", "The question is empty."),
        ("?!…", "The question is empty."),
        ("\udcff\ud800", "The question is empty."),
        ("a" * 5000, "5,000 characters"),
        ("a " * 500_000, "1,000,000 characters"),
    ],
    ids=["empty", "blank", "marks", "surrogates", "5000", "1 MB"],
)
def test_what_is_no_question_is_told(waymark: Waymark, indexed: Path, question: str, about: str) -> None:
    _assert_told(waymark("ask", "--", question), QuestionError, about=about)


@pytest.mark.parametrize(
    "question", ["-5?", "--help?", "What is\0LoRA?", "What is LoRA\udce9?", "[/bold] LoRA?"]
)
def test_an_odd_question_is_answered_or_declined_in_valid_json(
    waymark: Waymark, indexed: Path, question: str
) -> None:
    assert waymark("ask", "--", question).code == 0
    done = waymark("ask", "--json", "--", question)
    assert done.code == 0
    assert json.loads(done.out.encode("utf-8"))["question"] == question.replace("\udce9", "\ufffd")


@pytest.mark.parametrize(
    "arguments",
    [("ask",), ("ask", "a", "--batch", "b"), ("ask", "a", "--out", "b"), ("nonsense",), ("ask", "-5?")],
)
def test_wrong_usage_is_told_with_the_way_to_help(waymark: Waymark, arguments: tuple[str, ...]) -> None:
    done = waymark(*arguments)
    assert done.code == USAGE
    assert "--help" in done.err


def test_the_first_question_builds_the_index(waymark: Waymark, own: Path) -> None:
    shutil.rmtree(own / "generations")
    (own / "CURRENT").unlink()
    done = waymark("ask", "What is LoRA?")
    assert done.code == 0
    assert done.out.startswith("LoRA (Low-Rank Adaptation)")
    assert "No index yet: building it." in done.err
    assert len(Generations(own).ids()) == 1


def test_a_terminal_without_the_letters_shows_question_marks_and_json_escapes(
    waymark: Waymark, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = []
    for options in ((), ("--json",)):
        terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict", write_through=True)
        monkeypatch.setattr(sys, "stdout", terminal)
        assert waymark("ask", *options, "What is the capital of France?").code == 0
        shown.append(terminal.buffer.getvalue().decode("ascii"))  # type: ignore[attr-defined]
    assert "never mention ?France?" in shown[0]
    assert "“France”" in json.loads(shown[1])["text"]


def test_a_reader_that_leaves_ends_the_program_quietly(indexed: Path) -> None:
    read, write = os.pipe()
    os.close(read)  # as `| head` does, at the latest
    with os.fdopen(write, "wb") as pipe:
        done = subprocess.run(
            _command("ask", "What is LoRA?"),
            env=_environment(),
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode in (0, 1)


# --- ask --batch --------------------------------------------------------------------------------------------------

GOOD = b'{"id": "good", "question": "What is LoRA?"}\n'


def test_a_batch_gives_a_line_for_a_line(waymark: Waymark, indexed: Path, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b"\xef\xbb\xbf" + GOOD + b"\r\n" + GOOD.replace(b"good", b"2"))
    out = tmp_path / "out.jsonl"
    done = waymark("ask", "--batch", tmp_path / "in.jsonl", "--out", out)
    assert (done.code, done.out) == (0, "")
    records = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [(record["id"], record["status"]) for record in records] == [
        ("good", "answered"),
        ("2", "answered"),
    ]


def test_a_batch_comes_from_standard_input_and_goes_to_standard_output(
    waymark: Waymark, indexed: Path
) -> None:
    done = waymark("ask", "--batch", "-", stdin=GOOD * 2)
    assert done.code == 0
    assert [json.loads(line)["id"] for line in done.out.splitlines()] == ["good", "good"]


def test_broken_lines_become_records_and_the_exit_code_says_so(waymark: Waymark, indexed: Path) -> None:
    lines = [b"broken\n", b'{"id": "\\ud800"}\n', b"\xff\xfe\n", GOOD, b'{"id": 4, "question": ""}']
    done = waymark("ask", "--batch", "-", stdin=b"".join(lines))
    records = [json.loads(line) for line in done.out.splitlines()]
    assert [record["id"] for record in records] == ["line 1", "line 2", "line 3", "good", 4]
    assert ["error" in record for record in records] == [True, True, True, False, True]
    assert done.code == BatchError.exit_code
    assert "waymark: 4 of 5 lines could not be answered" in done.err


def test_an_empty_batch_gives_an_empty_file(waymark: Waymark, indexed: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    done = waymark("ask", "--batch", "-", "--out", out, stdin=b"\n \n")
    assert (done.code, done.out, done.err) == (0, "", "")
    assert out.read_bytes() == b""


def test_a_batch_that_cannot_be_read_is_told_before_anything_is_built(waymark: Waymark, home: Path) -> None:
    _assert_told(waymark("ask", "--batch", "/no/such/file"), BatchError, about="/no/such/file")
    _assert_told(waymark("ask", "--batch", home.parent), BatchError, about="directory")
    assert not home.exists()


def test_an_out_that_cannot_be_written_is_told(waymark: Waymark, indexed: Path, tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "no" / "folder"):
        _assert_told(waymark("ask", "--batch", "-", "--out", out, stdin=GOOD), StorageError, about=str(out))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_disk_that_fills_up_during_a_batch_is_told(waymark: Waymark, indexed: Path) -> None:
    done = waymark("ask", "--batch", "-", "--out", "/dev/full", stdin=GOOD)
    _assert_told(done, StorageError, about="/dev/full cannot be written: No space left")


# --- chat ---------------------------------------------------------------------------------------------------------


def test_a_piped_chat_answers_and_ends_cleanly(waymark: Waymark, indexed: Path) -> None:
    asked = "What is LoRA?\nand by what factor does it reduce the parameters?\n?!\n\xe9t\xe9".encode(
        "latin-1"
    )
    done = waymark("chat", stdin=asked)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("LoRA (Low-Rank Adaptation)") >= 1
    assert "factor of 10,000" in " ".join(done.out.split())
    assert "The question is empty." in done.out


# --- index, status, versions, verify, rollback --------------------------------------------------------------------


def test_a_second_run_embeds_nothing(waymark: Waymark, own: Path) -> None:
    before = _files(own)
    done = waymark("index")
    assert done.code == 0
    assert "unchanged" in done.out
    assert ", 0 embedded, " in done.out
    assert _files(own) == before


def test_a_lost_index_comes_back_without_embedding(waymark: Waymark, own: Path) -> None:
    shutil.rmtree(own / "generations")
    done = waymark("index")
    assert "indexed" in done.out
    assert ", 0 embedded, " in done.out
    assert waymark("verify").code == 0


def test_two_runs_at_once_never_break_the_index(own: Path, waymark: Waymark) -> None:
    shutil.rmtree(own / "generations")
    both = [
        subprocess.Popen(_command("index"), env=_environment(), stdout=-3, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = [process.communicate(timeout=60)[1] for process in both]
    codes = [process.returncode for process in both]
    assert 0 in codes
    assert set(codes) <= {0, IndexLocked.exit_code}
    for code, err in zip(codes, told, strict=True):
        assert (code == 0) == ("waymark: Another process" not in err)
        assert "Traceback" not in err
    assert waymark("verify").code == 0


@pytest.mark.parametrize(
    "command", [("rollback", "NOPE"), ("rollback",), ("status",), ("verify",), ("versions",)]
)
def test_without_an_index_the_command_that_builds_one_is_named(
    waymark: Waymark, home: Path, command: tuple[str, ...]
) -> None:
    done = waymark(*command)
    _assert_told(done, IndexMissing, about=f"no index in {home}")
    assert "`waymark index`" in done.err
    assert not home.exists()


def test_status_tells_what_is_indexed(waymark: Waymark, indexed: Path) -> None:
    out = waymark("status").out
    assert str(indexed) in out
    assert "all-MiniLM-L6-v2@53aa51172d14, 384 dimensions" in out
    assert "of 1 documents" in out
    assert "corpus/roadmap.txt" in out
    record = json.loads(waymark("status", "--json").out)
    assert record["counts"]["documents"] == 1
    assert record["generation_id"] in out
    assert record["size_bytes"] > 500_000


def test_versions_lists_whole_ids_and_rollback_takes_one(waymark: Waymark, own: Path) -> None:
    index_corpus(own, embedder=FakeEmbedder())
    newest, oldest = (version.generation_id for version in Generations(own).versions())
    assert [line.split()[:2] for line in waymark("versions").out.splitlines()] == [
        ["*", newest],
        [oldest, "1"],
    ]
    assert waymark("rollback").out == f"generation {oldest} serves now\n"
    assert waymark("rollback", newest).code == 0
    assert [version["current"] for version in json.loads(waymark("versions", "--json").out)] == [True, False]
    done = waymark("rollback", "NOPE\x1b[31m")
    _assert_told(done, IndexMissing, about="no generation 'NOPE")
    assert "waymark versions" in done.err
    assert "\x1b" not in done.err


def test_verify_names_the_damaged_file_and_fails(waymark: Waymark, own: Path) -> None:
    index_corpus(own, embedder=FakeEmbedder())
    newest, oldest = (version.generation_id for version in Generations(own).versions())
    file = own / "generations" / newest / "sentences.npy"
    file.write_bytes(file.read_bytes()[:-1])
    done = waymark("verify")
    assert done.code == IndexCorrupt.exit_code
    assert f"{oldest}: whole" in done.out
    assert "sentences.npy" in done.out
    assert "Warning: " in waymark("status").out
    assert "Warning: " in waymark("ask", "What is LoRA?").out


def test_a_folder_name_with_markup_in_it_is_shown_as_it_is(
    waymark: Waymark, own: Path, tmp_path: Path
) -> None:
    odd = own.rename(tmp_path / "[bold]x[") / ".." / "[bold]x["
    assert "[bold]x[" in waymark("status", "--home", odd).out
    assert "[bold]x[" in waymark("doctor", "--settings", "--home", odd).out
    assert "[bold]x[" in waymark("doctor", "--home", odd).out


# --- Settings and embedders ---------------------------------------------------------------------------------------


def test_a_variable_that_is_no_setting_is_told(waymark: Waymark, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAYMARK_TYPO", "1")
    for command in (("ask", "x"), ("status",), ("index",), ("doctor",)):
        _assert_told(waymark(*command), SettingsError, about="WAYMARK_TYPO")


def test_a_settings_file_with_a_bad_key_is_told(
    waymark: Waymark, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "waymark.toml").write_text("pasages = 3\n")
    monkeypatch.chdir(tmp_path)
    _assert_told(waymark("ask", "x"), SettingsError, about="did you mean passages?")
    (tmp_path / "waymark.toml").write_text("passages = \n")
    _assert_told(waymark("ask", "x"), SettingsError, about="not valid TOML")


def test_a_flag_out_of_range_is_told(waymark: Waymark, indexed: Path) -> None:
    _assert_told(waymark("ask", "--passages", "0", "x"), SettingsError, about="passages = 0 (flag)")
    _assert_told(waymark("ask", "--llm", "openai:x", "x"), SettingsError, about="openai:x")


def test_an_index_of_another_embedder_is_told_with_both_names(waymark: Waymark, own: Path) -> None:
    index_corpus(own, embedder=FakeEmbedder(model="other", revision="7"))
    done = waymark("ask", "What is LoRA?")
    _assert_told(done, IndexMismatch, about="other@7")
    assert "all-MiniLM-L6-v2@53aa51172d14" in done.err
    assert "`waymark index`" in done.err
    assert waymark("index").code == 0
    assert waymark("ask", "What is LoRA?").code == 0


def test_an_embedder_that_is_not_there_is_told(
    waymark: Waymark, indexed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_EMBEDDER", "no/such")
    _assert_told(waymark("ask", "x"), EmbedderError, about="no/such")


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


# --- The program itself -------------------------------------------------------------------------------------------


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
        [sys.executable, "-c", script], env=_environment(), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


# --- Rights -------------------------------------------------------------------------------------------------------

# Root may write anywhere. Without these two capabilities it obeys the rights of files as everybody does.
_AS_EVERYBODY = """
import ctypes, os, sys
prctl, drop = ctypes.CDLL(None).prctl, 24
if os.geteuid() == 0 and any(prctl(drop, capability, 0, 0, 0) for capability in (1, 2)):
    sys.exit(77)
os.execv(sys.executable, [sys.executable, "-m", "rag.cli", *sys.argv[1:]])
"""


def _as_everybody(*arguments: object) -> Done:
    done = subprocess.run(
        [sys.executable, "-c", _AS_EVERYBODY, *map(str, arguments)],
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 77:
        pytest.skip("root may not give up its rights here")
    return Done(done.returncode, done.stdout, done.stderr)


def _chmod(home: Path, folder: int, file: int) -> None:
    for path in [home, *home.rglob("*")]:
        if path.suffix != ".onnx":  # shared by all copies
            path.chmod(folder if path.is_dir() else file)


@pytest.fixture
def read_only(own: Path) -> Iterator[Callable[[], Path]]:
    """Take the right to write the data folder away from everybody; it comes back afterwards."""

    def take() -> Path:
        _chmod(own, 0o555, 0o444)
        return own

    yield take
    _chmod(own, 0o755, 0o644)


@pytest.mark.skipif(sys.platform != "linux", reason="gives up rights as Linux does")
def test_a_read_only_data_folder_answers_and_refuses_to_be_changed(
    read_only: Callable[[], Path], own: Path
) -> None:
    index_corpus(own, embedder=FakeEmbedder())
    Generations(own).rollback()
    home = read_only()
    before = _files(home)
    done = _as_everybody("ask", "What is LoRA?")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("LoRA (Low-Rank Adaptation)")
    assert "0 embedded" in _as_everybody("index").out  # there is nothing to do
    newest = Generations(home).ids()[-1]
    _assert_told(_as_everybody("rollback", newest), StorageError, about=str(home))
    assert _files(home) == before


@pytest.mark.skipif(sys.platform != "linux", reason="gives up rights as Linux does")
@pytest.mark.parametrize("command", [("index",), ("ask", "What is LoRA?")])
def test_a_read_only_data_folder_without_an_index_is_told(
    read_only: Callable[[], Path], own: Path, command: tuple[str, ...]
) -> None:
    (own / "CURRENT").unlink()
    shutil.rmtree(own / "generations")
    done = _as_everybody(*command, "--home", read_only())
    _assert_told(done, StorageError, about=str(own))
    assert "WAYMARK_HOME" in done.err
