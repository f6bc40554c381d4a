"""The facade: open once, ask often. Ties settings, index, embedder, gate and answerer together.

    with Assistant.open() as assistant:
        answer = assistant.ask("How does LoRA cut memory?")

An assistant keeps one generation of the index and may be shared by threads that only ask.
"""

import re
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from rag.answer import EXTRACTIVE, Answer, AnswerStatus, Provenance, Timings, Usage
from rag.cite import Written, order_passages, write_answer
from rag.compose import Style, compose
from rag.embed import Embedder, open_embedder
from rag.errors import QuestionError, SettingsError
from rag.gate import Evidence, Verdict
from rag.index.reader import Index
from rag.query import Query, clean_question, drop_commands
from rag.refuse import refusal_text
from rag.schema import Document, Hit, Role, Turn
from rag.settings import Settings, load_settings, settings_digest
from rag.shelf import Shelf
from rag.terms import terms

History = Sequence[Turn | Mapping[str, str]]

_BEHIND = 4  # passages shown of each shelf that the answer does not come from

_LONE_SURROGATES = re.compile("[\ud800-\udfff]")  # they have no form in UTF-8


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A question as understood, what was found for it, and what the gate says."""

    query: Query
    hits: tuple[Hit, ...]
    behind: tuple[Hit, ...]  # of the other shelves, ranked behind these
    verdict: Verdict
    weigh: Callable[[str], float]  # what a term of the question is worth where the hits come from
    commanded: bool  # it held nothing but orders
    seconds: float


class Assistant:
    """Answers questions from one generation of the index."""

    def __init__(self, index: Index, embedder: Embedder, settings: Settings) -> None:
        self.index = index
        self.settings = settings
        self._embedder = embedder
        self._shelves = tuple(
            Shelf(part, embedder, settings) for part in (index, index.others) if part is not None
        )
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
                read.query, read.hits, document=self._document, weigh=read.weigh, style=self._style
            )
            written = write_answer(chosen, (*read.hits, *read.behind), document=self._document)
            status = AnswerStatus.ANSWERED
        else:
            text = refusal_text(read.verdict, read.hits, commanded=read.commanded)
            written = Written(
                text=text, citations=(), passages=order_passages((*read.hits, *read.behind), ())
            )
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
        """What the roadmap's gate sees of a question; for fitting and for people who want to know why."""
        clean, turns = self._clean(question), self._turns(history)
        return self._shelves[0].find(clean, turns, k=self.settings.passages).evidence

    def document_text(self, source_id: str) -> str:
        """The text that quotes of a source are slices of.

        Raises:
            KeyError: no such source in this index.
        """
        return self._document(source_id).text

    def _read(self, question: str, history: History, *, k: int) -> Read:
        began = time.monotonic()
        clean, turns = self._clean(question), self._turns(history)
        findings = [shelf.find(clean, turns, k=k) for shelf in self._shelves]
        # The roadmap first wherever it answers; what else was found stands behind it.
        answering = [found for found in findings if found.verdict.answer]
        best = answering[0] if answering else max(findings, key=lambda found: found.verdict.probability)
        behind = [hit for found in findings if found is not best for hit in found.hits[:_BEHIND]]
        left, dropped = drop_commands(clean)
        commanded = dropped and not terms(left)
        return Read(
            query=best.query,
            hits=best.hits,
            behind=tuple(replace(hit, rank=len(best.hits) + n) for n, hit in enumerate(behind, 1)),
            verdict=Verdict(probability=0.0, answer=False) if commanded else best.verdict,
            weigh=best.shelf.weigh,
            commanded=commanded,
            seconds=time.monotonic() - began,
        )

    def _clean(self, question: str) -> str:
        return clean_question(question, max_chars=self.settings.max_question_chars)

    def _turns(self, history: History) -> tuple[Turn, ...]:
        return tuple(_turn(message, max_chars=self.settings.max_question_chars) for message in history)

    def _document(self, source_id: str) -> Document:
        for shelf in self._shelves:
            if source_id in shelf.index.titles:
                return shelf.index.document(source_id)
        raise KeyError(source_id)

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
