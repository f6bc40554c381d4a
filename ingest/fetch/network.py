"""One request: GET a URL through the checks, follow up to three redirects through the same checks, read the answer.

Each fetch has a client and a pool of its own, so a connection never outlives the check of its address. The client
sees no environment (proxies, netrc), no disk and no cookies but those set on the way. Knows nothing about what a page
means; an answer with any status is a `Response`, and only a fetch without an answer is a `FetchFailed`.
"""

import ssl
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum

import httpcore
import httpx

import rag
from ingest.fetch.address import check_url
from ingest.fetch.body import BodyError, read_body
from ingest.fetch.connect import CheckedBackend, Deadline, PoolTransport, Resolver, system_resolver
from rag.errors import AddressRefused, WaymarkError

MOST_REDIRECTS = 3
MOST_BYTES = 20 * 2**20
FETCH_S = 30.0
_QUIET_S = 10.0  # without a byte
PRODUCT = "Waymark"  # the name that robots.txt knows us by
_HEADERS = {
    "User-Agent": f"{PRODUCT}/{rag.__version__}",
    "Accept": "text/html,application/xhtml+xml,application/pdf,text/*;q=0.9,*/*;q=0.5",
    "Accept-Language": "en",
    "Accept-Encoding": "gzip",
}
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Failure(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"  # no such name, no connection
    TIMEOUT = "timeout"
    BROKEN = "broken"  # the connection or the protocol broke
    UNUSABLE = "unusable"  # too large, wrongly packed, too many redirects: asking again changes nothing


class FetchFailed(WaymarkError):
    """A fetch that ended without an answer."""

    default_hint = "Try again later."

    def __init__(self, message: str, *, why: Failure) -> None:
        super().__init__(message)
        self.why = why


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, whatever its status. `body` is unpacked and whole."""

    status: int
    url: str  # the final one
    headers: Mapping[str, str]  # names in lower case
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditional:
    """Validators of a copy that is at hand; sent only to the very URL that gave them."""

    url: str
    etag: str = ""
    last_modified: str = ""


Gate = Callable[[httpx.URL], AbstractContextManager[None]]  # entered around each request


class Network:
    """The way out. `connections` counts, by address, every connection that was attempted.

    Args:
        allow_loopback: also fetch from this machine, on any port.
        resolver: gives the addresses of a name; the system's by default.
        sockets: opens connections to addresses; the system's by default.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        resolver: Resolver = system_resolver,
        sockets: httpcore.NetworkBackend | None = None,
        fetch_s: float = FETCH_S,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._resolver = resolver
        self._sockets = sockets or httpcore.SyncBackend()
        self._fetch_s = fetch_s
        self._most_bytes = most_bytes
        self._tls = httpx.create_ssl_context(trust_env=False)
        self._lock = threading.Lock()
        self.connections: Counter[str] = Counter()
        self.reached = threading.Event()  # set once any connection was opened

    def check(self, url: str) -> httpx.URL:
        """The URL as it would be requested; AddressRefused if it is not one to be fetched."""
        return check_url(url, allow_loopback=self._allow_loopback)

    def get(
        self,
        url: str,
        *,
        deadline: Deadline | None = None,
        conditional: Conditional | None = None,
        before_hop: Callable[[httpx.URL], None] = lambda url: None,
        gate: Gate = lambda url: nullcontext(),
    ) -> Response:
        """Fetch a URL.

        Args:
            deadline: of the run; the fetch has its own as well.
            before_hop: called with each URL on the way, after its check; may raise to stop.

        Raises:
            AddressRefused: the URL, one it redirects to, or an address of theirs may not be fetched.
            FetchFailed: no usable answer.
        """
        end = Deadline.after(self._fetch_s if deadline is None else min(self._fetch_s, deadline.left()))
        with self._client(end) as client:
            target = self.check(url)
            for _ in range(MOST_REDIRECTS + 1):
                before_hop(target)
                with gate(target), _translated(target, end):
                    answer = self._request(client, target, conditional)
                if isinstance(answer, Response):
                    return answer
                target = answer
        raise FetchFailed(f"More than {MOST_REDIRECTS} redirects from {url}.", why=Failure.UNUSABLE)

    def _request(
        self, client: httpx.Client, url: httpx.URL, conditional: Conditional | None
    ) -> Response | httpx.URL:
        """One request: the answer, or where it redirects to."""
        request = client.build_request("GET", url, headers=_validators(url, conditional))
        answer = client.send(request, stream=True)
        try:
            location = answer.headers.get("location")
            if answer.status_code in _REDIRECTS and location:
                return self._redirect(url, location)
            body = read_body(
                answer.iter_raw(),
                encoding=answer.headers.get("content-encoding", ""),
                limit=self._most_bytes,
            )
        finally:
            answer.close()
        headers = {name.lower(): value for name, value in answer.headers.items()}
        return Response(status=answer.status_code, url=str(url), headers=headers, body=body)

    def _redirect(self, url: httpx.URL, location: str) -> httpx.URL:
        try:
            if any(char.isspace() or not char.isprintable() or char == "\\" for char in location):
                raise AddressRefused("A redirect to a URL with blanks, control characters or backslashes.")
            joined = str(url.join(location))
        except (httpx.InvalidURL, UnicodeError, ValueError) as error:
            raise AddressRefused(f"A redirect to something that is no URL: {error}.") from error
        return self.check(joined)

    @contextmanager
    def _client(self, deadline: Deadline) -> Iterator[httpx.Client]:
        backend = CheckedBackend(
            resolver=self._resolver,
            sockets=self._sockets,
            deadline=deadline,
            connected=self._note,
            allow_loopback=self._allow_loopback,
        )
        with (
            httpcore.ConnectionPool(ssl_context=self._tls, network_backend=backend) as pool,
            httpx.Client(
                transport=PoolTransport(pool),
                trust_env=False,
                follow_redirects=False,
                timeout=_QUIET_S,
                headers=_HEADERS,
            ) as client,
        ):
            yield client

    def _note(self, address: str, opened: bool) -> None:
        if opened:
            self.reached.set()
            return
        with self._lock:
            self.connections[address] += 1


def _validators(url: httpx.URL, conditional: Conditional | None) -> dict[str, str]:
    if conditional is None or str(url) != conditional.url:
        return {}
    headers = {"If-None-Match": conditional.etag, "If-Modified-Since": conditional.last_modified}
    return {name: value for name, value in headers.items() if value}


@contextmanager
def _translated(url: httpx.URL, deadline: Deadline) -> Iterator[None]:
    """Whatever goes wrong below, as a `FetchFailed` that names the host."""
    host = url.host

    def failed(message: str, error: Exception, why: Failure) -> FetchFailed:
        said = str(error).rstrip(".")
        return FetchFailed(f"{message}: {said}." if said else f"{message}.", why=why)

    try:
        yield
    except (httpcore.ConnectError, httpcore.ConnectTimeout, ssl.SSLError) as error:
        raise failed(f"{host} cannot be reached", error, Failure.UNREACHABLE) from error
    except httpcore.TimeoutException as error:
        over = "not done when its time was over" if not deadline.left() else "silent for too long"
        raise FetchFailed(f"{host} was {over}.", why=Failure.TIMEOUT) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, httpx.HTTPError) as error:
        raise failed(f"The exchange with {host} broke off", error, Failure.BROKEN) from error
    except BodyError as error:
        raise FetchFailed(str(error), why=Failure.UNUSABLE) from error
