"""Labelled pairs on which faithfulness scorers are measured: a statement, its evidence, and whether it is supported.

Most labels come from how a pair was made, not from a person: a sentence of the roadmap is supported by its passage,
and reworded still is; with a changed number, name or negation it is not, nor by another section. The written set was
labelled by reading. CLAPNQ and HaluEval are no part of Waymark; they are read from the folder of evaluation data.
"""

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from eval.clapnq import load_items
from eval.options import SETS
from eval.pairs import Pair, Stated, answer_pairs, pairs_of, quote_pairs
from eval.perturb import reword
from ingest.loaders import ROADMAP, load_document
from rag.bundled import roadmap_path
from rag.errors import QuestionSetError
from rag.schema import Document
from rag.sentences import split_sentences
from rag.terms import words

WRITTEN = SETS / "written.jsonl"
WRITTEN_SETS = (WRITTEN, SETS / "written_fit.jsonl", SETS / "written_check.jsonl")
HALUEVAL = "data/halueval/qa_one-turn_data.json"
REWORDED, RIGHT, HALLUCINATED = "reworded", "right", "hallucinated"
_LEAST_WORDS = 8  # of a sentence that says something checkable
_SEED = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledSet:
    """`caveat` is what a reader must know before believing a number on it."""

    name: str
    pairs: tuple[Pair, ...]
    caveat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A line of the written set. `passages` are words that stand in one paragraph of the roadmap each."""

    id: str
    statement: str
    supported: bool
    kind: str
    passages: tuple[str, ...]


_WRITTEN = TypeAdapter(Written)


def roadmap_set(*, most: int) -> LabelledSet:
    """Sentences of the roadmap against their own paragraph: as they are, reworded, changed, and swapped."""
    path = roadmap_path()
    document = load_document(path.read_bytes(), path=path.name, media_type=ROADMAP)
    told = list(_told(document))
    chosen = random.Random(_SEED).sample(told, min(most, len(told)))  # noqa: S311 (a repeatable choice)
    pairs = (*pairs_of(chosen, seed=_SEED), *_reworded(chosen))
    caveat = "made from the roadmap by rule: a statement keeps most of the document's words"
    return LabelledSet(name="roadmap", pairs=pairs, caveat=caveat)


def written_set(path: Path = WRITTEN) -> LabelledSet:
    """Statements of the kind that a language model writes, each against the paragraphs that it is about.

    Raises:
        QuestionSetError: a line is malformed, or a passage does not stand in exactly one paragraph of the roadmap.
    """
    roadmap = roadmap_path()
    document = load_document(roadmap.read_bytes(), path=roadmap.name, media_type=ROADMAP)
    lines = [" ".join(line.split()) for line in document.text.splitlines()]
    pairs = []
    for of, text in enumerate(path.read_text(encoding="utf-8").splitlines()):
        try:
            written = _WRITTEN.validate_json(text)
        except ValidationError as error:
            raise QuestionSetError(f"{path}, line {of + 1}: {error.errors()[0]['msg']}", hint="") from error
        found = [[line for line in lines if passage in line] for passage in written.passages]
        if any(len(standing) != 1 for standing in found):
            raise QuestionSetError(f"{path}, line {of + 1}: a passage is not in one paragraph", hint="")
        paragraphs = dict.fromkeys(line for standing in found for line in standing)
        evidence = tuple(span.cut(line) for line in paragraphs for span in split_sentences(line))
        pairs.append(
            Pair(
                statement=written.statement,
                evidence=evidence,
                supported=written.supported,
                kind=written.kind,
                of=of,
            )
        )
    caveat = "written and labelled by reading: free paraphrase against subtle overreach; small, so intervals are wide"
    return LabelledSet(name=path.stem, pairs=tuple(pairs), caveat=caveat)


def clapnq_sets(folder: Path, *, most: int) -> tuple[LabelledSet, ...]:
    """CLAPNQ's written answers against their evidence, and its evidence sentences against their passage.

    Raises:
        QuestionSetError: the set is not in the folder.
    """
    items = load_items(folder)[:most]
    return (
        LabelledSet(
            name="clapnq answers",
            pairs=answer_pairs(items, seed=_SEED),
            caveat="people's answers; now and then the evidence that they chose does not hold all they wrote",
        ),
        LabelledSet(
            name="clapnq quotes",
            pairs=quote_pairs(items, seed=_SEED),
            caveat="verbatim sentences against changed ones: whoever notices a copy has half of it",
        ),
    )


def halueval_sets(folder: Path, *, most: int) -> tuple[LabelledSet, ...]:
    """HaluEval's right and hallucinated answers against the question and the knowledge given.

    Raises:
        QuestionSetError: the set is not in the folder.
    """
    path = folder / HALUEVAL
    try:
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()[:most]]
        pairs = tuple(pair for n, record in enumerate(records) for pair in _halueval(record, n))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise QuestionSetError(f"HaluEval cannot be read at {path}: {error!r}") from error
    caveat = (
        "an artefact: hallucinated answers are longer, so length alone tells them; no measure of faithfulness"
    )
    return (LabelledSet(name="halueval", pairs=pairs, caveat=caveat),)


def _told(document: Document) -> Iterator[Stated]:
    """Each sentence of a paragraph with all sentences of that paragraph."""
    for line in document.text.splitlines():
        spans = split_sentences(line)
        evidence = tuple(span.cut(line) for span in spans)
        if len(evidence) > 1:
            for sentence in evidence:
                if len(words(sentence)) >= _LEAST_WORDS:
                    yield Stated(statement=sentence, evidence=evidence)


def _reworded(stated: Sequence[Stated]) -> Iterator[Pair]:
    for of, one in enumerate(stated):
        other = reword(one.statement)
        if other is not None:
            yield Pair(statement=other, evidence=one.evidence, supported=True, kind=REWORDED, of=of)


def _halueval(record: dict[str, str], of: int) -> tuple[Pair, Pair]:
    """The bare answers; the question stands with the evidence, so that length is the answers' own."""
    knowledge = record["knowledge"].replace(".", ". ")  # its sentences are glued together
    evidence = (record["question"], *(span.cut(knowledge) for span in split_sentences(knowledge)))
    answers = ((RIGHT, record["right_answer"]), (HALLUCINATED, record["hallucinated_answer"]))
    right, wrong = (
        Pair(statement=answer, evidence=evidence, supported=kind == RIGHT, kind=kind, of=of)
        for kind, answer in answers
    )
    return right, wrong
