"""A question under way, in a thread of its own: a page that is closed or drawn again neither stops nor repeats it.

Knows no page and no store: it is handed an assistant's stream and what to do with the answer.
"""

import logging
import threading
import uuid
from collections.abc import Callable, Iterator

from rag.answer import Answer
from rag.errors import WaymarkError

_log = logging.getLogger(__name__)


class Answering:
    """One question being answered. Everything public may be read at any time by any thread."""

    def __init__(
        self,
        question: str,
        stream: Callable[[threading.Event], Iterator[str | Answer]],
        *,
        keep: Callable[[Answer], None],
        replaces: str | None = None,
        by_model: bool = False,
    ) -> None:
        """Begin at once.

        Args:
            stream: given the event that cancels, what `Assistant.stream` gives.
            keep: called with the answer, in the thread.
            replaces: the turn that is being asked again.
            by_model: a language model writes it, in Markdown.
        """
        self.question = question
        self.replaces = replaces
        self.by_model = by_model
        self.text = ""
        self.failure: str | None = None  # what went wrong, in words for people
        self.hint = ""
        self._cancel = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(stream, keep), daemon=True, name="answering")
        self._thread.start()

    @property
    def done(self) -> bool:
        return self._done.is_set()

    @property
    def stopping(self) -> bool:
        return self._cancel.is_set()

    def stop(self) -> None:
        """End it early; what was written so far becomes the answer."""
        self._cancel.set()

    def follow(self, *, every_s: float = 0.05, patience_s: float = 600.0) -> Iterator[str]:
        """Yield the text so far whenever it grew, until the end."""
        shown = ""
        for _ in range(int(patience_s / every_s)):
            done = self._done.wait(every_s)
            if self.text != shown:
                shown = self.text
                yield shown
            if done:
                return

    def _run(
        self, stream: Callable[[threading.Event], Iterator[str | Answer]], keep: Callable[[Answer], None]
    ) -> None:
        try:
            for item in stream(self._cancel):
                if isinstance(item, Answer):
                    keep(item)
                else:
                    self.text += item
        except WaymarkError as error:
            self.failure, self.hint = str(error), error.hint
        except Exception:  # noqa: BLE001 (a thread's last resort: the person gets an id, the log the traceback)
            failure_id = uuid.uuid4().hex[:8]
            _log.exception("answering failed, id %s", failure_id)
            self.failure = f"Something went wrong inside Waymark (id {failure_id})."
            self.hint = "The server's log holds the details under that id."
        finally:
            self._done.set()
