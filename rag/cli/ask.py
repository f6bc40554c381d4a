"""Commands that answer: one question, a batch, or a conversation."""

import os
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
Llm = Annotated[
    str | None,
    typer.Option(
        help="What writes the answer: auto, extractive, transformers:NAME_OR_FOLDER or openai:MODEL."
    ),
]
LlmUrl = Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")]
Strategy = Annotated[
    str | None,
    typer.Option(
        help="How a model is asked: direct, step_by_step, least_to_most, draft_and_select, expand_query."
    ),
]
Strict = Annotated[
    bool | None, typer.Option("--strict", help="Leave out sentences that the passages do not support.")
]
Seed = Annotated[
    int | None, typer.Option(min=0, help="Seed of the model; without one the likeliest words are taken.")
]
Passages = Annotated[int | None, typer.Option(help="How many passages to retrieve.")]


def ask(
    question: Annotated[
        str | None, typer.Argument(help="The question; quote it. - reads it from standard input.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole record as JSON.")] = False,
    batch: Annotated[
        Path | None, typer.Option(help="Questions, one JSON object a line; - for standard input.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Where a batch writes; standard output if not given.")
    ] = None,
    llm: Llm = None,
    llm_url: LlmUrl = None,
    strategy: Strategy = None,
    strict: Strict = None,
    seed: Seed = None,
    passages: Passages = None,
    home: Home = None,
) -> None:
    """Answer one question, or one per line of a batch."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give a question or --batch FILE, one of them", param_hint="QUESTION")
    if out is not None and batch is None:
        raise typer.BadParameter("only a --batch is written to a file", param_hint="--out")
    question = None if question is None else _heard(question)
    lines = [] if batch is None else _lines(batch)  # before anything is opened or built
    flags = {"llm": llm, "llm_url": llm_url, "strategy": strategy, "strict": strict, "seed": seed}
    with opened(home=home, passages=passages, **flags) as assistant:
        if batch is not None:
            _answer_batch(assistant, lines, out)
            return
        if as_json:
            print_json(assistant.ask(question or "").to_dict())
            return
        from rag.render import answer_console, show_stream

        show_stream(assistant.stream(question or ""), answer_console())


def chat(
    *,
    port: Annotated[
        int | None, typer.Option(min=1, max=65535, help="Port of the page; from 8501 on if not given.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Open no browser.")] = False,
    terminal: Annotated[bool, typer.Option("--terminal", help="Talk in the terminal instead.")] = False,
    llm: Llm = None,
    llm_url: LlmUrl = None,
    passages: Passages = None,
    home: Home = None,
) -> None:
    """The app in the browser: questions, follow-ups, the roadmap, your documents."""
    given = {"home": home, "llm": llm, "llm_url": llm_url, "passages": passages}
    if terminal:
        from rag.render import answer_console
        from ui.terminal import run_chat

        with opened(**given) as assistant:
            run_chat(assistant, answer_console())
        return
    from ui.launch import serve

    load_settings(given)  # a bad value is told here and not in the browser
    open_browser = not no_browser and sys.stdout.isatty()
    raise typer.Exit(serve(given, port=port, open_browser=open_browser, say=typer.echo))


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


def _heard(question: str) -> str:
    """The question: from standard input for `-`; in UTF-8 also where the locale has not the letters for it."""
    if question == "-":
        return sys.stdin.buffer.read().decode("utf-8-sig", errors="replace").strip()
    try:
        return os.fsencode(question).decode("utf-8", errors="replace")
    except UnicodeEncodeError:  # surrogates that stand for no byte
        return question


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
