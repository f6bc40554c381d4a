"""`waymark ask`, one question or a batch, and the talk in the terminal: what is printed, and how trouble is told."""

import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rag.errors import (
    BatchError,
    QuestionError,
    StorageError,
)
from rag.index.generations import Generations
from tests.rag.cli.running import Waymark, assert_told, command, environment, files

pytestmark = pytest.mark.slow

USAGE = 2  # Typer's own exit code


def test_ask_prints_the_answer_and_the_works_it_rests_on(waymark: Waymark, indexed: Path) -> None:
    done = waymark("ask", "How does LoRA cut memory?")
    assert done.code == 0
    assert "memory and" in done.out
    assert "[1] [2] 9.2. Parameter-Efficient Fine-Tuning (PEFT): The LoRA Method" in done.out
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
    before = files(own)
    assert waymark("ask", "What is LoRA?").code == 0
    assert files(own) == before


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
    assert_told(waymark("ask", "--", question), QuestionError, about=about)


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
            command("ask", "What is LoRA?"),
            env=environment(),
            stdout=pipe,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode in (0, 1)


# --- ask --batch ---------------------------------------------------------------------------------------------------


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
    assert_told(waymark("ask", "--batch", "/no/such/file"), BatchError, about="/no/such/file")
    assert_told(waymark("ask", "--batch", home.parent), BatchError, about="directory")
    assert not home.exists()


def test_an_out_that_cannot_be_written_is_told(waymark: Waymark, indexed: Path, tmp_path: Path) -> None:
    for out in (tmp_path, tmp_path / "no" / "folder"):
        assert_told(waymark("ask", "--batch", "-", "--out", out, stdin=GOOD), StorageError, about=str(out))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux only")
def test_a_disk_that_fills_up_during_a_batch_is_told(waymark: Waymark, indexed: Path) -> None:
    done = waymark("ask", "--batch", "-", "--out", "/dev/full", stdin=GOOD)
    assert_told(done, StorageError, about="/dev/full cannot be written: No space left")


# --- chat ----------------------------------------------------------------------------------------------------------


def test_a_piped_chat_answers_and_ends_cleanly(waymark: Waymark, indexed: Path) -> None:
    asked = "What is LoRA?\nand by what factor does it reduce the parameters?\n?!\n\xe9t\xe9".encode(
        "latin-1"
    )
    done = waymark("chat", "--terminal", stdin=asked)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("LoRA (Low-Rank Adaptation)") >= 1
    assert "factor of 10,000" in " ".join(done.out.split())
    assert "The question is empty." in done.out
