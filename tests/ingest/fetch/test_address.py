import json
from pathlib import Path
from typing import Any

import pytest

from ingest.fetch.address import check_address, check_url
from rag.errors import AddressRefused


def test_every_url_of_the_list_that_can_be_refused_unresolved_is(shared: Path) -> None:
    listed: list[dict[str, Any]] = json.loads((shared / "badinput/own-lists/ssrf.json").read_text())["urls"]
    assert len(listed) == 50
    passed = []
    for entry in listed:
        try:
            check_url(entry["url"])
            passed.append(entry["url"])
        except AddressRefused:
            pass
    # Names: only their addresses can tell.
    assert passed == ["http://localhost./", "http://LOCALHOST/", "http://kubernetes.default.svc/"]


@pytest.mark.parametrize(
    "text",
    [
        "http://2130706433/",
        "http://127.1/",
        "http://1.1.1.0x1/",
        "http://0x7f.1/",
        "http://017700000001/",
        "http://[fe80::1%25eth0]/",
        "http://[::1]:80/",
        "http://exa mple.com/",
        "http://example.com/a b",
        "http://example.com/\u2028",
        "http://example.com/\ud800",
        "http://@example.com/",
        "http://:@example.com/",
        "http://example.com:99999/",
        "http://example.com:0/",
        "http:///path",
        "http://-/",
        "http://.a/",
        "gopher://example.com/",
        "https://example.com:8443/",
        "http://example.com/" + "a" * 2048,
    ],
)
def test_urls_in_odd_forms_are_refused(text: str) -> None:
    with pytest.raises(AddressRefused) as caught:
        check_url(text)
    assert str(caught.value).isprintable()
    assert caught.value.exit_code == 22
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://example.com/a?b=c#d", "https://example.com/a?b=c"),
        ("HTTP://Example.COM", "http://example.com"),
        ("https://example.com:443/x", "https://example.com/x"),
        ("http://example.com:443/x", "http://example.com:443/x"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("http://1.1.1.1/", "http://1.1.1.1/"),
        ("http://[2606:4700::1111]/", "http://[2606:4700::1111]/"),
        ("https://my_host.example/", "https://my_host.example/"),
    ],
)
def test_usual_urls_pass_without_their_fragment(text: str, expected: str) -> None:
    assert str(check_url(text)) == expected


@pytest.mark.parametrize("port", [1, 8080, 65535])
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost", "a.localhost", "127.9.9.9"])
def test_loopback_passes_on_any_port_only_where_it_is_allowed(host: str, port: int) -> None:
    url = f"http://{host}:{port}/"
    assert check_url(url, allow_loopback=True).port == port
    with pytest.raises(AddressRefused):
        check_url(url)


@pytest.mark.parametrize(
    "url", ["http://10.0.0.1:8080/", "http://example.com:8080/", "http://localhost.example:8080/"]
)
def test_allowing_loopback_allows_nothing_else(url: str) -> None:
    with pytest.raises(AddressRefused):
        check_url(url, allow_loopback=True)


@pytest.mark.parametrize(
    "address",
    """0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1
    172.31.255.255 192.0.0.1 192.0.0.192 192.0.2.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1
    239.255.255.255 240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:169.254.169.254
    64:ff9b::7f00:1 64:ff9b::a00:1 64:ff9b:1::7f00:1 64:ff9b:1:a00:0:100:: 100::1 2001::1 2001:db8::1
    2001:0:4136:e378:8000:63bf:80ff:fffe 2002:7f00:1:: 2002:a00:1:: 2002:808:808::1 3fff::1 5f00::1 fc00::1
    fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1 ff02::1 ff0e::1 nonsense""".split(),
)
def test_addresses_off_the_public_internet_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused):
        check_address(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_public_addresses_pass(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize(
    "address", ["::ffff:127.0.0.1", "::127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "10.0.0.1"]
)
def test_allowing_loopback_means_loopback_itself(address: str) -> None:
    assert check_address("127.0.0.1", allow_loopback=True) == "127.0.0.1"
    assert check_address("::1", allow_loopback=True) == "::1"
    with pytest.raises(AddressRefused):
        check_address(address, allow_loopback=True)
