"""Commands over the index: build, follow, look, check, go back."""

import sys
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from rag.cli.output import counted, print_facts, print_json, print_line
from rag.errors import IndexCorrupt, IndexMissing, SettingsError, SourcesSkipped, WaymarkError
from rag.settings import Settings, load_settings

if TYPE_CHECKING:
    from ingest.library import Library
    from ingest.pipeline import IndexReport
    from ingest.plan import Planned
    from rag.embed import Embedder
    from rag.index.generations import Generations, Opened
    from rag.index.manifest import SkippedSource

Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def index(
    home: Home = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be done; do nothing.")] = False,
    as_json: AsJson = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Stay, and follow what was added until Ctrl-C.")
    ] = False,
) -> None:
    """Build the index or bring it up to date; what did not change is not embedded again."""
    settings = load_settings({"home": home}).settings
    if watch and (dry_run or as_json):
        raise SettingsError("--watch goes without --dry-run and --json.", hint="See --help.")
    if dry_run:
        _show_plan(settings, as_json=as_json)
    elif watch:
        _watch(settings)
    else:
        build(settings, say=True, as_json=as_json)


def build(settings: Settings, *, say: bool, asked: Collection[str] = (), as_json: bool = False) -> None:
    """Bring the index up to date; `say` prints what was done, `as_json` for programs.

    Args:
        asked: URLs of works that this run is about.

    Raises:
        SourcesSkipped: done, but of one's own documents, or of what was asked, not everything could be indexed.
    """
    report = _indexed_now(settings, _embedder(settings))
    if not say:
        return
    passed_over, works, told = _sorted_out(report, settings.home, asked)
    if as_json:
        print_json(_record(report) | {"skipped": [asdict(one) for one in told], "passed_over": passed_over})
    else:
        _tell(report, passed_over, works, told)
    if told:
        was = "was" if len(told) == 1 else "were"
        raise SourcesSkipped(f"{counted(len(told), 'source')} {was} skipped; the others are indexed.")


def _tell(report: "IndexReport", passed_over: int, works: int, told: "Iterable[SkippedSource]") -> None:
    print_line(_summary(report))
    for skipped in told:
        print_line(f"skipped {skipped.path}: {skipped.reason}")
    if works:
        print_line(f"{works} works cited could not be read; `waymark sources` says why")
    if passed_over:
        print_line(
            f"Passed over, hidden or a link: {counted(passed_over, 'file')}; `waymark status` lists them"
        )


def _sorted_out(
    report: "IndexReport", home: Path, asked: Collection[str]
) -> "tuple[int, int, list[SkippedSource]]":
    """How many were passed over, how many works cannot be read, and what has to be told."""
    from ingest.gather import is_passed_over
    from ingest.library import read_library

    library = read_library(home)
    passed_over = [one for one in report.skipped if is_passed_over(one, library)]
    left = [one for one in report.skipped if one not in passed_over]
    told = [one for one in left if one.path in asked or not _is_unreadable_work(one, library)]
    return len(passed_over), len(left) - len(told), told


def _is_unreadable_work(skipped: "SkippedSource", library: "Library") -> bool:
    """Whether it is a page of a work cited that was fetched and is none to read: told when it was fetched."""
    is_page = "://" in skipped.path and skipped.path not in library.items
    return is_page and bool(skipped.content_sha256)


def _indexed_now(settings: Settings, embedder: "Embedder") -> "IndexReport":
    from ingest.pipeline import index_corpus
    from rag.cli.progress import progress_bars

    with progress_bars() as progress:
        return index_corpus(settings.home, embedder=embedder, progress=progress)


def _summary(report: "IndexReport") -> str:
    done = "indexed" if report.changed else "unchanged"
    return (
        f"{counted(report.n_documents, 'document')} {done} ({_counted(report.plan)}): "
        f"{counted(report.n_chunks, 'chunk')}, "
        f"{report.n_embedded} embedded, {report.seconds:.1f} s, generation {report.generation_id}"
    )


def _record(report: "IndexReport") -> dict[str, object]:
    return {
        "generation_id": report.generation_id,
        "changed": report.changed,
        "documents": report.n_documents,
        "chunks": report.n_chunks,
        "embedded": report.n_embedded,
        "seconds": round(report.seconds, 3),
        "counts": dict(sorted(Counter(one.change.value for one in report.plan).items())),
    }


def _counted(plan: "Iterable[Planned]") -> str:
    counts = Counter(one.change for one in plan)
    return ", ".join(f"{n} {change}" for change, n in sorted(counts.items()) if change != "skipped")


def _watch(settings: Settings) -> None:
    """One line for each run; what goes wrong in one is told, and the next change is waited for."""
    from ingest.watch import until_interrupted, watch_library

    embedder = _embedder(settings)

    def update() -> None:
        try:
            report = _indexed_now(settings, embedder)
        except WaymarkError as error:
            said = f"failed: {error}"
        else:
            *_, told = _sorted_out(report, settings.home, ())
            skipped = f", {len(told)} skipped" if told else ""
            said = f"{_summary(report)}{skipped}"
        print_line(f"{datetime.now().astimezone():%H:%M:%S} {said}")
        sys.stdout.flush()  # also where it is read by a program

    with until_interrupted() as stop:
        watch_library(settings.home, update, debounce_s=settings.watch_debounce_s, stop=stop)


def _show_plan(settings: Settings, *, as_json: bool) -> None:
    from ingest.pipeline import plan_corpus

    plan = plan_corpus(settings.home, embedder=_embedder(settings))
    counts = Counter(one.change.value for one in plan)
    if as_json:
        print_json({"counts": dict(sorted(counts.items())), "sources": [asdict(one) for one in plan]})
        return
    for planned in plan:
        print_line(f"{planned.change}: {planned.path}{f' ({planned.reason})' if planned.reason else ''}")
    print_line(", ".join(f"{n} {change}" for change, n in sorted(counts.items())))


def _embedder(settings: Settings) -> "Embedder":
    from rag.embed import open_embedder

    with Console(stderr=True).status("Opening the embedder"):
        return open_embedder(settings.embedder, home=settings.home)


def status(home: Home = None, as_json: AsJson = False) -> None:
    """What is indexed, with what, and since when."""
    from ingest.gather import is_passed_over
    from ingest.library import read_library
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
        print_line(f"- {source.path}: {source.title} ({counted(source.n_chunks, 'chunk')})")
    library = read_library(settings.home)
    for skipped in manifest.skipped:
        what = "passed over" if is_passed_over(skipped, library) else "skipped"
        print_line(f"- {what} {skipped.path}: {skipped.reason}")


def _facts(opened: "Opened") -> dict[str, str]:
    manifest = opened.manifest
    embedder, counts = manifest.embedder, manifest.counts
    return {
        "generation": manifest.generation_id,
        "made": manifest.created_at,
        "embedder": f"{embedder.model}@{embedder.revision[:12]}, {embedder.dim} dimensions",
        "chunks": f"{counts.chunks:,} of {counted(counts.documents, 'document')}, "
        f"{counted(counts.sentences, 'sentence')}",
        "size": f"{_size_bytes(opened) / 1e6:.1f} MB",
    }


def _size_bytes(opened: "Opened") -> int:
    return sum(file.size_bytes for file in opened.manifest.files)


def verify(home: Home = None, as_json: AsJson = False) -> None:
    """Check every byte of every generation against its manifest."""
    found = _indexed(home).verify()
    if as_json:
        print_json({name: list(problems) for name, problems in found.items()})
    else:
        for name, problems in found.items():
            print_line(f"{name}: {'; '.join(problems) if problems else 'whole'}")
    if damaged := sum(map(bool, found.values())):
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
            f"{counted(version.counts.documents, 'document')}, {counted(version.counts.chunks, 'chunk')}"
            if version.counts
            else "?"
        )
        state = "whole" if version.ok else "; ".join(version.problems)
        print_line(f"{'*' if version.current else ' '} {version.generation_id}  {counts}  {state}")


def rollback(
    generation: Annotated[
        str | None, typer.Argument(help="Its id; the one before the current if not given.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Let an earlier generation serve."""
    generations = _indexed(home)
    if generation is not None and generation not in generations.ids():
        raise IndexMissing(
            f"There is no generation {generation!r} in {generations.home}.",
            hint="`waymark versions` lists those that are there.",
        )
    serves = generations.rollback(generation)
    if as_json:
        print_json({"generation_id": serves})
    else:
        print_line(f"generation {serves} serves now")


def _indexed(home: Path | None) -> "Generations":
    """The generations of a data folder in which there are any; looks, and leaves no trace."""
    from rag.index.generations import Generations

    generations = Generations(load_settings({"home": home}).settings.home)
    if not generations.ids() and not generations.named():
        raise IndexMissing(f"There is no index in {generations.home} yet.")
    return generations
