"""What all pages of one server share: the assistant of the serving generation, answers under way, jobs, conversations.

Made once per server. A page asks it; it knows no page.
"""

import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass

from rag.answer import EXTRACTIVE, Answer
from rag.assistant import Assistant
from rag.index.generations import Generations
from rag.options import AskOptions
from rag.passages import Scope
from rag.schema import Role, Turn
from rag.settings import Settings
from ui.answering import Answering
from ui.conversations import AskedTurn, Conversations
from ui.indexing import index
from ui.jobs import Job, Jobs

_log = logging.getLogger(__name__)
_REMEMBERED = 50  # answers that are over and whose failure may still have to be shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question as a page puts it."""

    question: str
    scope: Scope | None = None
    scope_title: str = ""  # what people call it
    options: AskOptions | None = None
    replaces: AskedTurn | None = None  # the turn whose place the answer takes


class Desk:
    """One per server and data folder; any thread may call it."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.generations = Generations(settings.home)
        self.conversations = Conversations(settings.home)
        self.jobs = Jobs()
        self._assistant: Assistant | None = None
        self._serving: str | None = None
        self._opening = threading.Lock()
        self._answering: OrderedDict[str, Answering] = OrderedDict()

    @property
    def indexed(self) -> bool:
        """Whether any generation serves; says nothing about its health."""
        return self.generations.named() is not None

    @property
    def is_open(self) -> bool:
        """Whether `assistant()` would give one without opening anything."""
        return self._assistant is not None and self._serving == self.generations.named()

    def assistant(self) -> Assistant:
        """The assistant of the generation that serves now; opened again only after that one changed.

        Raises:
            IndexMissing, IndexMismatch, IndexCorrupt, EmbedderError, SettingsError: see `Assistant.open`.
        """
        named = self.generations.named()
        if self._assistant is not None and named == self._serving:
            return self._assistant
        with self._opening:
            if self._assistant is None or named != self._serving:
                before, self._assistant = self._assistant, Assistant.open(self.settings)
                self._serving = named
                # Whoever still reads the one before keeps it until they let go; else its models go now.
                if before is not None and all(one.done for one in self._answering.values()):
                    before.close()
            return self._assistant

    def close(self) -> None:
        """Close the assistant, if one was opened."""
        if self._assistant is not None:
            self._assistant.close()

    def first_index(self) -> Job:
        """Build the index, once, whoever asks."""
        return self.jobs.start("Indexing the roadmap", lambda progress: index(self.settings, progress))

    def ask(self, conversation_id: str, request: Request) -> None:
        """Begin to answer; the answer goes to the conversation whether or not a page is looking."""
        if (current := self._answering.get(conversation_id)) is not None and not current.done:
            return
        turns = [
            turn
            for turn in self.conversations.turns(conversation_id)
            if request.replaces is None or turn.id != request.replaces.id
        ]
        history = [message for turn in turns for message in _messages(turn)]

        def keep(answer: Answer) -> None:
            if request.replaces is not None:
                self.conversations.remove_turn(request.replaces.id)
            record = answer.to_dict() | {"scope": _scope_record(request)}
            self.conversations.add_turn(conversation_id, question=request.question, record=record)

        self._answering[conversation_id] = Answering(
            request.question,
            lambda cancel: self.assistant().stream(
                request.question,
                history=history,
                scope=request.scope,
                options=request.options,
                cancel=cancel,
            ),
            keep=keep,
            replaces=request.replaces.id if request.replaces else None,
            by_model=self._by_model(request),
        )
        while len(self._answering) > _REMEMBERED:
            self._answering.popitem(last=False)

    def answering(self, conversation_id: str) -> Answering | None:
        """The question under way in a conversation, or the last one if it failed."""
        current = self._answering.get(conversation_id)
        return current if current is not None and (not current.done or current.failure) else None

    def _by_model(self, request: Request) -> bool:
        """Whether a language model is to write the answer; it may fail, and then the answer is extracted."""
        wanted = request.options.llm if request.options else None
        spec = wanted or self.settings.llm
        return spec != EXTRACTIVE and (spec != "auto" or self.settings.llm_url is not None)


def _messages(turn: AskedTurn) -> tuple[Turn, Turn]:
    return (
        Turn(role=Role.USER, text=turn.question),
        Turn(role=Role.ASSISTANT, text=str(turn.record.get("text", ""))),
    )


def scope_of(turn: AskedTurn) -> Scope | None:
    """What a kept turn was limited to."""
    kept = turn.record.get("scope")
    if not isinstance(kept, dict):
        return None
    return Scope(source_id=kept.get("source_id"), section_id=kept.get("section_id"))


def _scope_record(request: Request) -> dict[str, str | None] | None:
    scope = request.scope
    if scope is None:
        return None
    return {"source_id": scope.source_id, "section_id": scope.section_id, "title": request.scope_title}
