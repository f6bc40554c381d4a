"""`waymark eval fit-gate`: fit the evidence gates on labelled questions."""

import json
from pathlib import Path
from typing import Annotated

import typer

from eval.options import FIT, HARD, OTHERS
from eval.questions import load_questions


def fit_refusal(
    natural: Annotated[
        Path, typer.Option(help="Questions as people ask them; they set the threshold.")
    ] = FIT,
    hard: Annotated[Path, typer.Option(help="Questions written to be confusable.")] = HARD,
    answered: Annotated[
        float, typer.Option(min=0.5, max=1.0, help="Share of answerable questions to answer.")
    ] = 0.97,
    others: Annotated[
        bool,
        typer.Option(
            "--others",
            help="Fit the gate of the documents beside the roadmap, on questions about the evaluation data's "
            "documents, which have to be indexed; --natural and --hard do not count.",
        ),
    ] = False,
    out: Annotated[Path | None, typer.Option(help="Where to write; printed if not given.")] = None,
) -> None:
    """Fit an evidence gate: when a question is refused."""
    from eval.refusal import fit_gate, for_any_size, label, load_asked_of_others
    from rag.assistant import Assistant

    with Assistant.open() as assistant:
        if others:
            asked = label(assistant, load_asked_of_others(OTHERS), others=True)
            searched = len(assistant.index.others or assistant.index)
            record = for_any_size(fit_gate(asked, answered=answered), searched=searched)
            record["fitted"] |= {"natural": OTHERS.name, "hard": ""}
        else:
            sets = (label(assistant, load_questions(path)) for path in (natural, hard))
            record = fit_gate(*sets, answered=answered)
            record["fitted"] |= {"natural": natural.name, "hard": hard.name}
    text = json.dumps(record, indent=1) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")
