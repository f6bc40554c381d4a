"""Media types: the name says it, the first bytes may contradict it."""

import pytest

from ingest.loaders import detect, load_document
from ingest.loaders.outcome import Outcome, Unloadable
from rag.errors import DocumentError


@pytest.mark.parametrize(
    ("path", "data", "expected"),
    [
        ("a/b.md", b"# A", detect.MARKDOWN),
        ("B.MDX", b"# A", detect.MDX),
        ("a.rst", b"A", detect.RST),
        ("a.ipynb", b"{}", detect.NOTEBOOK),
        ("a.txt", b"<p> is a tag", detect.PLAIN),
        ("a.htm", b"<p>", detect.HTML),
        ("a.pdf", b"%PDF-1.4", detect.PDF),
        ("a.docx", b"PK\x03\x04", detect.DOCX),
        ("https://example.org/a.md?x=1.pdf", b"# A", detect.MARKDOWN),
        ("https://example.org/guide/", b"<!doctype html><p>A", detect.HTML),
        ("a.md", b"<html><body>some READMEs are HTML", detect.MARKDOWN),
    ],
)
def test_the_name_tells_the_type(path: str, data: bytes, expected: str) -> None:
    assert detect.media_type(path, data) == expected


@pytest.mark.parametrize(
    ("path", "data", "outcome"),
    [
        ("a.svelte", b"<p>", Outcome.UNSUPPORTED),
        ("README", b"words", Outcome.UNSUPPORTED),
        ("a.exe", b"MZ", Outcome.UNSUPPORTED),
        ("a.md", b"", Outcome.EMPTY),
        ("a.txt", b"\x89PNG\r\n", Outcome.UNREADABLE),
        ("a.html", b"%PDF-1.4", Outcome.UNREADABLE),
        ("a.pdf", b"<!DOCTYPE html><html>", Outcome.UNREADABLE),
        ("a.docx", b"plain words", Outcome.UNREADABLE),
    ],
)
def test_what_contradicts_its_name_or_has_no_loader_is_refused(
    path: str, data: bytes, outcome: Outcome
) -> None:
    with pytest.raises(Unloadable) as refused:
        detect.media_type(path, data)
    assert refused.value.outcome is outcome


def test_a_type_without_a_loader_is_a_document_error() -> None:
    with pytest.raises(DocumentError, match="no loader for text/x-none"):
        load_document(b"a", path="a", media_type="text/x-none")


def test_a_given_type_wins_over_the_name() -> None:
    assert load_document(b"# A\n\nb", path="README", media_type=detect.MARKDOWN).title == "A"
