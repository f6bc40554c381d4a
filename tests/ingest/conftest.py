"""A web of our own: a real HTTP server on loopback that answers for any number of hosts, and keeps count.

Hosts are `<name>.localhost`; the resolver seam sends them all to 127.0.0.1, and `allow_loopback` lets that through.
`Internet` is the opposite: names resolve to whatever a test says, loopback is refused, and one public address is
served by the site, so that what is counted are connections as they would have been made.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpcore
import pytest

from ingest.pipeline import index_corpus
from rag.embed import PACKAGED, open_embedder

PUBLIC = "93.184.216.34"


@dataclass(kw_only=True)
class Page:
    """What the site answers. `parts` stream a body in chunks, for ever if they do."""

    body: bytes = b""
    status: int = 200
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)
    parts: Callable[[], Iterable[bytes]] | None = None


class Site:
    """The server. `pages` by (host without port, path with query); a list is used up, but for its last page."""

    def __init__(self) -> None:
        self.pages: dict[tuple[str, str], Page | list[Page]] = {}
        self.requests: Counter[tuple[str, str]] = Counter()
        self.headers: dict[tuple[str, str], dict[str, str]] = {}
        self.sent: Counter[tuple[str, str]] = Counter()  # bytes of bodies
        self.most_at_once: Counter[str] = Counter()  # by host
        self.most_hosts_at_once = 0
        self.delay_s = 0.0
        self._now: Counter[str] = Counter()
        self._lock = threading.Lock()
        self.closing = threading.Event()
        self.server = _Server(("127.0.0.1", 0), _handler_of(self))
        self.port = self.server.server_address[1]

    def url(self, host: str, path: str = "/") -> str:
        return f"http://{host}:{self.port}{path}"

    def put(self, host: str, path: str, *pages: Page) -> str:
        self.pages[host, path] = list(pages)
        return self.url(host, path)

    def pages_asked_for(self) -> Counter[tuple[str, str]]:
        return Counter({key: n for key, n in self.requests.items() if key[1] != "/robots.txt"})

    def enter(self, key: tuple[str, str], headers: dict[str, str]) -> Page:
        with self._lock:
            self.requests[key] += 1
            self.headers[key] = headers
            self._now[key[0]] += 1
            self.most_at_once[key[0]] = max(self.most_at_once[key[0]], self._now[key[0]])
            self.most_hosts_at_once = max(self.most_hosts_at_once, sum(n > 0 for n in self._now.values()))
            page = self.pages.get(key, Page(status=404))
            if isinstance(page, list):
                page = page.pop(0) if len(page) > 1 else page[0]
        time.sleep(self.delay_s)
        return page

    def leave(self, key: tuple[str, str], n_bytes: int) -> None:
        with self._lock:
            self._now[key[0]] -= 1
            self.sent[key] += n_bytes


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up are what some tests are about."""


def _handler_of(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            key = (self.headers["Host"].split(":")[0], self.path)
            page = site.enter(key, {name.lower(): value for name, value in self.headers.items()})
            n_bytes = 0
            try:
                n_bytes = self._answer(page)
            finally:
                site.leave(key, n_bytes)

        def _answer(self, page: Page) -> int:
            status, body = page.status, page.body
            known = {"etag": "If-None-Match", "last-modified": "If-Modified-Since"}
            if any(
                page.headers.get(name) and self.headers.get(ask) == page.headers[name]
                for name, ask in known.items()
            ):
                status, body = 304, b""
            self.send_response(status)
            self.send_header("Content-Type", page.content_type)
            self.send_header("Connection", "close")
            for name, value in page.headers.items():
                self.send_header(name, value)
            if page.parts is None:
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                return len(body)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            n_bytes = 0
            for part in page.parts():
                if site.closing.is_set():
                    break
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
                n_bytes += len(part)
            self.wfile.write(b"0\r\n\r\n")
            return n_bytes

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the name in the library)
            pass

    return Handler


@pytest.fixture
def site() -> Iterator[Site]:
    served = Site()
    thread = threading.Thread(target=served.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield served
    served.closing.set()
    served.server.shutdown()
    served.server.server_close()
    thread.join()


@dataclass
class Internet(httpcore.SyncBackend):
    """Sockets for `Network`: connections to PUBLIC end at the site, any other is an error; all are written down."""

    site: Site
    attempts: list[str] = field(default_factory=list)
    server_names: list[str] = field(default_factory=list)

    def connect_tcp(self, host: str, port: int, *args: Any, **kwargs: Any) -> httpcore.NetworkStream:
        self.attempts.append(host)
        if host != PUBLIC:
            raise httpcore.ConnectError(f"{host} is not served")
        return _PlainTls(super().connect_tcp("127.0.0.1", self.site.port, *args, **kwargs), self.server_names)


class _PlainTls(httpcore.NetworkStream):
    """A stream on which TLS is a word only."""

    def __init__(self, stream: httpcore.NetworkStream, server_names: list[str]) -> None:
        self._stream = stream
        self._server_names = server_names

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_PlainTls":
        self._server_names.append(server_hostname or "")
        return self

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def get_extra_info(self, info: str) -> Any:
        return None if info == "ssl_object" else self._stream.get_extra_info(info)


@pytest.fixture
def internet(site: Site) -> Internet:
    return Internet(site)


def text_page(title: str, words: int = 200) -> bytes:
    """An HTML page with a title and enough text to be one."""
    text = " ".join(f"{title} word{n}" for n in range(words))
    return f"<!doctype html><title>{title}</title><body><p>{text}</p></body>".encode()


@pytest.fixture(name="text_page")
def _text_page() -> Callable[..., bytes]:
    return text_page


@pytest.fixture(name="page")
def _page() -> type[Page]:
    return Page


@pytest.fixture(scope="session")
def roadmap_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the real roadmap in it, the same one that the tests of `rag` use. To be read only."""
    home = tmp_path_factory.getbasetemp() / "roadmap"
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    return home
