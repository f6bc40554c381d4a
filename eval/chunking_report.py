"""chunking_evaluation as people read it: one table, Waymark beside the usual set-up, and what a run keeps of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict

from eval.chunking import TUNED_ON, ChunkingSet, Overlap, Passages, measure_passages, overlap
from eval.page import Grid, Section, Sheet
from eval.runs import Outcome

WAYMARK = "Waymark"
HEAD = ("retriever", "n", "recall@5", "recall@10", "IoU@5", "precision@5", "characters@5")


def chunking_outcome(
    data: ChunkingSet, found: Mapping[str, Passages], *, facts: Sequence[str], provenance: Mapping[str, str]
) -> Outcome:
    """Measure every retriever over all questions, and over those of the texts that chose no weight."""
    over_all = {name: measure_passages(data.questions, passages) for name, passages in found.items()}
    held_out = {
        name: measure_passages(data.questions, passages, of=lambda text: text not in TUNED_ON)
        for name, passages in found.items()
    }
    by_text = {
        f"{text}: {name}": measure_passages(data.questions, passages, of=text.__eq__)
        for text in data.texts
        for name, passages in found.items()
    }
    chosen = " and ".join(TUNED_ON)
    sections = (
        Section(title="Run", lines=(*facts, *(f"{name}: {value}" for name, value in provenance.items()))),
        Section(title="All questions", grids=(_grid(over_all),)),
        Section(title=f"Without {chosen}, on which Waymark's weights were chosen", grids=(_grid(held_out),)),
        Section(title="By text", grids=(_grid(by_text),)),
    )
    ours = over_all[WAYMARK]
    return Outcome(
        kind="chunking",
        values={"recall_5": ours.recall_5, "recall_10": ours.recall_10, "iou_5": ours.iou_5},
        n_failed=0,
        details={
            "provenance": dict(provenance),
            "all": {name: asdict(one) for name, one in over_all.items()},
            "held_out": {name: asdict(one) for name, one in held_out.items()},
        },
        rows=tuple(_rows(data, found)),
        sheet=Sheet(title=f"chunking_evaluation: {len(data.questions)} questions", sections=sections),
    )


def _grid(measured: Mapping[str, Overlap]) -> Grid:
    return Grid(head=HEAD, rows=tuple(_cells(name, one) for name, one in measured.items()))


def _cells(name: str, one: Overlap) -> tuple[str, ...]:
    shares = (f"{one.recall_5:.1f}", f"{one.recall_10:.1f}", f"{one.iou_5:.2f}", f"{one.precision_5:.2f}")
    return (name, str(one.n), *shares, f"{one.chars_5:.0f}")


def _rows(data: ChunkingSet, found: Mapping[str, Passages]) -> Iterator[dict[str, object]]:
    """Waymark's shares by question, as `waymark eval compare` reads them, and the recall of every retriever."""
    ours = found[WAYMARK]
    for n, question in enumerate(data.questions):
        recall_5, _, iou_5 = overlap(question.ranges, ours[n][:5])
        recall_10, _, _ = overlap(question.ranges, ours[n][:10])
        tallies = {"recall_5": (recall_5, 1), "recall_10": (recall_10, 1), "iou_5": (iou_5, 1)}
        recalls = {name: round(overlap(question.ranges, of[n][:5])[0], 4) for name, of in found.items()}
        yield {
            "question_id": str(n),
            "type": question.text,
            "question": question.question,
            "tallies": tallies,
            "recall_5": recalls,
        }
