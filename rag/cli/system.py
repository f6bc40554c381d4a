"""Commands about the installation itself."""

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from rag.cli.output import print_json
from rag.settings import LoadedSettings, load_settings

SOMETHING_MISSING = 1  # exit code
_NARROWEST = 60  # columns of a table; a terminal with fewer breaks its lines itself


def doctor(
    settings: Annotated[
        bool, typer.Option("--settings", help="List every setting, its value and its origin.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    home: Annotated[
        Path | None, typer.Option(help="Data folder, instead of the one in the settings.")
    ] = None,
) -> None:
    """What is installed or missing, and the command that mends it."""
    loaded = load_settings({"home": home})
    if settings:
        _show_settings(loaded, as_json=as_json)
        return
    from rag.doctor import examine

    findings = list(examine(loaded.settings))
    if as_json:
        print_json([asdict(finding) for finding in findings])
    else:
        _show(
            ("", "", "", "mend with"),
            [("ok" if one.ok else "!!", one.name, one.what, one.mend) for one in findings],
        )
    if not all(finding.ok for finding in findings):
        raise typer.Exit(SOMETHING_MISSING)


def _show_settings(loaded: LoadedSettings, *, as_json: bool) -> None:
    values = {name: str(getattr(loaded.settings, name)) for name in loaded.origins}
    if as_json:
        print_json({name: {"value": values[name], "origin": loaded.origins[name]} for name in values})
    else:
        _show(
            ("setting", "value", "from"),
            [(name, value, loaded.origins[name]) for name, value in values.items()],
        )


def _show(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """A table as wide as the terminal; what does not fit goes on below and is not cut."""
    table = Table(*(Column(name, overflow="fold") for name in head), box=None)
    for row in rows:
        table.add_row(*row)
    console = Console(highlight=False, markup=False, emoji=False)
    console.width = max(console.width, _NARROWEST)
    console.print(table)
