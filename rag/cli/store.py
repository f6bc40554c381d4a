"""Commands over the index: build, look, check, go back."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rag.errors import IndexCorrupt
from rag.settings import Settings, load_settings

Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def index(home: Home = None) -> None:
    """Build the index or bring it up to date; what did not change is not embedded again."""
    build(load_settings({"home": home}).settings, say=True)


def build(settings: Settings, *, say: bool) -> None:
    """Bring the index up to date; `say` prints what was done."""
    from ingest.pipeline import index_corpus
    from rag.cli.progress import progress_bars
    from rag.embed import open_embedder

    console = Console(stderr=True)
    with console.status("Opening the embedder"):
        embedder = open_embedder(settings.embedder, home=settings.home)
    with progress_bars() as progress:
        report = index_corpus(settings.home, embedder=embedder, progress=progress)
    if not say:
        return
    done = "indexed" if report.changed else "unchanged"
    typer.echo(
        f"{report.n_documents} documents {done}: {report.n_chunks} chunks, {report.n_embedded} embedded, "
        f"{report.seconds:.1f} s, generation {report.generation_id}"
    )


def status(home: Home = None, as_json: AsJson = False) -> None:
    """What is indexed, with what, and since when."""
    from rag.index.generations import Generations

    settings = load_settings({"home": home}).settings
    opened = Generations(settings.home).open_current()
    manifest = opened.manifest
    size = sum(file.size_bytes for file in manifest.files)
    if as_json:
        record = asdict(manifest) | {
            "generation_id": manifest.generation_id,
            "home": str(settings.home),
            "size_bytes": size,
            "warnings": list(opened.warnings),
        }
        typer.echo(json.dumps(record, ensure_ascii=False, indent=1))
        return
    console = Console()
    for warning in opened.warnings:
        console.print(f"Warning: {warning}", style="yellow", markup=False, highlight=False)
    embedder = manifest.embedder
    facts = {
        "data folder": str(settings.home),
        "generation": manifest.generation_id,
        "made": manifest.created_at,
        "embedder": f"{embedder.model}@{embedder.revision[:12]}, {embedder.dim} dimensions",
        "chunks": f"{manifest.counts.chunks} of {manifest.counts.documents} documents, {manifest.counts.sentences} sentences",
        "size": f"{size / 1e6:.1f} MB",
    }
    table = Table.grid(padding=(0, 2))
    for name, value in facts.items():
        table.add_row(name, value)
    console.print(table)
    for source in manifest.sources:
        console.print(f"- {source.path}: {source.title} ({source.n_chunks} chunks)", markup=False, highlight=False)
    for skipped in manifest.skipped:
        console.print(f"- skipped {skipped.path}: {skipped.reason}", style="yellow", markup=False, highlight=False)


def verify(home: Home = None) -> None:
    """Check every byte of every generation against its manifest."""
    from rag.index.generations import Generations

    generations = Generations(load_settings({"home": home}).settings.home)
    generations.open_current()
    damaged = 0
    for name, problems in generations.verify().items():
        typer.echo(f"{name}: {'; '.join(problems) if problems else 'whole'}")
        damaged += bool(problems)
    if damaged:
        raise IndexCorrupt(f"{damaged} of the generations did not pass.")


def versions(home: Home = None, as_json: AsJson = False) -> None:
    """The generations that are kept, newest first."""
    from rag.index.generations import Generations

    found = Generations(load_settings({"home": home}).settings.home).versions()
    if as_json:
        records = [asdict(version) | {"created_at": version.created_at, "ok": version.ok} for version in found]
        typer.echo(json.dumps(records, indent=1))
        return
    table = Table("", "generation", "made", "documents", "chunks", "state", box=None)
    for version in found:
        counts = (str(version.counts.documents), str(version.counts.chunks)) if version.counts else ("?", "?")
        state = "whole" if version.ok else "; ".join(version.problems)
        table.add_row("*" if version.current else "", version.generation_id, version.created_at, *counts, state)
    Console().print(table)


def rollback(
    generation: Annotated[str | None, typer.Argument(help="Its id; the one before the current if not given.")] = None,
    home: Home = None,
) -> None:
    """Let an earlier generation serve."""
    from rag.index.generations import Generations

    chosen = Generations(load_settings({"home": home}).settings.home).rollback(generation)
    typer.echo(f"generation {chosen} serves now")
