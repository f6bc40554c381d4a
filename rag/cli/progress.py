"""Progress bars on standard error, so that standard output stays clean for answers and JSON."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

_TITLES = {
    "fetch": "Fetching",
    "load": "Reading",
    "embed": "Embedding",
    "write": "Writing the index",
    "ask": "Answering",
}


@contextmanager
def progress_bars() -> Iterator[Callable[[str, int, int], None]]:
    """Give a `progress(step, done, total)` that shows one bar per step; steps with nothing to do show none."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    bars = Progress(*columns, console=Console(stderr=True))

    def show(step: str, done: int, total: int) -> None:
        if not total:
            return
        bars.start()
        if step not in tasks:
            tasks[step] = bars.add_task(_TITLES.get(step, step), total=total)
        bars.update(tasks[step], completed=done)

    try:
        yield show
    finally:
        if tasks:
            bars.stop()
