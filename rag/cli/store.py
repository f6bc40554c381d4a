"""Commands over the index: build, look, check, go back."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rag.cli.output import print_facts, print_json, print_line
from rag.errors import IndexCorrupt, IndexMissing
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from rag.index.generations import Generations, Opened

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
    if as_json:
        record = asdict(manifest) | {
            "generation_id": manifest.generation_id,
            "home": str(settings.home),
            "size_bytes": _size_bytes(opened),
            "warnings": list(opened.warnings),
        }
        print_json(record)
        return
    for warning in opened.warnings:
        print_line(f"Warning: {warning}")
    print_facts({"data folder": str(settings.home)} | _facts(opened))
    for source in manifest.sources:
        print_line(f"- {source.path}: {source.title} ({source.n_chunks} chunks)")
    for skipped in manifest.skipped:
        print_line(f"- skipped {skipped.path}: {skipped.reason}")


def _facts(opened: "Opened") -> dict[str, str]:
    manifest = opened.manifest
    embedder, counts = manifest.embedder, manifest.counts
    return {
        "generation": manifest.generation_id,
        "made": manifest.created_at,
        "embedder": f"{embedder.model}@{embedder.revision[:12]}, {embedder.dim} dimensions",
        "chunks": f"{counts.chunks} of {counts.documents} documents, {counts.sentences} sentences",
        "size": f"{_size_bytes(opened) / 1e6:.1f} MB",
    }


def _size_bytes(opened: "Opened") -> int:
    return sum(file.size_bytes for file in opened.manifest.files)


def verify(home: Home = None) -> None:
    """Check every byte of every generation against its manifest."""
    generations = _indexed(home)
    damaged = 0
    for name, problems in generations.verify().items():
        print_line(f"{name}: {'; '.join(problems) if problems else 'whole'}")
        damaged += bool(problems)
    if damaged:
        raise IndexCorrupt(f"{damaged} of the generations did not pass.")


def versions(home: Home = None, as_json: AsJson = False) -> None:
    """The generations that are kept, newest first; a star marks the one that serves."""
    found = _indexed(home).versions()
    if as_json:
        print_json(
            [asdict(version) | {"created_at": version.created_at, "ok": version.ok} for version in found]
        )
        return
    for version in found:
        counts = (
            f"{version.counts.documents} documents, {version.counts.chunks} chunks" if version.counts else "?"
        )
        state = "whole" if version.ok else "; ".join(version.problems)
        print_line(f"{'*' if version.current else ' '} {version.generation_id}  {counts}  {state}")


def rollback(
    generation: Annotated[
        str | None, typer.Argument(help="Its id; the one before the current if not given.")
    ] = None,
    home: Home = None,
) -> None:
    """Let an earlier generation serve."""
    generations = _indexed(home)
    if generation is not None and generation not in generations.ids():
        raise IndexMissing(
            f"There is no generation {generation!r} in {generations.home}.",
            hint="`waymark versions` lists those that are there.",
        )
    typer.echo(f"generation {generations.rollback(generation)} serves now")


def _indexed(home: Path | None) -> "Generations":
    """The generations of a data folder in which there are any; looks, and leaves no trace."""
    from rag.index.generations import Generations

    generations = Generations(load_settings({"home": home}).settings.home)
    if not generations.ids() and not generations.named():
        raise IndexMissing(f"There is no index in {generations.home} yet.")
    return generations
