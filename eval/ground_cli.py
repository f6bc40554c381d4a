"""`waymark eval clapnq`, `checker` and `fit-checker`: how well statements are checked against evidence."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from eval.bootstrap import Interval
from eval.options import FIT, SETS
from eval.questions import load_questions
from rag.errors import QuestionSetError
from rag.settings import Settings, load_settings

if TYPE_CHECKING:  # they load numpy and scikit-learn
    from eval.clapnq import Choice
    from eval.source_graph import SourceReport

SOURCES = SETS / "sources.jsonl"
AsJson = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def clapnq(as_json: AsJson = False) -> None:
    """Choose the evidence sentences of CLAPNQ's answers, beside what needs no checker."""
    settings, folder = _settings()
    from eval.clapnq import answerability, baselines, load_asked, load_items, measure
    from eval.remember import RememberingEmbedder
    from rag.embed import open_embedder
    from rag.ground.embedded import EmbeddedChecker

    items, asked = load_items(folder), load_asked(folder)
    embedder = RememberingEmbedder(open_embedder(settings.embedder, home=settings.home))
    checker = EmbeddedChecker(embedder)
    found = {name: measure(items, choose) for name, choose in baselines(embedder).items()}
    found["the embedded checker"] = measure(
        items, lambda item: frozenset(checker.choose(item.answer, item.sentences))
    )
    told = answerability(asked, embedder)
    if as_json:
        record = {
            "evidence": {name: asdict(choice) for name, choice in found.items()},
            "answerable": {name: asdict(auroc) for name, auroc in told.items()},
        }
        typer.echo(json.dumps(record, indent=1))
        return
    Console().print(_choices(found), _answerable(told))


def checker(as_json: AsJson = False) -> None:
    """Tell supported statements from changed and swapped ones: CLAPNQ, and other sections of the roadmap."""
    settings, folder = _settings()
    from eval.clapnq import load_items
    from eval.pairs import answer_pairs, check_pairs, overall_auroc, quote_pairs, section_pairs, tell
    from rag.assistant import Assistant
    from rag.embed import open_embedder
    from rag.ground.embedded import EmbeddedChecker, load_model

    items = load_items(folder)
    with Assistant.open(settings) as assistant:
        sections = section_pairs(assistant.index.chunks(range(len(assistant.index))))
    sets = {
        "evidence sentences against their passage": quote_pairs(items),
        "sentences of the written answers against their evidence": answer_pairs(items),
        "sentences of the roadmap against another section": sections,
    }
    one = EmbeddedChecker(open_embedder(settings.embedder, home=settings.home))
    report = {}
    for name, pairs in sets.items():
        scores = check_pairs(one, pairs)
        kinds = tell(pairs, scores, threshold=load_model().threshold)
        both = len({pair.supported for pair in pairs}) == 2
        auroc = overall_auroc(pairs, scores) if both else None
        report[name] = {"n": len(pairs), "auroc": auroc, "kinds": [asdict(kind) for kind in kinds]}
        if not as_json:
            table = Table(title=f"{name}: n {len(pairs)}" + ("" if auroc is None else f", AUROC {auroc:.3f}"))
            for column in ("kind", "n", "right", "told apart", "AUROC"):
                table.add_column(column, justify="left" if column == "kind" else "right")
            for kind in kinds:
                shares = (_percent(kind.right), _percent(kind.apart))
                table.add_row(
                    kind.kind, str(kind.n), *shares, "" if kind.auroc is None else f"{kind.auroc:.3f}"
                )
            Console().print(table)
    if as_json:
        typer.echo(json.dumps(report, indent=1))


def fit_checker(
    questions: Annotated[Path, typer.Option(help="Questions with reference answers and evidence.")] = FIT,
    out: Annotated[Path | None, typer.Option(help="Where to write; printed if not given.")] = None,
) -> None:
    """Fit the embedded checker on data that no report uses."""
    settings, folder = _settings()
    from eval.checker_fit import FILES, corpus_statements, fit_checker, reference_statements, sample
    from eval.pairs import pairs_of
    from rag.assistant import Assistant
    from rag.embed import open_embedder
    from rag.ground.embedded import EmbeddedChecker

    with Assistant.open(settings) as assistant:
        references = list(reference_statements(assistant.index, load_questions(questions)))
    corpora = list(corpus_statements(folder))
    looks = EmbeddedChecker(open_embedder(settings.embedder, home=settings.home))
    record = fit_checker(sample(looks, pairs_of(references), pairs_of(corpora, seed=1)))
    record["fitted"] |= {"references": questions.name, "corpora": list(FILES)}
    text = json.dumps(record, indent=1) + "\n"
    if out is None:
        typer.echo(text, nl=False)
    else:
        out.write_text(text, encoding="utf-8")


def sources(
    cases: Annotated[Path, typer.Option(help="Labelled pairs of sentence and file, JSONL.")] = SOURCES,
    as_json: AsJson = False,
) -> None:
    """What cited works say of roadmap sentences, against labels; and sentences that no source may agree with."""
    settings, folder = _settings()
    from eval.source_graph import load_cases, run_cases
    from ingest.library import Library, write_library
    from ingest.pipeline import index_corpus
    from rag.embed import open_embedder
    from rag.ground import open_checker
    from rag.ground.sources import SourceGraph
    from rag.index.reader import Index

    labelled = load_cases(cases)
    files = {case.file: (folder / "sources" / case.file).resolve() for case in labelled}
    home = settings.home / "eval-sources"
    embedder = open_embedder(settings.embedder, home=settings.home)
    write_library(home, Library(items=tuple(sorted(map(str, files.values())))))
    skipped = index_corpus(home, embedder=embedder).skipped
    if skipped:
        raise QuestionSetError(f"{skipped[0].path} could not be indexed: {skipped[0].reason}")
    with Index.open(home, embedder=embedder.spec) as index:
        ids = {
            path: source_id
            for part in (index, index.others)
            if part is not None
            for source_id, (path, _) in part.titles.items()
        }
        graph = SourceGraph(index, embedder, open_checker(embedder, settings), {})
        report = run_cases(labelled, lambda statement, file: graph.ask(statement, ids[str(files[file])]))
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in report.asked], indent=1, ensure_ascii=False))
        return
    _show_sources(report)


def _show_sources(report: "SourceReport") -> None:
    table = Table(title=f"{report.n} labelled pairs: what is right (rows), what was said (columns)")
    verdicts = ("agrees", "differs", "not_found")
    for column in ("right", *verdicts):
        table.add_column(column, justify="left" if column == "right" else "right")
    for wanted in verdicts:
        table.add_row(wanted, *(str(report.confusion.get((wanted, said), 0)) for said in verdicts))
    console = Console()
    console.print(table)
    console.print(f"agrees: precision {_percent(report.precision)}, recall {_percent(report.recall)}")
    for kind, (n, wrong) in report.controls.items():
        console.print(f"controls, {kind}: {wrong} of {n} wrongly agreed with")
    for one in report.asked:
        if one.wrongly_agrees:
            console.print(f"wrong: {one.kind} {one.of} {one.statement!r} <- {one.says.quote!r}", markup=False)


def _settings() -> tuple[Settings, Path]:
    settings = load_settings().settings
    if settings.eval_data is None:
        raise QuestionSetError("no folder of evaluation sets is set")
    return settings, settings.eval_data


def _choices(found: "dict[str, Choice]") -> Table:
    n = next(iter(found.values())).n
    table = Table(
        title=f"Evidence sentences of {n} CLAPNQ answers: pooled over sentences, and means over questions"
    )
    head = ("precision", "recall", "F1", "mean precision", "mean recall", "F1 of means", "95 % interval")
    for column in ("chosen by", *head):
        table.add_column(column, justify="left" if column == "chosen by" else "right")
    for name, choice in found.items():
        shares: Sequence[float] = (
            choice.precision.mean, choice.recall.mean, choice.f1,
            choice.mean_precision, choice.mean_recall, choice.mean_f1.mean,
        )  # fmt: skip
        table.add_row(name, *(f"{share:.3f}" for share in shares), _ends(choice.mean_f1))
    return table


def _answerable(told: dict[str, Interval]) -> Table:
    n = next(iter(told.values())).n
    table = Table(title=f"Does the passage answer the question? {n} CLAPNQ questions")
    for column in ("told by", "AUROC", "95 % interval"):
        table.add_column(column, justify="left" if column == "told by" else "right")
    for name, auroc in told.items():
        table.add_row(name, f"{auroc.mean:.3f}", _ends(auroc))
    return table


def _ends(interval: Interval) -> str:
    return f"{interval.low:.3f} – {interval.high:.3f}"


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"
