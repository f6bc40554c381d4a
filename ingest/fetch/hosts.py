"""Manners towards one host: one request at a time, a pause between two, and no request while it asked for peace.

Shared by all threads of a run. Every wait ends at once when the run is stopped.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from rag.errors import WaymarkError

_TICK_S = 0.05  # how soon a thread that waits for another one notices a stop


class Stopped(WaymarkError):
    """The run was stopped while this fetch waited."""


@dataclass(slots=True, kw_only=True)
class _Host:
    """Changed under its own lock only, but for `ready_at`, which only grows."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    ready_at: float = 0.0  # monotonic
    pause_s: float


class HostGates:
    """One gate per host name, whatever the port or scheme."""

    def __init__(self, *, pause_s: float, stop: threading.Event) -> None:
        self._pause_s = pause_s
        self._stop = stop
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    @contextmanager
    def enter(self, url: httpx.URL) -> Iterator[None]:
        """Wait for this host's turn and hold it.

        Raises:
            Stopped: the run ended first.
        """
        host = self._host(url.host)
        while not host.lock.acquire(timeout=_TICK_S):
            self._check()
        try:
            while (wait := host.ready_at - time.monotonic()) > 0:
                self._stop.wait(wait)
                self._check()
            self._check()
            try:
                yield
            finally:
                host.ready_at = max(host.ready_at, time.monotonic() + host.pause_s)
        finally:
            host.lock.release()

    def hold(self, host: str, seconds: float) -> None:
        """No request to the host for so long."""
        entry = self._host(host)
        entry.ready_at = max(entry.ready_at, time.monotonic() + seconds)

    def slow_down(self, host: str, pause_s: float) -> None:
        """Pause at least so long between two requests to the host."""
        entry = self._host(host)
        entry.pause_s = max(entry.pause_s, pause_s)

    def _host(self, name: str) -> _Host:
        with self._lock:
            return self._hosts.setdefault(name.rstrip(".").lower(), _Host(pause_s=self._pause_s))

    def _check(self) -> None:
        if self._stop.is_set():
            raise Stopped("The run was stopped.")
