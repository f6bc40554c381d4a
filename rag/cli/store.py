"""Commands over the index: build, look, check, go back."""

from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rag.cli.output import print_facts, print_json, print_line
from rag.errors import DocumentError, IndexCorrupt, IndexMissing, SourcesSkipped
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from rag.embed import Embedder
    from rag.index.generations import Generations, Opened

Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def index(
    home: Home = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")] = False,
) -> None:
    """Build the index or bring it up to date; what did not change is not embedded again."""
    settings = load_settings({"home": home}).settings
    if dry_run:
        _show_plan(settings)
    else:
        build(settings, say=True)


def add(
    paths: Annotated[list[str], typer.Argument(help="Files and folders; folders with all that is in them.")],
    home: Home = None,
) -> None:
    """Add your own documents to the index: PDF, HTML, Markdown, reStructuredText, notebooks, Word, text."""
    from ingest.library import item_of, read_library, write_library

    settings = load_settings({"home": home}).settings
    items = [item_of(path) for path in paths]
    for path, item in zip(paths, items, strict=True):
        if "://" in item:
            raise DocumentError(f"{path}: pages cannot be added yet", hint="Save the page and add the file.")
        if not Path(item).exists():
            raise DocumentError(f"{path} does not exist", hint="Check the path.")
    write_library(settings.home, read_library(settings.home).with_items(*items))
    build(settings, say=True)


def remove(
    paths: Annotated[list[str], typer.Argument(help="Files and folders as they were added.")],
    home: Home = None,
) -> None:
    """Take your own documents out of the index; the files stay where they are."""
    from ingest.library import item_of, read_library, write_library

    settings = load_settings({"home": home}).settings
    library = read_library(settings.home)
    items = [item_of(path) for path in paths]
    for path, item in zip(paths, items, strict=True):
        if item not in library.items:
            listed = ", ".join(library.items) or "nothing"
            raise DocumentError(f"{path} was not added as such", hint=f"Added so far: {listed}.")
    write_library(settings.home, library.without(*items))
    build(settings, say=True)


def build(settings: Settings, *, say: bool) -> None:
    """Bring the index up to date; `say` prints what was done.

    Raises:
        SourcesSkipped: done, but not everything that is wanted could be indexed.
    """
    from ingest.pipeline import index_corpus
    from rag.cli.progress import progress_bars

    embedder = _embedder(settings)
    with progress_bars() as progress:
        report = index_corpus(settings.home, embedder=embedder, progress=progress)
    if not say:
        return
    counts = Counter(one.change for one in report.plan)
    changes = ", ".join(f"{n} {change}" for change, n in sorted(counts.items()) if change != "skipped")
    done = "indexed" if report.changed else "unchanged"
    print_line(
        f"{report.n_documents} documents {done} ({changes}): {report.n_chunks} chunks, "
        f"{report.n_embedded} embedded, {report.seconds:.1f} s, generation {report.generation_id}"
    )
    for skipped in report.skipped:
        print_line(f"skipped {skipped.path}: {skipped.reason}")
    if report.skipped:
        raise SourcesSkipped(f"{len(report.skipped)} sources were skipped; the others are indexed.")


def _show_plan(settings: Settings) -> None:
    from ingest.pipeline import plan_corpus

    for planned in plan_corpus(settings.home, embedder=_embedder(settings)):
        print_line(f"{planned.change}: {planned.path}{f' ({planned.reason})' if planned.reason else ''}")


def _embedder(settings: Settings) -> "Embedder":
    from rag.embed import open_embedder

    with Console(stderr=True).status("Opening the embedder"):
        return open_embedder(settings.embedder, home=settings.home)


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
