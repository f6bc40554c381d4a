"""Watching what was added, so that the index follows its files.

Folders and files are watched by the system; once a second it is checked whether the library has changed, or one of
its files was replaced, went away or came back, and then the watch is set up anew. It is set up before the index is
brought up to date, so that no change falls between. Knows nothing about the index: it calls.
"""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from types import FrameType

from watchfiles import watch

from ingest.library import read_library
from rag.errors import StorageError

_TICK_MS = 1000


def watch_library(
    home: Path, update: Callable[[], None], *, debounce_s: float, stop: threading.Event | None = None
) -> None:
    """Call `update` at once and after every change of what was added; ends when `stop` is set, or by Ctrl-C.

    Args:
        debounce_s: seconds without a further change after which it is called; it is called after ten times as long
            in any case.

    Raises:
        KeyboardInterrupt: Ctrl-C.
    """
    stop = stop or threading.Event()
    while not stop.is_set():
        places = _places(home)
        armed = False
        watching = watch(
            *places,
            debounce=round(10_000 * debounce_s),
            step=round(1000 * debounce_s),
            rust_timeout=_TICK_MS,
            yield_on_timeout=True,
            stop_event=stop,
        )
        with closing(watching):  # what is raised while it is taken down goes on, and is not lost
            for changes in watching:
                if changes or not armed:
                    armed = True
                    update()
                if _places(home) != places:
                    break


@contextmanager
def until_interrupted() -> Iterator[threading.Event]:
    """An event for `stop` that Ctrl-C sets, besides raising; in the main thread only.

    Python drops an exception that is raised while an object is cleaned up, and a watch would go on. The event stays.

    Raises:
        KeyboardInterrupt: Ctrl-C, at the latest at the end.
    """
    stop = threading.Event()

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        stop.set()
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, interrupt)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
    if stop.is_set():
        raise KeyboardInterrupt


def _places(home: Path) -> dict[str, int]:
    """Added files and folders that are there, each with what tells it from one that took its place."""
    try:
        items = read_library(home).items
    except StorageError:
        items = ()  # `update` says so
    found: dict[str, int] = {}
    for item in items:
        try:
            found[item] = Path(item).stat().st_ino
        except OSError:
            continue  # a page, or gone for now
    return found
