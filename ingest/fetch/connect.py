"""Connections: the one place where a name is resolved and a socket is opened.

A name is resolved once per connection, every answer has to pass, and the connection goes to an address that passed:
no second answer can slip in between check and use. The host name still goes into SNI and the Host header. Every read,
write and handshake is cut off at the deadline of the whole fetch, however slowly bytes keep coming.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpcore
import httpx

from ingest.fetch.address import check_address

CONNECT_S = 10.0  # for resolving and connecting, of the fetch's own deadline
_MOST_ANSWERS = 4  # addresses of one name that are tried

Resolver = Callable[[str, int], Iterable[str]]  # host, port -> addresses; OSError if there are none


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadline:
    """A moment on the monotonic clock."""

    at: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(at=time.monotonic() + seconds)

    def left(self) -> float:
        """Seconds left; 0 when it has passed."""
        return max(0.0, self.at - time.monotonic())

    def cap(self, timeout: float | None) -> float:
        """The shorter of `timeout` and what is left, but never 0, which sockets take for "do not block"."""
        left = max(self.left(), 0.001)
        return left if timeout is None else min(timeout, left)


class NameNotResolved(httpcore.ConnectError):
    """The name has no address, or nobody answered in time."""


def system_resolver(host: str, port: int) -> list[str]:
    """What this machine's resolver says, each address once."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class CheckedBackend(httpcore.NetworkBackend):
    """Opens connections to checked addresses only, all of them within one deadline.

    Args:
        connected: told the address of each connection before (False) and after (True) it was opened.
    """

    def __init__(
        self,
        *,
        resolver: Resolver,
        sockets: httpcore.NetworkBackend,
        deadline: Deadline,
        connected: Callable[[str, bool], None],
        allow_loopback: bool = False,
    ) -> None:
        self._resolver = resolver
        self._deadline = deadline
        self._connected = connected
        self._allow_loopback = allow_loopback
        self._sockets = sockets

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,  # Any: httpcore's own union of tuples
    ) -> httpcore.NetworkStream:
        """Resolve, check every answer, connect to the first that takes the connection."""
        limit = Deadline(at=min(self._deadline.at, time.monotonic() + CONNECT_S))
        answers = self._resolve(host, port, limit)
        addresses = [check_address(answer, allow_loopback=self._allow_loopback) for answer in answers]
        failure: Exception = NameNotResolved(f"{host} has no address")
        for address in addresses[:_MOST_ANSWERS]:
            self._connected(address, False)
            try:
                stream = self._sockets.connect_tcp(
                    address, port, limit.cap(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            self._connected(address, True)
            return _TimedStream(stream, self._deadline)
        raise failure

    def _resolve(self, host: str, port: int, limit: Deadline) -> list[str]:
        """The resolver's answers; it cannot be interrupted, so it runs in a thread that may be left behind."""
        answered: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

        def look_up() -> None:
            try:
                answered.put(list(self._resolver(host, port)))
            except Exception as error:  # noqa: BLE001 (handed to the thread that asked)
                answered.put(error)

        threading.Thread(target=look_up, name=f"resolve {host}", daemon=True).start()
        try:
            answer = answered.get(timeout=limit.cap(None))
        except queue.Empty:
            raise NameNotResolved(f"no answer to the look-up of {host}") from None
        if isinstance(answer, OSError | UnicodeError):
            raise NameNotResolved(f"{host} was not found") from answer
        if isinstance(answer, Exception):
            raise answer
        return answer


class _TimedStream(httpcore.NetworkStream):
    """A stream whose every operation ends at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._check(httpcore.ReadTimeout)
        return self._stream.read(max_bytes, self._deadline.cap(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._check(httpcore.WriteTimeout)
        self._stream.write(buffer, self._deadline.cap(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        self._check(httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, self._deadline.cap(timeout))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:  # Any: as httpcore has it
        return self._stream.get_extra_info(info)

    def _check(self, error: type[httpcore.TimeoutException]) -> None:
        if not self._deadline.left():
            raise error("the deadline of the fetch has passed")


class _Stream(httpx.SyncByteStream):
    def __init__(self, parts: httpcore.Response) -> None:
        self._answer = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from self._answer.iter_stream()

    def close(self) -> None:
        self._answer.close()


class PoolTransport(httpx.BaseTransport):
    """httpx over a pool of ours; httpx's own transport has no place for a network backend."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = httpcore.URL(
            scheme=request.url.raw_scheme,
            host=request.url.raw_host,
            port=request.url.port,
            target=request.url.raw_path,
        )
        inner = httpcore.Request(
            request.method, url, headers=request.headers.raw, extensions=request.extensions
        )
        answer = self._pool.handle_request(inner)
        return httpx.Response(answer.status, headers=answer.headers, stream=_Stream(answer))
