"""What a cited work itself says: a sentence of the roadmap against the indexed source of the work that it cites.

Roadmap sentence → reference number → work → indexed source → its passage → agrees, differs, or not found there. The
source is searched by the stored vectors of its chunks and sentences; the few best places are checked, each a sentence
with its neighbours and headings. Wrong agreement is worse than "not found": a source agrees only where all that the
sentence claims is there, and differs only where it speaks of the very same and has another number or denies it.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rag.answer import Citation, Reference, Says
from rag.embed import Embedder, Vectors
from rag.ground.facts import missing_names, missing_numbers
from rag.ground.polarity import denials, flips
from rag.ground.support import Checker, Stance, Support
from rag.index.reader import Index
from rag.schema import Chunk, Document, Span
from rag.sentences import split_sentences

_CHUNKS = 6  # nearest chunks of the source that are looked into
_PLACES = 3  # nearest sentences in them that are checked
_AROUND = 1  # neighbours on each side that are read with a sentence
_SAME_TOPIC = 0.5  # cosine of the nearest sentence below which nothing is agreed or disputed
_SAME = 0.77  # cosine from which a sentence says the same in other words, if it has all particulars …
_NOT_AGAINST = 0.1  # … and the checker's score is not below this
_AGREES = 0.6  # score from which a source agrees: more than support within an answer needs
# "Core Concepts: …": what an item is labelled with claims nothing, unless the sentence points back to it.
_LABEL = re.compile(
    r"^[A-Z][\w\-/]*(?: (?:and|of|the|&|[A-Z][\w\-/]*)){0,4}: (?!(?:This|These|It|They|That)\b)"
)


Verdict = Literal["agrees", "differs", "not_found"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A sentence of a source with its cosine to the statement."""

    chunk: Chunk
    position: int  # in `chunk.sentences`
    cosine: float


class SourceGraph:
    """Asks the indexed sources of works. `works`: number of a work → id of the source that stands for it."""

    def __init__(self, index: Index, embedder: Embedder, checker: Checker, works: Mapping[int, str]) -> None:
        self._parts = tuple(part for part in (index, index.others) if part is not None)
        self._embedder = embedder
        self._checker = checker
        self.works = works

    def annotate(self, citation: Citation) -> Citation:
        """The citation, each of its references with what its source says, where it is indexed."""
        if not any(reference.number in self.works for reference in citation.references):
            return citation
        document = self._part(citation.source_id).outline(citation.source_id)
        references = tuple(
            self._told(citing_sentence(citation, reference.number, document), reference)
            for reference in citation.references
        )
        return replace(citation, references=references)

    def _told(self, statement: str, reference: Reference) -> Reference:
        source_id = self.works.get(reference.number)
        return replace(reference, says=None if source_id is None else self.ask(statement, source_id))

    def _part(self, source_id: str) -> Index:
        for part in self._parts:
            if source_id in part.titles:
                return part
        raise KeyError(source_id)

    def ask(self, statement: str, source_id: str) -> Says:
        """What a source says of a statement.

        Raises:
            KeyError: no such source in the index.
        """
        part = self._part(source_id)
        statement = _LABEL.sub("", statement)
        places = _nearest(part, source_id, self._embedder.embed_query(statement))
        title = part.titles[source_id][1]
        checked = [_check(self._checker, statement, place, title) for place in places]
        return _says(checked, source_id=source_id, path=part.titles[source_id][0], title=title)


def citing_sentence(citation: Citation, number: int, document: Document) -> str:
    """The sentence of a quote that bears the reference mark of a work; the whole quote if none does.

    A mark stands after its sentence's stop or before it.
    """
    start = citation.quote_span.start
    marks = [mark.offset - start for mark in document.marks if mark.number == number]
    for span in split_sentences(citation.quote):
        if any(span.start < at <= span.end for at in marks):
            return span.cut(citation.quote)
    return citation.quote


def _nearest(part: Index, source_id: str, vector: Vectors) -> list[Place]:
    """The sentences of a source nearest to a vector, each from its own neighbourhood, best first."""
    rows = np.array(part.rows.rows_of(source_id), dtype=np.int64)
    best = rows[np.argsort(-part.dense.cosines(vector, rows), kind="stable")[:_CHUNKS]]
    places = [
        Place(chunk=chunk, position=n, cosine=float(cosine))
        for chunk, vectors in part.chunks_with_vectors([int(row) for row in best])
        for n, cosine in enumerate(vectors @ vector)
    ]
    chosen: list[Place] = []
    for place in sorted(places, key=lambda place: -place.cosine):
        if all(
            place.chunk is not one.chunk or abs(place.position - one.position) > _AROUND for one in chosen
        ):
            chosen.append(place)
        if len(chosen) == _PLACES:
            break
    return chosen


def _check(checker: Checker, statement: str, place: Place, title: str) -> tuple[Place, Support]:
    """The checker's word, but for what likeness alone can tell: another topic, or the same in other words."""
    evidence = _read_with(place, title)
    support = checker.check(statement, evidence)
    if place.cosine < _SAME_TOPIC:
        return place, replace(support, stance=Stance.NOT_FOUND)
    if support.stance is Stance.CONTRADICTED:
        return place, support
    same = place.cosine >= _SAME and support.score >= _NOT_AGAINST and not _particulars(statement, evidence)
    agrees = support.score >= _AGREES or same
    return place, replace(support, stance=Stance.SUPPORTED if agrees else Stance.NOT_FOUND)


def _particulars(statement: str, evidence: Sequence[str]) -> bool:
    """Whether the statement has a number, name or denial that the evidence does not have."""
    told = " ".join(evidence)
    missing = missing_numbers(statement, evidence) or missing_names(statement, evidence)
    return bool(missing or flips(statement, told)) or denials(statement) > denials(told)


def _read_with(place: Place, title: str) -> tuple[str, ...]:
    """The evidence of a place: the sentence, its neighbours, and what stands over them."""
    chunk, around = place.chunk, _window(place)
    heading = " › ".join(dict.fromkeys((title, *chunk.heading_path)))
    return (*(_cut(chunk, n) for n in around), heading)


def _window(place: Place) -> range:
    return range(
        max(0, place.position - _AROUND), min(len(place.chunk.sentences), place.position + _AROUND + 1)
    )


def _says(checked: Sequence[tuple[Place, Support]], *, source_id: str, path: str, title: str) -> Says:
    """The verdict of the places together: agreement before difference, and the strongest place of each."""
    agreeing = [one for one in checked if one[1].stance is Stance.SUPPORTED]
    differing = [one for one in checked if one[1].stance is Stance.CONTRADICTED]
    verdict: Verdict = "agrees" if agreeing else "differs" if differing else "not_found"
    place, support = max(agreeing or differing or checked, key=lambda one: one[1].score)
    window, at = _window(place), support.evidence
    position = (
        window[at] if at is not None and at < len(window) else place.position
    )  # the last one is the heading
    sentence = place.chunk.sentences[position]
    return Says(
        verdict=verdict,
        source_id=source_id,
        title=title,
        path=path,
        quote=_cut(place.chunk, position),
        quote_span=Span(start=sentence.span.start, end=sentence.span.end),
        heading_path=place.chunk.heading_path,
        pages=tuple(
            dict.fromkeys(p for p in (place.chunk.first_page, place.chunk.last_page) if p is not None)
        ),
        score=support.score,
    )


def _cut(chunk: Chunk, position: int) -> str:
    span, start = chunk.sentences[position].span, chunk.span.start
    return chunk.text[span.start - start : span.end - start]
