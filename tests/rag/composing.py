"""Documents, hits with scores of one's choice, and what is composed of them, for tests of the extractive answerer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from ingest.assemble import CitedWork, Piece, assemble, make_source
from ingest.chunking import ChunkLimits, chunk_document
from rag.compose import Style, compose
from rag.query import make_query
from rag.schema import BlockKind, Document, Hit, Scores, Turn

ITEM = BlockKind.ITEM
PLAIN = Style(
    coverage=0.0, fresh=0.0, fresh_compared=0.0, adjacent=0.0, elsewhere=0.0, aside=0.0, repeats=0.0
)


def make_document(*pieces: Piece, works: tuple[CitedWork, ...] = (), path: str = "guide.txt") -> Document:
    return assemble(make_source(path, b"", media_type="text/plain"), pieces, works=works)


def make_hits(
    document: Document, cosines: Mapping[str, float], *, target: int = 40, first_row: int = 0
) -> list[Hit]:
    """Every chunk as a hit. A sentence's score is that of the first key that it holds; a chunk's is its best."""

    def cosine(text: str) -> float:
        return next((value for key, value in cosines.items() if key in text), 0.1)

    chunks = chunk_document(
        document, limits=ChunkLimits(target_tokens=target), count_tokens=lambda text: len(text.split()) + 2
    )
    hits = []
    for row, chunk in enumerate(chunks, first_row):
        scores = tuple(cosine(sentence.span.cut(document.text)) for sentence in chunk.sentences)
        hits.append(
            Hit(
                rank=1,
                row=row,
                chunk=chunk,
                title="Guide",
                path=document.source.path,
                scores=Scores(dense=max(scores), lexical=0.0, fused=max(scores)),
                sentence_scores=scores,
            )
        )
    hits.sort(key=lambda hit: (-hit.scores.fused, hit.row))
    return [replace(hit, rank=rank) for rank, hit in enumerate(hits, 1)]


def answer_texts(
    question: str,
    *documents: Document,
    cosines: Mapping[str, float],
    style: Style | None = None,
    history: Sequence[Turn] = (),
    weigh: Callable[[str], float] = lambda term: 1.0,
) -> list[str]:
    hits: list[Hit] = []
    for document in documents:
        hits += make_hits(document, cosines, first_row=len(hits))
    by_id = {document.source.source_id: document for document in documents}
    hits.sort(key=lambda hit: -hit.scores.fused)
    chosen = compose(
        make_query(question, history), hits, document=by_id.__getitem__, weigh=weigh, style=style
    )
    return [candidate.text for candidate in chosen]


PROSE = make_document(
    Piece(text="1. Training", level=1, section_id="1"),
    Piece(text="Momentum smooths the path. Decay shrinks the weights. Noise helps now and then."),
    Piece(text="2. Serving", level=1, section_id="2"),
    Piece(text="Caches answer twice. Queues hold the rest."),
)
