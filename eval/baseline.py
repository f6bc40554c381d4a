"""The usual set-up, to compare with: what LangChain's guide builds. The one module of the suite that knows LangChain.

`retrieve` ranks its chunks for chunking_evaluation; `build_store` and `open_store` are its pipeline, to be timed.

Chunks of 1,000 characters with 200 of overlap, all-MiniLM-L6-v2, the nearest chunks; beside it BM25 and the fusion of
both over the same chunks, so that what chunking does and what fusion does can be told apart.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import bm25s
import numpy as np
import numpy.typing as npt
import Stemmer
from langchain_text_splitters import RecursiveCharacterTextSplitter

from eval.chunking import Passages, Range
from rag.embed import Embedder, Passage, Vectors
from rag.embed.minilm import packaged_folder
from rag.index.cache import EmbeddingCache

CHUNK_CHARS, OVERLAP_CHARS = 1000, 200
FUSED_DENSE = 0.4
_NORMALISED_OVER = 100  # the best so many of each half span its scale
_MOST = 10  # passages
_KEEP_AFTER = 64  # vectors between two commits of the cache

Floats = npt.NDArray[np.float32]


def split(texts: Mapping[str, str]) -> list[tuple[Range, str]]:
    """Every text in LangChain's default chunks, with their places."""
    splitter = RecursiveCharacterTextSplitter(
        chunk_size=CHUNK_CHARS, chunk_overlap=OVERLAP_CHARS, add_start_index=True
    )
    chunks = []
    for name, text in texts.items():
        for made in splitter.create_documents([text]):
            start = int(made.metadata["start_index"])
            content = made.page_content
            chunks.append((Range(name, start, start + len(content)), content))
    return chunks


def retrieve(
    texts: Mapping[str, str], questions: Sequence[str], embedder: Embedder, *, home: Path
) -> dict[str, Passages]:
    """Per retriever the ten best chunks of each question. Vectors are kept in the cache of the data folder."""
    chunks = split(texts)
    places = [place for place, _ in chunks]
    contents = [content for _, content in chunks]
    dense = _vectors(questions, embedder, home) @ _vectors(contents, embedder, home).T
    lexical = _bm25(contents, questions)
    fused = FUSED_DENSE * _scaled(dense) + (1 - FUSED_DENSE) * _scaled(lexical)
    ranked = {"MiniLM": dense, "BM25": lexical, "score fusion, 0.4 dense": fused}
    return {name: [_best(places, row) for row in scores] for name, scores in ranked.items()}


def _best(places: Sequence[Range], scores: Floats) -> list[Range]:
    return [places[i] for i in np.argsort(-scores, kind="stable")[:_MOST]]


def _vectors(texts: Sequence[str], embedder: Embedder, home: Path) -> Vectors:
    """`(texts, dim)`; what passes the embedder's window is cut, as sentence-transformers does."""
    passages = [Passage(text=text) for text in texts]
    with closing(EmbeddingCache(home, embedder.spec)) as cache:
        known = {n: rows[0] for n, rows in cache.get(passages).items()}
        missing = [n for n in range(len(passages)) if n not in known]
        for start in range(0, len(missing), _KEEP_AFTER):
            made = {n: embedder.embed_query(texts[n]) for n in missing[start : start + _KEEP_AFTER]}
            cache.put((passages[n], vector[None]) for n, vector in made.items())
            known |= made
    return np.stack([known[n] for n in range(len(passages))])


def _bm25(texts: Sequence[str], questions: Sequence[str]) -> Floats:
    """`(questions, texts)`, k1 1.5, b 0.75, English stems and stop words."""

    def tokens(of: Sequence[str]) -> list[list[str]]:
        stemmer = Stemmer.Stemmer("english")
        made = bm25s.tokenize(
            list(of), stopwords="en", stemmer=stemmer, return_ids=False, show_progress=False
        )
        return [list(row) for row in made]

    engine = bm25s.BM25(k1=1.5, b=0.75)
    rows = tokens(texts)
    engine.index(rows, show_progress=False)
    known = {token for row in rows for token in row}
    asked = [[token for token in row if token in known] for row in tokens(questions)]
    nothing = np.zeros(len(texts), dtype=np.float32)
    return np.stack([np.asarray(engine.get_scores(row)) if row else nothing for row in asked])


def _scaled(scores: Floats) -> Floats:
    """Each row from 0 to 1 over its best; what lies below them is 0."""
    best = np.sort(scores, axis=1)[:, -_NORMALISED_OVER:]
    low, high = best[:, :1], best[:, -1:]
    return np.asarray(np.clip((scores - low) / np.maximum(high - low, 1e-9), 0.0, None), dtype=np.float32)


# --- the pipeline, timed -------------------------------------------------------------------------------------------


def open_embeddings() -> Any:  # Any: its class is imported below
    """The same weights as Waymark's, through sentence-transformers."""
    from langchain_huggingface import HuggingFaceEmbeddings  # noqa: PLC0415 (ten seconds)

    return HuggingFaceEmbeddings(model_name=str(packaged_folder()))


def build_store(files: Sequence[Path], embeddings: Any, *, folder: Path) -> int:
    """Split, embed and keep plain-text files; the number of chunks.

    The vectors go into FAISS as the guide has it. What is kept for `open_store` are texts and vectors: LangChain's own
    file is a pickle, and reading it would run what it holds.
    """
    from langchain_community.vectorstores import FAISS  # noqa: PLC0415

    texts = [text for _, text in split({str(path): path.read_text(encoding="utf-8") for path in files})]
    vectors = embeddings.embed_documents(texts)
    FAISS.from_embeddings(list(zip(texts, vectors, strict=True)), embeddings)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    np.save(folder / "vectors.npy", np.asarray(vectors, dtype=np.float32), allow_pickle=False)
    return len(texts)


def open_store(embeddings: Any, *, folder: Path, k: int) -> Callable[[str], Sequence[object]]:
    """Similarity search over what `build_store` kept."""
    from langchain_community.vectorstores import FAISS  # noqa: PLC0415

    texts = json.loads((folder / "texts.json").read_text(encoding="utf-8"))
    vectors = np.load(folder / "vectors.npy", allow_pickle=False).tolist()
    store = FAISS.from_embeddings(list(zip(texts, vectors, strict=True)), embeddings)
    return lambda question: store.similarity_search(question, k=k)


def open_vectors(
    texts: Sequence[str], vectors: Vectors, *, k: int
) -> Callable[[Sequence[float]], Sequence[object]]:
    """Search by vector over texts whose vectors are known; nothing is embedded."""
    from langchain_community.vectorstores import FAISS  # noqa: PLC0415
    from langchain_core.embeddings import DeterministicFakeEmbedding  # noqa: PLC0415

    pairs: Any = zip(texts, vectors, strict=True)
    store = FAISS.from_embeddings(pairs, DeterministicFakeEmbedding(size=vectors.shape[1]))
    return lambda vector: store.similarity_search_by_vector(list(vector), k=k)
