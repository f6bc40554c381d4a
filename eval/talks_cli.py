"""`waymark eval talks`: are follow-ups understood, and is the right section found for them?"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from eval.options import SETS, AsJson, Home
from eval.talks import Told, load_talks, summary, tell
from rag.schema import Turn


def talks(
    file: Annotated[Path, typer.Argument(help="Conversations, JSONL.")] = SETS / "talks.jsonl",
    *,
    half: Annotated[
        str | None, typer.Option(help="List what went wrong in this half: develop or report.")
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Rewrite follow-ups by rule and count what is right, what changed needlessly, and what is found."""
    from rag.cli.ask import opened

    with opened(home=home) as assistant:

        def search(question: str, history: Sequence[Turn]) -> tuple[str, ...]:
            return tuple(
                hit.chunk.section_id for hit in assistant.search(question, k=1, history=tuple(history))
            )

        told = [tell(talk, search) for talk in load_talks(file)]
    counts = summary(told)
    if as_json:
        typer.echo(json.dumps(counts, indent=1))
        return
    for name, row in counts.items():
        typer.echo(f"{name}: " + ", ".join(f"{what} {n}" for what, n in row.items()))
    for one in told:
        if one.talk.half == half and not one.right:
            typer.echo(_wrong(one))


def _wrong(one: Told) -> str:
    return f"{one.talk.id}: {one.talk.question!r} became {one.rewrite!r}; wanted {one.talk.by_hand!r}"
