"""`waymark eval check-questions`: are the question sets what they say they are?"""

from pathlib import Path
from typing import Annotated

import typer

from eval.options import DEV, DOCUMENTS, FIT, HARD, OWN, source_folder
from eval.questions import load_questions
from rag.bundled import roadmap_path
from rag.errors import QuestionSetError
from rag.settings import load_settings


def check_questions(
    files: Annotated[
        list[Path] | None, typer.Argument(help="Question sets, JSONL; all that come with Waymark if none.")
    ] = None,
    sources: Annotated[
        Path | None, typer.Option(help="Folder with the documents; else sources/docs of the evaluation data.")
    ] = None,
) -> None:
    """Check that every piece of evidence stands verbatim, and once, where its question says."""
    from eval.question_check import check_set, source_reader

    read = source_reader(sources or source_folder(load_settings().settings))
    lines = roadmap_path().read_text(encoding="utf-8").split("\n")
    faults: list[str] = []
    for file in files or (DEV, OWN, DOCUMENTS, FIT, HARD):
        checked = check_set(load_questions(file), lines, read)
        faults += [f"{file.name}: {fault}" for fault in checked.faults]
        missing = (
            f", {len(checked.unchecked)} not checked: their documents are not here"
            if checked.unchecked
            else ""
        )
        typer.echo(f"{file.name}: {checked.n} questions, {len(checked.faults)} faults{missing}")
    for fault in faults:
        typer.echo(fault)
    if faults:
        raise QuestionSetError(
            f"{len(faults)} faults in question sets", hint="Mend the lines that are named."
        )
