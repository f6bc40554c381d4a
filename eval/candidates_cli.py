"""`waymark eval candidates`: from what people marked down or were refused to questions of a set."""

import os
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from eval.options import DEV, DOCUMENTS, FIT, HARD, OWN, Home, source_folder
from eval.questions import load_questions
from rag.bundled import roadmap_path
from rag.errors import QuestionSetError, StorageError
from rag.settings import Settings, load_settings


def candidates(
    out: Annotated[Path, typer.Option(help="Where candidates are written, for a person to review.")] = Path(
        "candidates.jsonl"
    ),
    *,
    accept: Annotated[
        Path | None, typer.Option(help="File of reviewed candidates; they are added to the set --into.")
    ] = None,
    into: Annotated[Path | None, typer.Option(help="Question set that takes accepted candidates.")] = None,
    home: Home = None,
) -> None:
    """Turn thumbs-down and refusals into candidate questions; take over those that a person reviewed."""
    settings = load_settings({"home": home}).settings
    if accept is None:
        _collect(settings, out)
    elif into is None:
        raise typer.BadParameter("name the question set that takes them", param_hint="--into")
    else:
        _accept(settings, accept, into)


def _collect(settings: Settings, out: Path) -> None:
    from eval.candidates import find_candidates, read_feedback, to_lines

    feedback, n_bad = read_feedback(settings.home)
    known = [question for file in (DEV, OWN, DOCUMENTS, FIT, HARD) for question in load_questions(file)]
    found = find_candidates(feedback, known)
    bad = f", {n_bad} that could not be read" if n_bad else ""
    typer.echo(f"{len(feedback)} answers in conversations{bad}: {len(found)} candidates")
    if found:
        if out.exists():
            raise StorageError(
                f"{out} is there already", hint="Review it first, or name another file with `--out`."
            )
        try:
            out.write_text(to_lines(asdict(one) for one in found), encoding="utf-8")
        except OSError as error:
            raise StorageError(f"{out}: {error.strerror}", hint="Name another file with `--out`.") from error
        typer.echo(
            f"Written to {out}: fill in evidence and reference, set reviewed to true, then use --accept."
        )


def _accept(settings: Settings, accept: Path, into: Path) -> None:
    from eval.candidates import read_candidates, to_lines
    from eval.question_check import check_set, source_reader

    found = read_candidates(accept)
    reviewed = [one for one in found if one.reviewed]
    if not reviewed:
        raise QuestionSetError(
            f"{accept} holds no reviewed candidate", hint="Set `reviewed` to true where it is."
        )
    new = _beside(into, to_lines(one.to_question() for one in reviewed))
    try:
        lines = roadmap_path().read_text(encoding="utf-8").split("\n")
        read = source_reader(source_folder(settings))
        checked = check_set(load_questions(new), lines, read)
        if checked.faults:
            raise QuestionSetError(
                "; ".join(checked.faults), hint="Mend the candidates and accept them again."
            )
        os.replace(new, into)
    finally:
        new.unlink(missing_ok=True)
    typer.echo(f"{len(reviewed)} of {len(found)} candidates added to {into}")


def _beside(into: Path, more: str) -> Path:
    """A file beside the set: the whole set that it would become, to be checked and then put in its place at once."""
    try:
        before = into.read_text(encoding="utf-8") if into.is_file() else ""
        if before and not before.endswith("\n"):
            before += "\n"
        with tempfile.NamedTemporaryFile(
            "w", dir=into.parent, prefix=f".{into.name}.", delete=False, encoding="utf-8"
        ) as file:
            file.write(before + more)
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(f"{into}: {error}", hint="Name a question set with `--into`.") from error
    return Path(file.name)
