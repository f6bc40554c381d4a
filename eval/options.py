"""Options that several evaluation commands share, the question sets that come with Waymark, and the closing steps."""

import importlib.util
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from rag.bundled import bundled_path
from rag.errors import SettingsError
from rag.settings import Settings, load_settings

if TYPE_CHECKING:  # plots load matplotlib
    from eval.runs import Outcome

SETS = Path(__file__).parent / "questions"
DEV, OWN, DOCUMENTS, FIT, HARD, OTHERS = (
    SETS / f"{name}.jsonl" for name in ("dev", "own", "documents", "fit", "refusal", "others")
)
FLOORS = bundled_path("configs/gate.toml")
GATE_BROKEN = 1  # exit code

Questions = Annotated[Path, typer.Option(help="Question set, JSONL.")]
Home = Annotated[Path | None, typer.Option(help="Data folder, instead of the one in the settings.")]
Llm = Annotated[
    str | None, typer.Option(help="What writes the answers: extractive, transformers:…, openai:…")
]
LlmUrl = Annotated[str | None, typer.Option(help="Address of an OpenAI-compatible server.")]
Strategy = Annotated[str | None, typer.Option(help="How a language model is asked; `direct` if not given.")]
Strict = Annotated[bool | None, typer.Option("--strict", help="Leave out unsupported sentences.")]
Seed = Annotated[int | None, typer.Option(min=0, help="Seed of the language model.")]
Out = Annotated[
    Path | None, typer.Option(help="Folder in which the run gets its own; else the setting `runs`.")
]
Gate = Annotated[bool, typer.Option("--gate", help="Exit with 1 if a floor breaks or an item fails.")]
Judge = Annotated[
    str | None,
    typer.Option("--judge", help="Model that judges: transformers:… or openai:… with --judge-url."),
]
JudgeUrl = Annotated[str | None, typer.Option(help="Address of the judge's OpenAI-compatible server.")]
Concurrency = Annotated[
    int, typer.Option(min=1, help="Items that are judged at once; 1 suits a local model.")
]
Timeout = Annotated[float, typer.Option(min=0.1, help="Seconds for one metric of one item.")]
Most = Annotated[
    int, typer.Option(min=10, help="Most originals of each labelled set; each gives several pairs.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def require_extra(*modules: str) -> None:
    """Refuse early where the libraries of the suite are not installed.

    Raises:
        SettingsError: One of the modules is missing.
    """
    if missing := [name for name in modules if importlib.util.find_spec(name) is None]:
        raise SettingsError(
            f"not installed: {', '.join(missing)}",
            hint="`pip install 'waymark[eval]'` installs the suite's libraries.",
        )


def runs_folder(out: Path | None, home: Path | None = None) -> Path:
    """Where runs lie: as told, else as the settings say."""
    return out or load_settings({"home": home}).settings.runs_folder


def keep(outcome: "Outcome", parent: Path) -> Path:
    """Write a run into a new folder and say where it is."""
    from eval.runs import PAGE, new_folder, stamp, write_outcome  # noqa: PLC0415

    now = datetime.now(UTC)
    folder = write_outcome(outcome, new_folder(parent, stamp(now, outcome.kind)), now=now)
    Console(stderr=True, soft_wrap=True).print(f"Written to {folder / PAGE}", highlight=False, markup=False)
    return folder


def bars() -> Progress:
    """Progress bars on standard error, each with its description, a count and the time."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    return Progress(*columns, console=Console(stderr=True))


def end_with(broken: Sequence[str]) -> None:
    """Say which floors are broken and exit with 1, if any is."""
    for line in broken:
        Console(stderr=True, soft_wrap=True).print(f"Floor broken: {line}", highlight=False, markup=False)
    if broken:
        raise typer.Exit(GATE_BROKEN)


def evaluation_data(settings: Settings, name: str) -> Path | None:
    """The folder `name` of the evaluation data, also below its `data`; None where there is none."""
    if settings.eval_data is None:
        return None
    places = (settings.eval_data / name, settings.eval_data / "data" / name)
    return next((place for place in places if place.is_dir()), None)


def source_folder(settings: Settings) -> Path | None:
    """The folder of the documents that questions over the sources rest on; None where there is none."""
    folder = evaluation_data(settings, "sources")
    return folder / "docs" if folder else None
