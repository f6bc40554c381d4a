"""Who writes an answer: nobody (a refusal), the extractive answerer, or a language model that falls back on it.

Opens language models when they are first wanted and keeps them. Whatever goes wrong with one, the passages and the
extractive answer are there, with a warning that says what went wrong and what mends it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from rag.answer import EXTRACTIVE, WAYMARK, AnswerStatus
from rag.cite import Written, order_passages, write_answer
from rag.compose import Style, compose
from rag.embed import Embedder
from rag.errors import GenerationError, SettingsError
from rag.followup import needs_history
from rag.generate import Generator, check_spec, open_generator
from rag.ground import open_checker
from rag.openings import tell_openings
from rag.options import AskOptions
from rag.prompt.answerer import Answerer, Wishes
from rag.prompt.rewrite import rewrite
from rag.prompt.strategies import STRATEGIES
from rag.prompt.talk import Talk
from rag.prompt.templates import load_templates
from rag.query import Wanted
from rag.reading import Read
from rag.refuse import absence, refusal_text
from rag.schema import BlockKind, Hit, OpenDocument, Turn, Work
from rag.settings import Settings

Find = Callable[[str], tuple[Hit, ...]]


class Writer:
    """Writes answers from what was read. Shared by all questions of an assistant."""

    def __init__(
        self,
        settings: Settings,
        *,
        embedder: Embedder,
        document: Callable[[str], OpenDocument],
        works: Callable[[str], Sequence[Work]],
        generator: Generator | None = None,
    ) -> None:
        check_spec(settings.llm, llm_url=settings.llm_url)
        self.settings = settings
        self.document = document
        self.works = works
        self.style = Style(budget_words=settings.answer_words)
        self._embedder = embedder
        self._generators = {} if generator is None else {settings.llm: generator}
        self._templates = load_templates(settings.prompts)
        self._answerer: Answerer | None = None
        self._opening = threading.Lock()

    def generator(self, spec: str) -> Generator | None:
        """The language model of that spec; None where answers are extracted.

        Raises:
            SettingsError, GenerationError: it cannot be opened.
        """
        with self._opening:
            if spec not in self._generators:
                opened = open_generator(self.settings.model_copy(update={"llm": spec}))
                if opened is None:
                    return None
                self._generators[spec] = opened
            return self._generators[spec]

    @property
    def answerer(self) -> Answerer:
        with self._opening:
            if self._answerer is None:
                self._answerer = Answerer(
                    templates=self._templates,
                    checker=open_checker(self._embedder, self.settings),
                    document=self.document,
                )
            return self._answerer

    def close(self) -> None:
        for generator in self._generators.values():
            generator.close()
        self._generators.clear()


@dataclass(slots=True, kw_only=True)
class Writing:
    """The writing of one answer, with the question's options over the settings."""

    writer: Writer
    options: AskOptions
    cancel: threading.Event
    began: float  # monotonic
    _talk: Talk | None = None
    _trouble: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        settings = self.writer.settings
        check_spec(self.options.llm or settings.llm, llm_url=settings.llm_url)
        if self.options.strategy not in (None, *STRATEGIES):
            raise SettingsError(
                f"strategy = {self.options.strategy!r} is none of {', '.join(STRATEGIES)}",
                hint="Leave --strategy out for `direct`.",
            )

    def standalone(self, question: str, turns: Sequence[Turn]) -> str | None:
        """How the question reads alone, edited by a person or put by a language model; None leaves it to the rules."""
        if self.options.standalone is not None or not turns or not needs_history(question):
            return self.options.standalone
        talk = self._open()
        if talk is None:
            return None
        try:
            return rewrite(question, turns, talk=talk, templates=self.writer.answerer.templates)
        except GenerationError as error:
            self._give_up(error)
            return None

    def write(self, read: Read, *, find: Find) -> Iterator[str | Written]:
        """Yield pieces of text and last what was written. The gate refuses before a model is opened or asked."""
        if read.reply:
            yield from _at_once(_said(read.reply))
            return
        if not read.verdict.answer:
            yield from _at_once(self._refused(read))
            return
        talk = None if _is_looked_up(read) else self._open()
        if talk is None:
            yield from _at_once(self._extracted(read))
            return
        yielded = False
        try:
            for item in self.writer.answerer.stream(read, talk=talk, wishes=self._wishes(), find=find):
                yielded = True
                yield item
        except GenerationError as error:
            self._give_up(error)
            written = self._extracted(read)
            yield from [written] if yielded else _at_once(written)

    def _open(self) -> Talk | None:
        """The talk with the language model; None where there is none, or where it has failed."""
        if self._talk is None and not self._trouble:
            settings = self.writer.settings
            try:
                generator = self.writer.generator(self.options.llm or settings.llm)
            except GenerationError as error:
                self._give_up(error)
                return None
            if generator is not None:
                seed = settings.seed if self.options.seed is None else self.options.seed
                self._talk = Talk(generator=generator, seed=seed, cancel=self.cancel, began=self.began)
        return self._talk

    def _give_up(self, error: GenerationError) -> None:
        self._talk = None
        told = f"{error} {error.hint}".strip()
        self._trouble.append(f"{told} This answer is made of the passages' own sentences.")

    def _wishes(self) -> Wishes:
        settings, options = self.writer.settings, self.options
        return Wishes(
            strategy=options.strategy or settings.strategy,
            strict=settings.strict if options.strict is None else options.strict,
            prompt_tokens=settings.prompt_tokens,
            answer_tokens=settings.answer_tokens,
        )

    def _extracted(self, read: Read) -> Written:
        writer = self.writer
        opening = ""
        if contents := read.query.contents:
            chosen = tell_openings(contents, read.hits, budget_words=writer.style.budget_words)
            opening = contents.opening
        else:
            chosen = compose(
                read.query, read.hits, document=writer.document, weigh=read.weigh, style=writer.style
            )
        written = write_answer(chosen, read.shown, works=writer.works, opening=opening)
        return replace(written, warnings=tuple(self._trouble), generator=EXTRACTIVE)

    def _refused(self, read: Read) -> Written:
        contents = read.query.contents
        reason = absence(contents, read.query.question)
        near = () if contents and contents.absent and not contents.topic else read.hits
        return Written(
            text=refusal_text(read.verdict, near, commanded=read.commanded, reason=reason or None),
            citations=(),
            passages=order_passages(read.shown, ()),
            status=AnswerStatus.INSUFFICIENT_EVIDENCE,
            warnings=tuple(self._trouble),
        )


def _is_looked_up(read: Read) -> bool:
    """Whether it asks for what is known and not to be written: the contents, or sources that were found."""
    if read.query.contents is not None:
        return True
    kinds = (hit.chunk.sentences[0].kind for hit in read.hits)
    return read.query.wanted is Wanted.WORKS and BlockKind.ENTRY in kinds


def _said(reply: str) -> Written:
    """Waymark's own words. They rest on no evidence, and so are no answer to those who count answers."""
    status = AnswerStatus.INSUFFICIENT_EVIDENCE
    return Written(text=reply, citations=(), passages=(), status=status, generator=WAYMARK)


def _at_once(written: Written) -> Iterator[str | Written]:
    yield from written.text.splitlines(keepends=True)
    yield written
