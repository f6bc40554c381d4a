"""Commands about language models: what is on this machine, and downloading one."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from rag.cli.output import print_json, print_line
from rag.settings import load_settings

app = typer.Typer(add_completion=False, help="Language models on this machine.")

Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]


@app.callback(invoke_without_command=True)
def models(
    ctx: typer.Context,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: Home = None,
) -> None:
    """The language models on this machine: size, licence, format, and what --llm calls them."""
    if ctx.invoked_subcommand is not None:
        return
    from rag.generate.known import known_models

    found = known_models(load_settings({"home": home}).settings.llm_folder)
    if as_json:
        print_json(
            [
                {
                    "llm": model.spec,
                    "bytes": model.bytes,
                    "licence": model.licence,
                    "format": model.format,
                    "context_tokens": model.context_tokens,
                    "revision": model.revision,
                    "folder": str(model.folder),
                    "trouble": model.trouble,
                }
                for model in found
            ]
        )
        return
    if not found:
        print_line(
            "No language model is on this machine. `waymark models pull Qwen/Qwen3-0.6B` downloads one."
        )
        return
    table = Table(
        *(Column(name, overflow="fold") for name in ("--llm", "size", "licence", "format", "")), box=None
    )
    for model in found:
        table.add_row(
            model.spec, human_bytes(model.bytes), model.licence, model.format, model.trouble or "ready"
        )
    Console(highlight=False, markup=False, emoji=False).print(table)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="As the Hugging Face hub calls it, such as Qwen/Qwen3-0.6B.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    revision: Annotated[str | None, typer.Option(help="A commit or tag, instead of the newest.")] = None,
    home: Home = None,
) -> None:
    """Download a language model; says first how large it is."""
    from rag.generate.pull import plan_pull
    from rag.generate.pull import pull as fetch

    settings = load_settings({"home": home}).settings
    plan = plan_pull(name, revision=revision)
    print_line(
        f"{plan.name}, revision {plan.revision[:12]}: {human_bytes(plan.bytes)} in {len(plan.files)} files, "
        f"licence {plan.licence}"
    )
    if not yes:
        typer.confirm("Download it?", abort=True, err=True)
    fetch(plan, home=settings.home)
    print_line(f"Ready: waymark ask --llm transformers:{plan.name} …")


def human_bytes(number: int) -> str:
    """As disks are sold: 1.2 GB."""
    for unit, size in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{number} bytes"
