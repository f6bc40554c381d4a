"""Which URLs may be asked for and which addresses may be connected to. Pure; no name is resolved here.

One parser: what `httpx.URL` makes of a URL is what is checked and what is requested, and whatever two parsers could
read differently (backslashes, user names, blanks, escaped host names) is refused rather than mended. Addresses are
refused unless they, and any address that they carry inside, belong to the public internet.
"""

import ipaddress
import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address

import httpx

from rag.errors import AddressRefused

MAX_URL = 2048  # characters

_PORTS = {"http": 80, "https": 443}
_UNFIT = re.compile(r"[\x00-\x20\x7f-\xa0\\\u2028\u2029\ufeff\ud800-\udfff]|\s")
_USER = re.compile(r"[^/?#]*//[^/?#]*@")  # the parser drops an empty one
_HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?\.?", re.IGNORECASE)
_NUMBER_AT_END = re.compile(r"(^|\.)(\d+|0x[0-9a-f]*)\.?$", re.IGNORECASE)

# Public by the tables of some Python that Waymark runs on, but not places on the internet.
_NEVER = tuple(
    ipaddress.ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocol assignments; holds a cloud's metadata service
        "64:ff9b:1::/48",  # NAT64 with a prefix of the local network
        "100::/64",  # discard
        "2002::/16",  # 6to4: given up (RFC 7526), and carries an IPv4 address
        "3fff::/20",  # documentation
        "5f00::/16",  # segment routing
    )
)
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")


def check_url(text: str, *, allow_loopback: bool = False) -> httpx.URL:
    """The URL as it will be requested, without its fragment.

    Args:
        allow_loopback: let through names and addresses of this machine, on any port; for tests and for mirrors.

    Raises:
        AddressRefused: it says why.
    """
    if not text or len(text) > MAX_URL:
        raise AddressRefused(f"A URL has 1 to {MAX_URL} characters, not {len(text)}.")
    if _UNFIT.search(text):
        raise AddressRefused(f"A blank, control character or backslash in the URL {_shown(text)}.")
    try:
        url = httpx.URL(text).copy_with(fragment=None)
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise AddressRefused(f"Not a URL: {_shown(text)} ({error}).") from error
    if url.scheme not in _PORTS:
        raise AddressRefused(f"Not an http or https URL: {_shown(text)}.")
    if url.userinfo or _USER.match(text):
        raise AddressRefused(f"A user name in the URL {_shown(text)}.")
    on_loopback = _check_host(url, shown=_shown(text), allow_loopback=allow_loopback)
    if url.port not in (None, *_PORTS.values()) and not on_loopback:
        raise AddressRefused(f"Port {url.port} in the URL {_shown(text)}; only 80 and 443 are fetched from.")
    return url


def check_address(ip: str, *, allow_loopback: bool = False) -> str:
    """The address in its usual form, if it may be connected to.

    Raises:
        AddressRefused: it is not on the public internet, or carries an address that is not.
    """
    try:
        outer = ipaddress.ip_address(ip)
    except ValueError as error:
        raise AddressRefused(f"Not an address: {_shown(ip)}.") from error
    if allow_loopback and _is_loopback(outer):
        return str(outer)
    for address in (outer, *_inside(outer)):
        if not _is_public(address):
            raise AddressRefused(f"{outer} is not an address on the public internet.")
    return str(outer)


def _check_host(url: httpx.URL, *, shown: str, allow_loopback: bool) -> bool:
    """Check the host; True if it is this machine by name or number and that is allowed."""
    host = url.raw_host.decode("ascii", errors="replace")
    if ":" not in host and not _HOST.fullmatch(host):
        raise AddressRefused(f"No host name that can be looked up in the URL {shown}.")
    try:
        address = ipaddress.ip_address(host.rstrip("."))
    except ValueError:
        if ":" in host or _NUMBER_AT_END.search(host):  # 0x7f000001, 127.1: libraries disagree about these
            raise AddressRefused(f"An unusual form of an address in the URL {shown}.") from None
        name = host.rstrip(".").lower()
        return allow_loopback and (name == "localhost" or name.endswith(".localhost"))
    check_address(str(address), allow_loopback=allow_loopback)
    return allow_loopback and _is_loopback(address)


def _inside(address: IPv4Address | IPv6Address) -> Iterator[IPv4Address]:
    """The IPv4 addresses that an IPv6 address carries: where a translator or a tunnel would deliver."""
    if isinstance(address, IPv4Address):
        return
    carried = (address.ipv4_mapped, *(address.teredo or ()))
    yield from (inner for inner in carried if inner is not None)
    if address in _NAT64 or address in _V4_COMPATIBLE:
        yield IPv4Address(int(address) & 0xFFFFFFFF)


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if any(address in network for network in _NEVER):
        return False
    if isinstance(address, IPv6Address) and (address.is_site_local or address.scope_id):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def _is_loopback(address: IPv4Address | IPv6Address) -> bool:
    return any(address in network for network in _LOOPBACK)


def _shown(text: str) -> str:
    """Short and printable: it is shown in a terminal."""
    clean = "".join(char if char.isprintable() else "�" for char in text)
    return repr(clean if len(clean) <= 80 else clean[:79] + "…")
