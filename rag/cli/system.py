"""Commands about the installation itself."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rag.settings import load_settings

SOMETHING_MISSING = 1  # exit code


def doctor(
    settings: Annotated[bool, typer.Option("--settings", help="List every setting, its value and its origin.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")] = None,
) -> None:
    """What is installed or missing, and the command that mends it."""
    loaded = load_settings({"home": home})
    if settings:
        values = {name: (str(getattr(loaded.settings, name)), origin) for name, origin in loaded.origins.items()}
        if as_json:
            record = {name: {"value": value, "origin": origin} for name, (value, origin) in values.items()}
            typer.echo(json.dumps(record, ensure_ascii=False, indent=1))
            return
        table = Table("setting", "value", "from", box=None)
        for name, (value, origin) in values.items():
            table.add_row(name, value, origin)
        Console(highlight=False).print(table)
        return
    from rag.doctor import examine

    findings = list(examine(loaded.settings))
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False, indent=1))
    else:
        table = Table("", "", "", "mend with", box=None)
        for finding in findings:
            table.add_row("ok" if finding.ok else "!!", finding.name, finding.what, finding.mend)
        Console(highlight=False).print(table)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(SOMETHING_MISSING)
