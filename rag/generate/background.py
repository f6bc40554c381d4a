"""An event loop in a thread of its own, for a caller who waits in another. Knows nothing of models."""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any

_PATIENCE_S = 5.0  # for work that is told to end


class Job:
    """Work on the loop. `ended` is set when it is really over, cancelled or not."""

    def __init__(self) -> None:
        self.ended = threading.Event()
        self._future: Future[None] | None = None

    def cancel(self, *, wait_s: float) -> None:
        """Tell it to end, and wait for that a while."""
        if self._future is not None:
            self._future.cancel()
        self.ended.wait(wait_s)


class Background:
    """The loop is made with the first job and ends with `close`; a job after that makes another."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self, work: Coroutine[Any, Any, None]) -> Job:
        job = Job()

        async def supervised() -> None:
            try:
                await work
            finally:
                job.ended.set()

        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True)
                self._thread.start()
            job._future = asyncio.run_coroutine_threadsafe(supervised(), self._loop)
        return job

    def close(self, last: Coroutine[Any, Any, None] | None = None) -> None:
        """End all jobs, do the `last` thing, and end the thread."""
        with self._lock:
            loop, thread = self._loop, self._thread
            self._loop = self._thread = None
        if loop is None or thread is None:
            if last is not None:
                last.close()
            return
        asyncio.run_coroutine_threadsafe(_wind_up(last), loop).result(2 * _PATIENCE_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _wind_up(last: Coroutine[Any, Any, None] | None) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    if others:
        await asyncio.wait(others, timeout=_PATIENCE_S)
    if last is not None:
        await last
    await asyncio.get_running_loop().shutdown_asyncgens()
    await asyncio.get_running_loop().shutdown_default_executor()
