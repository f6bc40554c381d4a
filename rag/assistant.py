"""The facade: open once, ask often. Ties settings, index, embedder, gate and answerer together.

    with Assistant.open() as assistant:
        answer = assistant.ask("How does LoRA cut memory?")

An assistant keeps one generation of the index and may be shared by threads that only ask.
"""

import math
import re
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from rag.cite import Written, order_passages, write_answer
from rag.compose import Style, compose
from rag.embed import Embedder, open_embedder
from rag.errors import QuestionError, SettingsError
from rag.gate import Evidence, Verdict, judge, weigh_evidence
from rag.index.reader import Index
from rag.query import Query, clean_question, drop_commands, make_query
from rag.refuse import refusal_text
from rag.retrieve import Weights, search
from rag.schema import EXTRACTIVE, Answer, AnswerStatus, Hit, Provenance, Role, Timings, Turn, Usage
from rag.settings import Settings, load_settings, settings_digest
from rag.spelling import Speller
from rag.terms import distinct, terms, words

History = Sequence[Turn | Mapping[str, str]]

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # they have no form in UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A question as understood, what was found for it, and what the gate says."""

    query: Query
    hits: tuple[Hit, ...]
    verdict: Verdict
    commanded: bool  # it held nothing but orders
    seconds: float


class Assistant:
    """Answers questions from one generation of the index."""

    def __init__(self, index: Index, embedder: Embedder, settings: Settings) -> None:
        self.index = index
        self.settings = settings
        self._embedder = embedder
        self._speller = Speller(counts=index.lexical.word_counts, is_word=self._is_one_piece)
        self._weights = Weights(dense=settings.dense_weight)
        self._style = Style(budget_words=settings.answer_words)

    @classmethod
    def open(cls, settings: Settings | None = None, **flags: object) -> Self:
        """Open the index that the settings name. `flags` override single settings.

        Raises:
            IndexMissing, IndexMismatch, IndexCorrupt: there is nothing to answer from.
            SettingsError, EmbedderError: the settings or the embedder's weights are not usable.
        """
        settings = settings or load_settings(flags).settings
        if settings.llm not in ("auto", EXTRACTIVE):
            raise SettingsError(
                f"llm = {settings.llm!r} is not available in this version; only “{EXTRACTIVE}” answers",
                hint="Use --llm extractive or leave it at auto.",
            )
        embedder = open_embedder(settings.embedder, home=settings.home)
        return cls(Index.open(settings.home, embedder=embedder.spec), embedder, settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.index.close()

    def ask(self, question: str, *, history: History = ()) -> Answer:
        """Answer one question, or refuse it with the reason and the nearest passages.

        Args:
            history: earlier turns, oldest first, as `Turn` or `{"role", "content"}`; used only for a follow-up.
                No more is read of each than a question may have.

        Raises:
            QuestionError: the question is empty or too long, or a turn is not a turn.
        """
        began = time.monotonic()
        read = self._read(question, history, k=self.settings.passages)
        if read.verdict.answer:
            chosen = compose(
                read.query, read.hits, document=self.index.document, weigh=self._weight_of, style=self._style
            )
            written = write_answer(chosen, read.hits, document=self.index.document)
            status = AnswerStatus.ANSWERED
        else:
            text = refusal_text(read.verdict, read.hits, commanded=read.commanded)
            written = Written(text=text, citations=(), passages=order_passages(read.hits, ()))
            status = AnswerStatus.INSUFFICIENT_EVIDENCE
        return self._answer(question, read, written, status, began)

    def stream(self, question: str, *, history: History = ()) -> Iterator[str | Answer]:
        """Yield the text in pieces and, last, the `Answer` itself."""
        answer = self.ask(question, history=history)
        yield from answer.text.splitlines(keepends=True)
        yield answer

    def search(self, question: str, *, k: int = 8, history: History = ()) -> tuple[Hit, ...]:
        """The `k` best passages for a question, best first; no gate, no answer.

        Raises:
            QuestionError: the question is empty or too long.
            ValueError: `k` is less than 1.
        """
        if k < 1:
            raise ValueError(f"k = {k}; at least one passage has to be wanted")
        return self._read(question, history, k=k).hits

    def evidence(self, question: str, *, history: History = ()) -> Evidence:
        """What the gate sees of a question; for fitting and for people who want to know why."""
        query = self._query(clean_question(question, max_chars=self.settings.max_question_chars), history)
        return self._evidence(
            query, search(self.index, self._embedder, query, k=self.settings.passages, weights=self._weights)
        )

    def document_text(self, source_id: str) -> str:
        """The text that quotes of a source are slices of.

        Raises:
            KeyError: no such source in this index.
        """
        return self.index.document(source_id).text

    def _read(self, question: str, history: History, *, k: int) -> Read:
        began = time.monotonic()
        clean = clean_question(question, max_chars=self.settings.max_question_chars)
        query = self._query(clean, history)
        hits = search(self.index, self._embedder, query, k=k, weights=self._weights)
        verdict = self._verdict(query, hits)
        left, dropped = drop_commands(clean)
        commanded = dropped and not terms(left)
        if commanded:
            verdict = Verdict(probability=0.0, answer=False)
        return Read(
            query=query, hits=hits, verdict=verdict, commanded=commanded, seconds=time.monotonic() - began
        )

    def _query(self, clean: str, history: History) -> Query:
        turns = tuple(_turn(message, max_chars=self.settings.max_question_chars) for message in history)
        return make_query(self._speller.mend(clean), turns)

    def _evidence(self, query: Query, hits: tuple[Hit, ...]) -> Evidence:
        return weigh_evidence(
            query, hits, weigh=self._weight_of, names=self._speller.unknown_names(query.question)
        )

    def _verdict(self, query: Query, hits: tuple[Hit, ...]) -> Verdict:
        strange = (word for word in words(query.focus) if not all(map(self._is_known, terms(word)[:1])))
        missing = self._speller.unknown_names(query.question) or distinct(strange)
        return judge(self._evidence(query, hits), missing=missing, threshold=self.settings.refusal_threshold)

    def _answer(
        self, question: str, read: Read, written: Written, status: AnswerStatus, began: float
    ) -> Answer:
        total = time.monotonic() - began
        manifest = self.index.manifest
        return Answer(
            id=uuid.uuid4().hex,
            question=_LONE_SURROGATES.sub("\ufffd", question),
            search_query=read.query.search_text,
            status=status,
            text=written.text,
            raw_text=written.text,
            citations=written.citations,
            passages=written.passages,
            unknown_labels=(),
            unsupported_spans=(),
            warnings=self.index.warnings,
            usage=Usage(),
            timings=Timings(retrieve_s=read.seconds, first_token_s=total, total_s=total),
            provenance=Provenance(
                index_id=manifest.index_id,
                embedder=f"{manifest.embedder.model}@{manifest.embedder.revision[:12]}",
                generator=EXTRACTIVE,
                settings_digest=settings_digest(self.settings),
            ),
            evidence=read.verdict.probability,
        )

    def _weight_of(self, term: str) -> float:
        """Inverse document frequency over chunks, BM25's form."""
        n, df = len(self.index), self.index.lexical.document_frequency(term)
        return math.log(1 + (n - df + 0.5) / (df + 0.5))

    def _is_known(self, term: str) -> bool:
        return self.index.lexical.document_frequency(term) > 0

    def _is_one_piece(self, word: str) -> bool:
        """Whether the embedder's tokenizer has the word whole: then it is plain English, rare or not."""
        return self._embedder.count_tokens(word) == 3  # the piece and two special tokens


def _turn(message: Turn | Mapping[str, str], *, max_chars: int) -> Turn:
    """A turn whose text can be embedded and shown: cut to what a question may have, no lone surrogates."""
    try:
        role, text = (
            (message.role, message.text)
            if isinstance(message, Turn)
            else (Role(message["role"]), message["content"])
        )
        return Turn(role=role, text=_LONE_SURROGATES.sub("", text[:max_chars]))
    except (KeyError, ValueError, TypeError) as error:
        raise QuestionError(
            f"A turn of the history cannot be used: {error!r}.",
            hint='Each turn is {"role": "user" or "assistant", "content": text}.',
        ) from error
