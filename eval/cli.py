"""The `waymark eval` commands, gathered from the modules that hold them.

Whatever is wrong with files or settings is raised as a `WaymarkError` and told by the program's own handler. Commands
import what they run when they run, so that `--help` stays fast.
"""

import typer

from eval.candidates_cli import candidates
from eval.chunking_cli import chunking
from eval.fit_cli import fit_refusal
from eval.gold_cli import gold
from eval.ground_cli import checker, clapnq, fit_checker, sources
from eval.judge_cli import judge
from eval.questions_cli import check_questions
from eval.ragas_cli import ragas
from eval.run_cli import compare, gate, runs
from eval.suite_cli import suite
from eval.talks_cli import talks

app = typer.Typer(no_args_is_help=True)


@app.callback()
def main() -> None:
    """Measure the assistant and write reports."""


app.command()(gold)
app.command()(ragas)
app.command()(judge)
app.command()(suite)
app.command()(compare)
app.command()(gate)
app.command()(runs)
app.command()(chunking)
app.command()(candidates)
app.command("check-questions")(check_questions)
app.command("fit-gate")(fit_refusal)
app.command()(checker)
app.command()(clapnq)
app.command("fit-checker")(fit_checker)
app.command()(sources)
app.command()(talks)
