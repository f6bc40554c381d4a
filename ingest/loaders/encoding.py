"""Bytes as text: which encoding, what was lost, and whether it is text at all.

Knows no format. In this order: byte order mark, strict UTF-8, what the document itself declares, a guess. A guess
and every replaced character are reported, never silent. Text comes out as NFC with `\\n` line ends.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from charset_normalizer import from_bytes

from ingest.loaders.outcome import Outcome, Unloadable

MAX_BYTES = 50 * 1024 * 1024
_NORMALISED_AT_ONCE = 1 << 20  # characters
_GUESS_FROM = 64 * 1024  # bytes; more makes the guess slower, not better
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\x0b\x0c\r\x1b")) + b"\x7f"  # escape opens ISO-2022 shifts
_TEXT_HAS_AT_MOST = 500  # one control character in so many bytes: a slip; more: not text
_WESTERN = frozenset("äöüÄÖÜßéèêëÉÈÊàâáÀÂÁçÇñÑíîïÍÎóôòõÓÔúùûÚœŒæÆåÅøØ“”„‘’‚–—…«»€£©®°§·•´¡¿\u00a0×±²³½")
_BINARY = {
    b"\x7fELF": "a program",
    b"MZ\x90": "a program",
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"PK\x03\x04": "a ZIP archive",
    b"\x1f\x8b": "a gzip archive",
    b"%PDF-": "a PDF",
    b"\xd0\xcf\x11\xe0": "an old Office file",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """`n_replaced` counts characters that could not be read and stand as U+FFFD."""

    text: str
    encoding: str
    n_replaced: int = 0
    guessed: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know about the reading."""
        guess = (f"its encoding was guessed to be {self.encoding}",) if self.guessed else ()
        loss = (f"{self.n_replaced} characters could not be read",) if self.n_replaced else ()
        return guess + loss


def binary_kind(data: bytes) -> str:
    """What the first bytes say it is, in words; empty for what may be text."""
    return next((words for magic, words in _BINARY.items() if data.startswith(magic)), "")


def decode_text(data: bytes, *, path: str = "", declared: str = "") -> Decoded:
    """Read bytes as text.

    Args:
        declared: the encoding that the document names inside itself, if it does.

    Raises:
        Unloadable: empty, larger than `MAX_BYTES`, or not text.
    """
    if len(data) > MAX_BYTES:
        reason = f"it has {len(data):,} bytes; at most {MAX_BYTES:,} are read"
        raise Unloadable(reason, outcome=Outcome.LIMIT, path=path)
    if not data.strip():
        raise Unloadable("it is empty", outcome=Outcome.EMPTY, path=path)
    if kind := binary_kind(data):
        raise Unloadable(f"it is {kind}, not text", outcome=Outcome.UNREADABLE, path=path)
    for mark, name in _MARKS:
        if data.startswith(mark):
            return _decode(data, name, guessed=False)
    if b"\0" in data:
        return _decode(data, _wide_encoding(data, path), guessed=True)
    if len(data) - len(data.translate(None, _CONTROLS)) > len(data) // _TEXT_HAS_AT_MOST:
        raise Unloadable("it is binary data, not text", outcome=Outcome.UNREADABLE, path=path)
    return _read_narrow(data, path, declared)


def _read_narrow(data: bytes, path: str, declared: str) -> Decoded:
    """Text of a byte-wise encoding."""
    named = _codec(declared)
    if b"\x1b$" in data and data.isascii():  # Japanese as shifts between tables of ASCII bytes
        return _decode(data, named or "iso2022_jp", guessed=not named)
    try:
        return Decoded(text=_normal(data.decode("utf-8")), encoding="utf-8")
    except UnicodeDecodeError:
        pass
    if named and named != "utf-8":
        return _decode(data, named, guessed=False)
    lenient = data.decode("utf-8", errors="replace")
    n_bad = lenient.count("\ufffd")
    if sum(not char.isascii() for char in lenient) > 5 * n_bad:  # UTF-8 with a few damaged places
        return Decoded(text=_normal(lenient), encoding="utf-8", n_replaced=n_bad, guessed=True)
    return _decode(data, _guess(data, path), guessed=True)


def _guess(data: bytes, path: str) -> str:
    first = next(n for n, byte in enumerate(data) if byte > 127)
    start = max(0, data.rfind(b"\n", 0, max(0, first - _GUESS_FROM // 2)) + 1)
    sample = data[start : start + _GUESS_FROM]
    if _is_western(sample):
        return "cp1252"
    best = from_bytes(sample).best()
    if best is None:
        raise Unloadable("it is in no encoding that is known", outcome=Outcome.UNREADABLE, path=path)
    return best.encoding


def _is_western(sample: bytes) -> bool:
    """Latin letters with some accents: charset-normalizer takes short texts of that kind for Baltic or Slavic."""
    text = sample.decode("cp1252", errors="replace")
    accented = [char for char in text if not char.isascii()]
    n_letters = sum(map(str.isalpha, text))
    n_usual = sum(char in _WESTERN for char in accented)
    return n_usual >= 0.95 * len(accented) and len(accented) <= 0.3 * n_letters


def _wide_encoding(data: bytes, path: str) -> str:
    """UTF-16 without a mark: mostly Latin text, every other byte NUL."""
    even, odd = data[::2].count(0), data[1::2].count(0)
    for name, nul, other in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if other == 0 and nul > len(data) // 5 and len(data) % 2 == 0:
            return name
    raise Unloadable("it has NUL bytes, so it is not text", outcome=Outcome.UNREADABLE, path=path)


def _codec(name: str) -> str:
    """Python's name of a text encoding; empty if there is none. Pages say Latin-1 and mean Windows-1252."""
    try:
        found = codecs.lookup(name.strip().lower()) if re.fullmatch(r"[\w.:-]{2,40}", name.strip()) else None
    except LookupError:
        return ""
    if found is None or not found._is_text_encoding or found.name in {"undefined", "idna", "punycode"}:
        return ""
    return {"iso8859-1": "cp1252", "ascii": "cp1252"}.get(found.name, found.name)


def _decode(data: bytes, encoding: str, *, guessed: bool) -> Decoded:
    text = data.decode(encoding, errors="replace")
    replaced = text.count("\ufffd")
    return Decoded(text=_normal(text), encoding=encoding, n_replaced=replaced, guessed=guessed)


def _normal(text: str) -> str:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(text) < _NORMALISED_AT_ONCE or unicodedata.is_normalized("NFC", text):
        return unicodedata.normalize("NFC", text)
    return "".join(unicodedata.normalize("NFC", part) for part in _parts(text))


def _parts(text: str) -> Iterator[str]:
    """A long text cut at line ends, which nothing joins: normalising takes many times the memory of its text."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _NORMALISED_AT_ONCE) + 1 or len(text)
        yield text[start:end]
        start = end
