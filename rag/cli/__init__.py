"""The command line. Options in, text or JSON out; one place where errors become a line, a hint and an exit code.

Commands import what they run when they run, so that `waymark --help` loads no heavy library. The evaluation suite
brings commands of its own, loaded when one of them is called.
"""

import errno
import io
import os
import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import rag
from rag.cli.ask import ask, chat
from rag.cli.own import add, remove
from rag.cli.store import index, rollback, status, verify, versions
from rag.cli.system import doctor
from rag.errors import StorageError, WaymarkError
from rag.render import plain


class _Commands(TyperGroup):
    """The commands below, and the groups of other packages, whose modules are loaded only when they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:  # Any: click's context
        return [*super().list_commands(ctx), "sources", "models", "eval", "bench"]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name == "sources":
            from ingest.sources_cli import app as group
        elif cmd_name == "models":
            from rag.cli.models import app as group
        elif cmd_name == "eval":
            from eval.cli import app as group
        elif cmd_name == "bench":
            from eval.bench_cli import app as group
        else:
            return super().get_command(ctx, cmd_name)
        command = typer.main.get_command(group)
        command.name = cmd_name
        return command


app = typer.Typer(
    cls=_Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Answers questions about the roadmap and the works it cites, and shows where each sentence comes from.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"waymark {rag.__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""


for command in (ask, chat, index, add, remove, status, verify, versions, rollback, doctor):
    app.command()(command)


def main() -> None:
    """Run the program; the only place that catches `WaymarkError`."""
    for stream in (sys.stdin, sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a letter that a terminal lacks ends nothing
    try:
        try:
            app()
        finally:
            sys.stdout.flush()  # while it can still be told that it fails
    except WaymarkError as error:
        print(f"waymark: {plain(str(error))}", file=sys.stderr)
        if error.hint:
            print(f"hint: {plain(error.hint)}", file=sys.stderr)
        sys.exit(error.exit_code)
    except (
        OSError
    ) as error:  # disks are watched where they are written to: this is what standard output leads to
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EPIPE):
            raise
        sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 (what is left is dropped at the end of the process)
        if error.errno == errno.EPIPE:  # whoever read it has had enough
            sys.exit(1)
        print(f"waymark: The output cannot be written: {error.strerror}.", file=sys.stderr)
        print("hint: Make room, or send it to another place.", file=sys.stderr)
        sys.exit(StorageError.exit_code)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
