"""Commands that answer: one question, a batch, or a conversation."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console

from rag.cli.output import as_line, print_json
from rag.errors import BatchError, IndexMissing, StorageError
from rag.settings import load_settings

if TYPE_CHECKING:  # the assistant loads numpy, FAISS and the embedder
    from rag.assistant import Assistant

Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]
Llm = Annotated[str | None, typer.Option(help="What writes the answer: auto or extractive.")]
Passages = Annotated[int | None, typer.Option(help="How many passages to retrieve.")]


def ask(
    question: Annotated[str | None, typer.Argument(help="The question; quote it.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole record as JSON.")] = False,
    batch: Annotated[
        Path | None, typer.Option(help="Questions, one JSON object a line; - for standard input.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where a batch writes; standard output if not given.")
    ] = None,
    llm: Llm = None,
    llm_url: Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")] = None,
    passages: Passages = None,
    home: Home = None,
) -> None:
    """Answer one question, or one per line of a batch."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give a question or --batch FILE, one of them", param_hint="QUESTION")
    if out is not None and batch is None:
        raise typer.BadParameter("only a --batch is written to a file", param_hint="--out")
    lines = [] if batch is None else _lines(batch)  # before anything is opened or built
    with opened(home=home, llm=llm, llm_url=llm_url, passages=passages) as assistant:
        if batch is not None:
            _answer_batch(assistant, lines, out)
            return
        answer = assistant.ask(question or "")
        if as_json:
            print_json(answer.to_dict())
            return
        from rag.render import show_answer

        show_answer(answer, Console(highlight=False))


def chat(llm: Llm = None, passages: Passages = None, home: Home = None) -> None:
    """Questions and follow-ups in the terminal."""
    from ui.terminal import run_chat

    with opened(home=home, llm=llm, passages=passages) as assistant:
        run_chat(assistant, Console(highlight=False))


@contextmanager
def opened(**flags: object) -> Iterator["Assistant"]:
    """An assistant; where there is no index yet, it is built first, with visible progress."""
    from rag.assistant import Assistant

    settings = load_settings(flags).settings
    try:
        assistant = Assistant.open(settings)
    except IndexMissing:
        from rag.cli.store import build

        Console(stderr=True).print("No index yet: building it.", highlight=False)
        build(settings, say=False)
        assistant = Assistant.open(settings)
    with assistant:
        yield assistant


def _answer_batch(assistant: "Assistant", lines: list[str], out: Path | None) -> None:
    from rag.batch import answer_batch
    from rag.cli.progress import progress_bars

    total = sum(bool(line.strip()) for line in lines)
    failed = 0
    with _output(out) as output, progress_bars() as progress:
        for done, (record, is_answer) in enumerate(answer_batch(assistant, lines), 1):
            output.write(as_line(record, output) + "\n")
            output.flush()
            failed += not is_answer
            progress("ask", done, total)
    if failed:
        raise BatchError(f"{failed} of {total} lines could not be answered; their records say why.")


def _lines(batch: Path) -> list[str]:
    try:
        data = sys.stdin.buffer.read() if str(batch) == "-" else batch.read_bytes()
    except OSError as error:
        raise BatchError(
            f"{batch} cannot be read: {error.strerror}", hint="Check the path of the batch."
        ) from error
    except ValueError as error:  # a NUL in the path
        raise BatchError(f"{batch} cannot be read: {error}", hint="Check the path of the batch.") from error
    return data.decode("utf-8-sig", errors="replace").split("\n")


@contextmanager
def _output(out: Path | None) -> Iterator[TextIO]:
    """Where the records go. A disk that refuses is told, whether at the opening, a record or the closing."""
    if out is None:
        yield sys.stdout
        return
    try:
        with out.open("w", encoding="utf-8", newline="\n") as file:
            yield file
    except OSError as error:
        raise StorageError(
            f"{out} cannot be written: {error.strerror}", hint="Choose another --out."
        ) from error
