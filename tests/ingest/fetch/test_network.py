"""No connection leaves for an address that is not public, and nothing is read without end."""

import gzip
import json
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import pytest

from ingest.fetch.classify import Outcome, classify
from ingest.fetch.connect import system_resolver
from ingest.fetch.network import Conditional, Failure, FetchFailed, Network
from rag.errors import AddressRefused

pytestmark = pytest.mark.slow

PUBLIC = "93.184.216.34"
NAMES = {"public.test": PUBLIC, "localhost": "127.0.0.1", "kubernetes.default.svc": "10.96.0.1"}


def resolver(host: str, port: int) -> list[str]:
    """A resolver as generous as the C library's, without the network."""
    name = host.rstrip(".").lower()
    if name in NAMES:
        return [NAMES[name]]
    try:
        return [socket.inet_ntoa(socket.inet_aton(name))]  # 127.1, 0x7f000001, 2130706433
    except OSError:
        pass
    if ":" in name:
        return [name]
    raise socket.gaierror(socket.EAI_NONAME, "not known")


def _lists(shared: Path, name: str) -> list[dict[str, Any]]:
    return json.loads((shared / "badinput/own-lists/ssrf.json").read_text())[name]


def _is_public(attempts: Sequence[str]) -> bool:
    return set(attempts) <= {PUBLIC}


def test_every_url_of_the_list_is_refused_without_a_connection(shared: Path, internet: Any) -> None:
    network = Network(resolver=resolver, sockets=internet)
    for entry in _lists(shared, "urls"):
        with pytest.raises(AddressRefused):
            network.get(entry["url"])
    assert internet.attempts == []
    assert not network.connections


def test_every_redirect_of_the_list_is_refused(shared: Path, site: Any, page: Any, internet: Any) -> None:
    chains = [entry for entry in _lists(shared, "scenarios") if "chain" in entry]
    assert len(chains) == 7
    for entry in chains:
        first, *others = entry["chain"]
        answers: dict[str, list[Any]] = {}
        path = "/" + first.rsplit("/", 1)[1]
        for target in others:
            answers.setdefault(path, []).append(page(status=302, headers={"Location": target}))
            path = "/" + target.rsplit("/", 1)[1]
        site.pages = {("public.test", path): pages for path, pages in answers.items()}
        with pytest.raises((AddressRefused, FetchFailed)) as caught:
            Network(resolver=resolver, sockets=internet).get(first)
        refused = isinstance(caught.value, AddressRefused)
        assert refused == (entry["id"] not in ("redir-6-hops", "redir-loop"))
        if not refused:
            assert "More than 3 redirects" in str(caught.value)
    assert _is_public(internet.attempts)
    assert len(internet.attempts) == 5 + 4 + 4  # a connection for each hop that was public


@pytest.mark.parametrize("name", ["meta-refresh", "sitemap-nested"])
def test_addresses_inside_a_page_are_not_fetched(
    name: str, shared: Path, site: Any, page: Any, internet: Any
) -> None:
    body = next(entry["body"] for entry in _lists(shared, "scenarios") if entry["id"] == name).encode()
    site.put("public.test", "/", page(body=body))
    assert Network(resolver=resolver, sockets=internet).get("http://public.test/").body == body
    assert internet.attempts == [PUBLIC]


def test_a_name_is_resolved_once_per_connection_and_checked_each_time(
    site: Any, page: Any, internet: Any
) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    network = Network(resolver=lambda host, port: next(answers), sockets=internet)
    site.put("public.test", "/", page(body=b"whole"))
    assert network.get("http://public.test/").body == b"whole"
    with pytest.raises(AddressRefused):
        network.get("http://public.test/")
    assert internet.attempts == [PUBLIC]


@pytest.mark.parametrize(
    "answers", [[PUBLIC, "127.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::ffff:127.0.0.1"]]
)
def test_one_answer_that_is_not_public_refuses_the_name(answers: list[str], internet: Any) -> None:
    with pytest.raises(AddressRefused):
        Network(resolver=lambda host, port: answers, sockets=internet).get("http://public.test/")
    assert internet.attempts == []


def test_proxies_of_the_environment_are_not_used(
    site: Any, page: Any, internet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")
    site.put("public.test", "/", page(body=b"direct"))
    assert Network(resolver=resolver, sockets=internet).get("http://public.test/").body == b"direct"
    assert internet.attempts == [PUBLIC]


def test_the_next_address_is_tried_when_one_takes_no_connection(site: Any, page: Any, internet: Any) -> None:
    site.put("public.test", "/", page(body=b"second"))
    network = Network(resolver=lambda host, port: ["1.1.1.1", PUBLIC], sockets=internet)
    assert network.get("http://public.test/").body == b"second"
    assert dict(network.connections) == {"1.1.1.1": 1, PUBLIC: 1}


def test_host_and_server_name_are_those_of_the_url(site: Any, page: Any, internet: Any) -> None:
    site.put("public.test", "/", page(body=b"x"))
    Network(resolver=resolver, sockets=internet).get("https://public.test/")
    assert internet.server_names == ["public.test"]
    assert site.headers["public.test", "/"]["host"] == "public.test"
    assert site.headers["public.test", "/"]["user-agent"].startswith("Waymark/")


def test_loopback_is_refused_unless_it_is_allowed(site: Any, page: Any) -> None:
    url = site.put("127.0.0.1", "/", page(body=b"here"))
    with pytest.raises(AddressRefused):
        Network().get(url)
    assert Network(allow_loopback=True).get(url).body == b"here"
    assert site.requests == {("127.0.0.1", "/"): 1}


def test_the_systems_resolver_gives_each_address_once() -> None:
    assert system_resolver("127.0.0.1", 80) == ["127.0.0.1"]


@pytest.mark.parametrize(
    "location", ["http://a\\@127.0.0.1/", "http://a b/", "http://[::1", "//user@public.test/", "\x7f"]
)
def test_redirects_to_odd_urls_are_refused(location: str, site: Any, page: Any, internet: Any) -> None:
    site.put("public.test", "/", page(status=302, headers={"Location": location}))
    with pytest.raises((AddressRefused, FetchFailed)):  # some of them httpx itself does not let through
        Network(resolver=resolver, sockets=internet).get("http://public.test/")
    assert internet.attempts == [PUBLIC]


def _bomb(n_bytes: int) -> bytes:
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(2**20)
    return b"".join([*(packer.compress(block) for _ in range(n_bytes // 2**20)), packer.flush()])


def test_a_gzip_bomb_stops_at_the_limit_of_unpacked_bytes(site: Any, page: Any, internet: Any) -> None:
    site.put("public.test", "/", page(body=_bomb(400 * 2**20), headers={"Content-Encoding": "gzip"}))
    _fails(internet, Failure.UNUSABLE, "larger than 20 MiB", within_s=5)


def test_a_body_without_length_stops_at_the_limit(site: Any, page: Any, internet: Any) -> None:
    site.put("public.test", "/", page(parts=lambda: repeat(bytes(2**16), 30 * 16)))
    _fails(internet, Failure.UNUSABLE, "larger than 20 MiB", within_s=5)


def _drip(delay_s: float) -> Iterator[bytes]:
    while True:
        yield b"x"
        time.sleep(delay_s)


def test_an_endless_body_stops_at_the_total_deadline(site: Any, page: Any, internet: Any) -> None:
    site.put("public.test", "/", page(parts=lambda: _drip(0.05)))
    _fails(internet, Failure.TIMEOUT, "when its time was over", within_s=2, fetch_s=1.0)


def test_a_server_that_says_nothing_is_left_at_the_deadline(internet: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        internet.site.port = mute.getsockname()[1]
        _fails(internet, Failure.TIMEOUT, "public.test was", within_s=2, fetch_s=0.5)


def test_a_look_up_without_an_answer_is_left_at_the_deadline(internet: Any) -> None:
    began = time.monotonic()
    network = Network(resolver=lambda host, port: [str(time.sleep(1.5))], sockets=internet, fetch_s=0.3)
    with pytest.raises(FetchFailed) as caught:
        network.get("http://public.test/")
    assert caught.value.why is Failure.UNREACHABLE
    assert time.monotonic() - began < 1


def test_bytes_that_are_no_text_are_told_from_what_they_are_declared_as(
    site: Any, page: Any, internet: Any
) -> None:
    site.put("public.test", "/", page(body=b"\x7fELF\x02\x01\x01" + bytes(500), content_type="text/html"))
    answer = Network(resolver=resolver, sockets=internet).get("http://public.test/")
    verdict = classify(
        status=200, content_type="text/html", body=answer.body, requested=answer.url, final=answer.url
    )
    assert verdict.outcome is Outcome.NOT_TEXT


@pytest.mark.parametrize(
    ("encoding", "body", "why"),
    [
        ("br", b"xx", "not asked for"),
        ("gzip, gzip", b"xx", "not asked for"),
        ("gzip", b"not gzip", "damaged"),
        ("gzip", gzip.compress(b"whole page")[:-9], "cut short"),
    ],
)
def test_bodies_packed_wrongly_are_not_taken_for_pages(
    encoding: str, body: bytes, why: str, site: Any, page: Any, internet: Any
) -> None:
    site.put("public.test", "/", page(body=body, headers={"Content-Encoding": encoding}))
    _fails(internet, Failure.UNUSABLE, why, within_s=5)


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("x-gzip", lambda data: gzip.compress(data[:3]) + gzip.compress(data[3:]) + bytes(8)),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("identity", bytes),
    ],
)
def test_packed_bodies_are_unpacked(
    encoding: str, pack: Callable[[bytes], bytes], site: Any, page: Any, internet: Any
) -> None:
    data = b"a page " * 100
    site.put("public.test", "/", page(body=pack(data), headers={"Content-Encoding": encoding}))
    assert Network(resolver=resolver, sockets=internet).get("http://public.test/").body == data


def test_a_body_shorter_than_it_said_is_an_error(site: Any, internet: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as liar:
        internet.site.port = liar.getsockname()[1]

        def answer() -> None:
            with liar.accept()[0] as connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")

        thread = threading.Thread(target=answer)
        thread.start()
        _fails(internet, Failure.BROKEN, "broke off", within_s=5)
        thread.join()


def test_validators_go_to_the_url_that_gave_them_only(site: Any, page: Any, internet: Any) -> None:
    site.put("public.test", "/a", page(status=301, headers={"Location": "/b"}))
    site.put("public.test", "/b", page(body=b"same", headers={"etag": '"1"'}))
    network = Network(resolver=resolver, sockets=internet)
    known = Conditional(url="http://public.test/b", etag='"1"')
    assert network.get("http://public.test/a", conditional=known).status == 304
    assert "if-none-match" not in site.headers["public.test", "/a"]


def _fails(internet: Any, why: Failure, message: str, *, within_s: float, fetch_s: float = 30.0) -> None:
    began = time.monotonic()
    with pytest.raises(FetchFailed, match=message) as caught:
        Network(resolver=resolver, sockets=internet, fetch_s=fetch_s).get("http://public.test/")
    assert caught.value.why is why
    assert time.monotonic() - began < within_s
