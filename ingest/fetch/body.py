"""Reading a body: to the end or to a limit, unpacking gzip and deflate on the way.

The limit holds for what was unpacked, and no more than one byte beyond it is ever held: a small answer can unpack to
gigabytes. A body that ends too early is an error, so that half a page is never taken for the page.
"""

import zlib
from collections.abc import Iterable
from typing import Protocol

from rag.errors import WaymarkError

_AUTO = zlib.MAX_WBITS | 32  # gzip or zlib, by their first bytes
_RAW = -zlib.MAX_WBITS  # what some servers call deflate


class BodyError(WaymarkError):
    """A body that cannot be used: too large, cut short, packed in a way that was not asked for."""


class _Inflator(Protocol):  # zlib has no public name for it
    @property
    def unused_data(self) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def read_body(parts: Iterable[bytes], *, encoding: str, limit: int) -> bytes:
    """The bytes of a body, unpacked; `encoding` is the Content-Encoding header.

    Raises:
        BodyError: more than `limit` bytes, damaged, cut short or in another encoding.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return _gather(parts, limit)
        case "gzip" | "x-gzip" | "deflate":
            return _inflate(parts, limit)
        case other:
            printable = "".join(char for char in other[:40] if char.isprintable())
            raise BodyError(f"The body is packed as {printable!r}, which was not asked for.")


def _gather(parts: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    for part in parts:
        body += part
        if len(body) > limit:
            raise _too_large(limit)
    return bytes(body)


def _inflate(parts: Iterable[bytes], limit: int) -> bytes:
    body = bytearray()
    inflator: _Inflator | None = None
    for part in parts:
        data = part
        while data:
            if inflator is None or inflator.eof:
                if body and not data.strip(b"\0"):
                    break  # padding after the end
                inflator = _start(data, first=not body)
            try:
                body += inflator.decompress(data, limit + 1 - len(body))
            except zlib.error as error:
                raise BodyError(f"The packed body is damaged: {error}.") from error
            if len(body) > limit:
                raise _too_large(limit)
            data = inflator.unused_data if inflator.eof else b""
    if inflator is not None and not inflator.eof:
        raise BodyError("The packed body is cut short.")
    return bytes(body)


def _start(data: bytes, *, first: bool) -> _Inflator:
    """An inflator for what begins with `data`: gzip, zlib, or bare deflate if it can be nothing else."""
    packed = data[:1] in (b"\x1f", b"\x78") or not first
    return zlib.decompressobj(_AUTO if packed else _RAW)


def _too_large(limit: int) -> BodyError:
    return BodyError(f"The body is larger than {limit / 2**20:.0f} MiB.")
