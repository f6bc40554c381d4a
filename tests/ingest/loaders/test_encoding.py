"""Bytes as text: exact where it can be, flagged where it was guessed, refused where it is no text."""

import hashlib

import pytest

from ingest.loaders.encoding import MAX_BYTES, decode_text
from ingest.loaders.outcome import Outcome, Unloadable

_GERMAN = "Die Größe der Bücher — “naïve” façade, déjà vu für Männer und Frauen in Köln. "
_FRENCH = "Les élèves étaient très fatigués après la journée à l'école où ils étudiaient. "
_RUSSIAN = "Обучение с учителем является одним из способов машинного обучения. "
_JAPANESE = "機械学習は、データから学習するアルゴリズムの研究です。これは日本語の文章です。"
_SAMPLES = {
    "utf-8": _GERMAN,
    "utf-8-sig": _GERMAN,
    "utf-16": _RUSSIAN,
    "utf-16-le": "Plain English words and a café. ",
    "utf-16-be": "Plain English words and a café. ",
    "utf-32": _JAPANESE,
    "cp1252": _GERMAN,
    "latin-1": _FRENCH,
    "cp1251": _RUSSIAN,
    "koi8-r": _RUSSIAN,
    "shift_jis": _JAPANESE,
    "euc-jp": _JAPANESE,
    "iso2022_jp": _JAPANESE,
}


@pytest.mark.parametrize("encoding", _SAMPLES)
def test_a_thousand_characters_are_read_exactly(encoding: str) -> None:
    text = (_SAMPLES[encoding] * 40)[:1000]
    decoded = decode_text(text.encode(encoding))
    assert decoded.text == text
    assert decoded.n_replaced == 0


def test_a_guess_is_flagged_and_a_mark_or_valid_utf8_is_none() -> None:
    assert decode_text(_GERMAN.encode("cp1252")).guessed
    assert "guessed" in decode_text(_GERMAN.encode("cp1252")).notes[0]
    assert not decode_text(_GERMAN.encode()).guessed
    assert not decode_text(_GERMAN.encode("utf-16")).guessed


def test_damaged_utf8_stays_utf8_and_its_losses_are_counted() -> None:
    decoded = decode_text(_RUSSIAN.encode() + b"\xff\xfe")
    assert decoded.encoding == "utf-8"
    assert decoded.n_replaced == 2
    assert "2 characters could not be read" in decoded.notes


@pytest.mark.parametrize("declared", ["no-such", "hex", "base64", "rot13", "undefined", "../x", ""])
def test_what_is_declared_is_believed_only_if_it_is_an_encoding(declared: str) -> None:
    assert decode_text(_GERMAN.encode("cp1252"), declared=declared).text == _GERMAN
    assert decode_text(_RUSSIAN.encode("koi8-r"), declared="koi8-r").encoding == "koi8-r"


def test_line_ends_and_composed_letters_are_made_uniform() -> None:
    assert decode_text("a\r\nb\rcafe\u0301".encode()).text == "a\nb\ncaf\u00e9"


_NOISE = b"".join(hashlib.sha256(bytes([n])).digest() for n in range(256))


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\x02\x01\x01" + bytes(100),
        b"\x89PNG\r\n\x1a\n" + bytes(range(256)),
        b"text with a NUL\0 in it",
        bytes(1000),
        _NOISE,
        _NOISE[:200],
        b"PK\x03\x04" + b"a" * 100,
        b"%PDF-1.7\n" + b"a" * 100,
        _NOISE.replace(b"\0", b""),
    ],
    ids=["ELF", "PNG", "NUL", "NULs", "random", "short random", "ZIP", "PDF", "random without NUL"],
)
def test_binary_data_is_refused(data: bytes) -> None:
    with pytest.raises(Unloadable) as refused:
        decode_text(data)
    assert refused.value.outcome is Outcome.UNREADABLE


@pytest.mark.parametrize(
    ("data", "outcome"),
    [(b"", Outcome.EMPTY), (b" \n\t", Outcome.EMPTY), (b"a" * (MAX_BYTES + 1), Outcome.LIMIT)],
    ids=["nothing", "blank", "too large"],
)
def test_nothing_and_too_much_are_refused(data: bytes, outcome: Outcome) -> None:
    with pytest.raises(Unloadable) as refused:
        decode_text(data, path="a.txt")
    assert refused.value.outcome is outcome
    assert str(refused.value).startswith("a.txt: ")
