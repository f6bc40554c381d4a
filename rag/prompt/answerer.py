"""A checked answer by a language model: prompt, stream, marks, check; and what becomes of it where something fails.

Knows the templates and the checker of one assistant. It is handed what was read and yields pieces of text and last
what was written; a `GenerationError` passes through it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from rag.answer import AnswerStatus, Passage
from rag.cite import Written
from rag.errors import GenerationError
from rag.ground.support import Checker
from rag.passages import Window, windows
from rag.prompt.asking import Asking
from rag.prompt.check import Checked, Source, check_answer
from rag.prompt.evidence import readable, told_by
from rag.prompt.found import find_marks
from rag.prompt.hidden import without_reasoning
from rag.prompt.marks import MarkReader
from rag.prompt.packing import Packed
from rag.prompt.strategies import STRATEGIES
from rag.prompt.talk import Talk
from rag.prompt.templates import REFUSAL, Templates
from rag.prompt.units import take_apart
from rag.reading import Read
from rag.refuse import refusal_text
from rag.schema import Hit, OpenDocument
from rag.shown import AddressFilter, safe_markdown


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How one question is to be answered: settings with the question's own options over them."""

    strategy: str
    strict: bool
    prompt_tokens: int
    answer_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A reply held against its passages."""

    checked: Checked
    unknown: tuple[int, ...]  # labels that were never given
    found: bool  # it named no passage, and some were found for it


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerer:
    """Writes answers with a language model and checks every sentence."""

    templates: Templates
    checker: Checker
    document: Callable[[str], OpenDocument]

    def stream(
        self, read: Read, *, talk: Talk, wishes: Wishes, find: Callable[[str], tuple[Hit, ...]]
    ) -> Iterator[str | Written]:
        """Yield what may be shown while it is written and, last, what was written, checked.

        Raises:
            GenerationError: the model gave no answer; what had been yielded before is to be dropped.
        """
        asking = Asking(
            question=read.query.standalone,
            hits=read.shown,
            talk=talk,
            templates=self.templates,
            prompt_tokens=wishes.prompt_tokens,
            answer_tokens=wishes.answer_tokens,
            find=find,
            windows=lambda found: windows(found, document=self.document),
            read=lambda window: readable(window, self.document(window.source_id)),
            check=lambda reply, packed: self._check(reply, packed, read, strict=False).checked,
        )
        packed: Packed | None = None
        reader, guard = MarkReader(given=()), AddressFilter()
        written = ""
        for item in STRATEGIES[wishes.strategy](asking):
            if isinstance(item, Packed):
                packed = item
                reader = MarkReader(given=range(1, len(packed.passages) + 1))
                guard = AddressFilter(self._cited(packed))
                continue
            written += item
            shown = reader.feed(guard.feed(item))
            if shown:
                yield from talk.shown(iter([shown]))
        rest = reader.feed(guard.close()) + reader.close()
        if rest:
            yield from talk.shown(iter([rest]))
        if packed is None or not without_reasoning(written).strip():
            raise _nothing(talk)
        yield self._written(without_reasoning(written), packed, read, talk, wishes)

    def _written(self, reply: str, packed: Packed, read: Read, talk: Talk, wishes: Wishes) -> Written:
        held = self._check(reply, packed, read, strict=wishes.strict)
        checked = held.checked
        passages = _labelled(
            (*packed.passages, *packed.left_out), packed.hits
        )  # those without room come last
        written = Written(
            text=checked.text,
            citations=checked.citations,
            passages=passages,
            raw_text=talk.written,
            cut=packed.cut,
            unknown_labels=held.unknown,
            unsupported_spans=checked.unsupported,
            warnings=_warnings(held, talk, strict=wishes.strict),
            usage=talk.usage,
            first_token_s=talk.first_token_s,
            generator=talk.generator.name,
            strategy=wishes.strategy,
            prompt_digest=self.templates.digest,
            seed=talk.seed,
        )
        said_none = _is_refusal(reply)
        if said_none or not checked.text or not checked.claims:
            reason = _DECLINED if said_none else _NOTHING_LEFT
            return replace(
                written,
                text=refusal_text(read.verdict, [p.hit for p in passages], reason=reason),
                citations=(),
                unsupported_spans=(),
                status=AnswerStatus.INSUFFICIENT_EVIDENCE,
            )
        return written

    def _check(self, reply: str, packed: Packed, read: Read, *, strict: bool) -> _Held:
        reader = MarkReader(given=range(1, len(packed.passages) + 1))
        text = reader.feed(safe_markdown(reply, cited=self._cited(packed))) + reader.close()
        marks = tuple(reader.marks)
        sources, question = self._sources(packed), read.query.standalone
        named_none = not marks and not reader.unknown
        if named_none:
            text, marks = find_marks(text, sources=sources, checker=self.checker, question=question)
        checked = check_answer(
            text,
            take_apart(text, marks, spoken_for=not named_none),
            sources=sources,
            checker=self.checker,
            question=question,
            strict=strict,
        )
        return _Held(checked=checked, unknown=tuple(reader.unknown), found=named_none and bool(marks))

    def _cited(self, packed: Packed) -> frozenset[str]:
        """The addresses that an answer may show: of the documents in the prompt and of the works that they cite."""
        documents = [self.document(window.source_id) for window in packed.passages]
        works = {work.url for document in documents for work in document.works}
        return frozenset(works | {window.path for window in packed.passages})

    def _sources(self, packed: Packed) -> dict[int, Source]:
        return {
            passage.label: Source(
                passage=passage,
                document=(document := self.document(window.source_id)),
                told=told_by(window, document),
            )
            for passage, window in zip(_labelled(packed.passages, packed.hits), packed.passages, strict=True)
        }


def _labelled(found: Sequence[Window], hits: Sequence[Hit]) -> tuple[Passage, ...]:
    by_row = {hit.row: hit for hit in hits}
    return tuple(
        Passage(label=label, hit=by_row[window.rows[0]], pages=window.pages, window=window)
        for label, window in enumerate(found, 1)
    )


_DECLINED = "The language model read the nearest passages and found no answer in them."
_NOTHING_LEFT = "The language model wrote an answer, but the passages support no sentence of it."


def _is_refusal(reply: str) -> bool:
    """Whether the reply is the sentence that the prompt asks for, marks and all aside, or opens with it."""
    reader = MarkReader(given=())
    plain = " ".join((reader.feed(reply) + reader.close()).split()).strip("\"'“”*_ ").lower()
    return plain.startswith(REFUSAL.rstrip(".").lower())


def _nothing(talk: Talk) -> GenerationError:
    """Why there is no answer, and what to do about it."""
    name = talk.generator.name
    if talk.cancel.is_set():
        return GenerationError("The answer was stopped before its first word.", hint="")
    if talk.usage.stop_reason == "length" and talk.written.strip():
        return GenerationError(
            f"{name} used up its room for reasoning and wrote no answer.", hint="Raise `answer_tokens`."
        )
    return GenerationError(f"{name} wrote no answer.", hint="Ask again, or use another model.")


def _warnings(held: _Held, talk: Talk, *, strict: bool) -> tuple[str, ...]:
    checked, found = held.checked, list(talk.notes)
    if held.found:
        found.append("The model named no passages; those that support its sentences were looked for.")
    if talk.usage.stop_reason == "length":
        found.append("The answer was cut off at its longest; raise `answer_tokens` for more.")
    if talk.usage.stop_reason == "cancelled" or talk.cancel.is_set():
        found.append("The answer was stopped before its end.")
    missing = checked.claims - checked.supported
    if missing and checked.text:
        what = "left out" if strict else "marked"
        found.append(f"Without support in the passages: {missing} of {checked.claims} sentences, {what}.")
    return tuple(found)
