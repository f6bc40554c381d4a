"""The facade: open once, ask often. Ties settings, index, embedder, gate and answerer together.

    with Assistant.open() as assistant:
        answer = assistant.ask("How does LoRA cut memory?")

An assistant keeps one generation of the index and may be shared by threads that only ask.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from functools import cached_property
from typing import Self

from rag.answer import Answer, Provenance, Timings
from rag.cite import Written
from rag.embed import Embedder, open_embedder
from rag.gate import OTHERS, ROADMAP, Evidence, load_gate
from rag.generate import Generator
from rag.ground import open_checker
from rag.ground.sources import SourceGraph
from rag.index.reader import Index
from rag.options import AskOptions
from rag.passages import Scope
from rag.reading import LONE_SURROGATES, History, Read, Reader
from rag.schema import Document, Hit
from rag.settings import Settings, load_settings, override, settings_digest
from rag.shelf import Shelf
from rag.works import indexed_works
from rag.writing import Writer, Writing


class Assistant:
    """Answers questions from one generation of the index."""

    def __init__(
        self, index: Index, embedder: Embedder, settings: Settings, *, generator: Generator | None = None
    ) -> None:
        self._closed = False
        self.index = index
        self.settings = settings
        self.embedder = embedder
        self._shelves = tuple(
            Shelf(part, embedder, settings, gate=load_gate(gate))
            for part, gate in ((index, ROADMAP), (index.others, OTHERS))
            if part is not None
        )
        self._reader = Reader(shelves=self._shelves, max_question_chars=settings.max_question_chars)
        self._writer = Writer(
            settings,
            embedder=embedder,
            document=lambda source_id: self._part(source_id).stored(source_id),
            works=lambda source_id: self._part(source_id).outline(source_id).works,
            generator=generator,
        )

    @classmethod
    def open(
        cls, settings: Settings | None = None, *, generator: Generator | None = None, **flags: object
    ) -> Self:
        """Open the index that the settings name. `flags` override single settings: `Assistant.open(passages=8)`.

        A language model is opened with the first question that it is to answer; `generator` takes the place of the
        one that the settings name, and is closed with the assistant.

        Raises:
            IndexMissing, IndexMismatch, IndexCorrupt: there is nothing to answer from.
            SettingsError, EmbedderError: the settings or the embedder's weights are not usable.
        """
        settings = override(settings, flags) if settings else load_settings(flags).settings
        embedder = open_embedder(settings.embedder, home=settings.home)
        index = Index.open(settings.home, embedder=embedder.spec)
        try:
            return cls(index, embedder, settings, generator=generator)
        except BaseException:
            index.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the index and the language model; nothing can be asked any more."""
        self._closed = True
        self._writer.close()
        self.index.close()

    def _check_open(self) -> None:
        if self._closed:  # as Python's own files have it
            raise ValueError("this assistant is closed; ask inside of `with Assistant.open() as assistant:`")

    def ask(
        self,
        question: str,
        *,
        history: History = (),
        scope: Scope | None = None,
        options: AskOptions | None = None,
    ) -> Answer:
        """Answer one question, or refuse it with the reason and the nearest passages.

        Args:
            history: earlier turns, oldest first, as `Turn` or `{"role", "content"}`; used only for a follow-up.
                No more is read of each than a question may have.
            scope: a source or section that the answer has to come from.
            options: choices for this question, over the settings.

        Raises:
            QuestionError: the question is no text, empty or too long, or a turn is not a turn.
            SettingsError: an option has no such value, or a prompt template cannot be used.
        """
        for item in self.stream(question, history=history, scope=scope, options=options):
            if isinstance(item, Answer):
                return item
        raise AssertionError("a stream ends in its answer")

    def stream(
        self,
        question: str,
        *,
        history: History = (),
        scope: Scope | None = None,
        options: AskOptions | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[str | Answer]:
        """Yield the text in pieces and, last, the `Answer` itself.

        The pieces are what was written so far; the answer's own text is the checked one and may differ: a sentence
        without support is marked or, where `strict`, left out. Setting `cancel` ends the writing early; the answer
        then holds what had been written.
        """
        self._check_open()
        began = time.monotonic()
        options = options or AskOptions()
        writing = Writing(
            writer=self._writer, options=options, cancel=cancel or threading.Event(), began=began
        )
        k = self.settings.passages
        read = self._reader.read(
            question,
            history,
            k=k,
            scope=scope,
            standalone=writing.standalone(self._reader.clean(question), self._reader.turns(history)),
            edited=options.standalone is not None,
        )

        def find(query: str) -> tuple[Hit, ...]:
            return self._reader.read(query[: self.settings.max_question_chars], (), k=k, scope=scope).hits

        for item in writing.write(read, find=find):
            yield item if isinstance(item, str) else self._answer(question, read, item, began)

    def search(
        self, question: str, *, k: int = 8, history: History = (), scope: Scope | None = None
    ) -> tuple[Hit, ...]:
        """The `k` best passages for a question, best first; no gate, no answer.

        Raises:
            QuestionError: the question is empty or too long.
            ValueError: `k` is less than 1.
        """
        self._check_open()
        if k < 1:
            raise ValueError(f"k = {k}; at least one passage has to be wanted")
        return self._reader.read(question, history, k=k, scope=scope).hits

    def evidence(self, question: str, *, history: History = (), others: bool = False) -> Evidence:
        """What the roadmap's gate sees of a question; for fitting and for people who want to know why.

        `others`: what the gate of the documents beside it sees, if there are any.
        """
        shelf = len(self._shelves) - 1 if others else 0
        return self._reader.evidence(question, history, k=self.settings.passages, shelf=shelf)

    def document(self, source_id: str) -> Document:
        """A source as it was indexed: its text, headings and pages.

        Raises:
            KeyError: no such source in this index.
        """
        return self._part(source_id).document(source_id)

    def document_text(self, source_id: str) -> str:
        """The text that quotes of a source are slices of.

        Raises:
            KeyError: no such source in this index.
        """
        return self._part(source_id).rows.text(source_id)

    @cached_property
    def _source_graph(self) -> SourceGraph:
        checker = open_checker(self.embedder, self.settings)
        return SourceGraph(self.index, self.embedder, checker, indexed_works(self.index))

    def _part(self, source_id: str) -> Index:
        for shelf in self._shelves:
            if source_id in shelf.index.titles:
                return shelf.index
        raise KeyError(source_id)

    def _answer(self, question: str, read: Read, written: Written, began: float) -> Answer:
        total = time.monotonic() - began
        manifest = self.index.manifest
        return Answer(
            id=uuid.uuid4().hex,
            question=LONE_SURROGATES.sub("\ufffd", question),
            standalone=read.query.standalone,
            search_query=read.query.standalone,
            status=written.status,
            text=written.text,
            raw_text=written.text if written.raw_text is None else written.raw_text,
            citations=tuple(self._source_graph.annotate(citation) for citation in written.citations),
            passages=written.passages,
            cut=written.cut,
            unknown_labels=written.unknown_labels,
            unsupported_spans=written.unsupported_spans,
            warnings=(*self.index.warnings, *written.warnings),
            usage=written.usage,
            timings=Timings(
                retrieve_s=read.seconds,
                first_token_s=total if written.first_token_s is None else written.first_token_s,
                total_s=total,
            ),
            provenance=Provenance(
                index_id=manifest.index_id,
                embedder=f"{manifest.embedder.model}@{manifest.embedder.revision[:12]}",
                generator=written.generator,
                settings_digest=settings_digest(self.settings),
                strategy=written.strategy,
                prompt_digest=written.prompt_digest,
                seed=written.seed,
            ),
            evidence=read.verdict.probability,
        )
