"""Hostile text in a child process: an outcome within its time, whatever the file provokes, and the parent lives."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.loaders import load_document
from ingest.loaders.confined import ConfinedLoader
from ingest.loaders.outcome import Outcome, Unloadable

KILOBYTES = 100_000
LONGEST_S = 5.0


@pytest.fixture
def loader() -> Iterator[ConfinedLoader]:
    with ConfinedLoader() as opened:
        yield opened


@pytest.fixture(scope="module")
def warm() -> Iterator[ConfinedLoader]:
    with ConfinedLoader() as opened:
        for name in ("a.md", "a.html", "a.rst"):  # starting and importing is no file's fault
            opened.load(b"Some words.", path=name)
        yield opened


def _fill(unit: str, n: int) -> str:
    return unit * min(n, KILOBYTES // len(unit))


def _nested(n: int) -> dict[str, tuple[str, str]]:
    depth = min(n, 440)  # a line indented by its depth: deeper ones do not fit into 100 kB
    return {
        "elements": ("a.html", _fill("<div>", n) + "deep words"),
        "closed elements": ("a.html", _fill("<b>", n // 4) + "deep words" + _fill("</b>", n // 4)),
        "lists in pages": ("a.html", _fill("<ul><li>", n) + "deep words"),
        "tables in pages": ("a.html", _fill("<table><tr><td>", n) + "deep words"),
        "a table of many columns and rows": (
            "a.html",
            "<table><tr>" + _fill("<th>a", min(n, 5000)) + "</tr>" + _fill("<tr><td>b", min(n, 8000)),
        ),
        "quotes": ("a.md", _fill(">", n) + " deep words"),
        "items": ("a.md", _fill("- ", n) + "deep words"),
        "indented items": ("a.md", "".join(" " * (2 * i) + "- x\n" for i in range(depth // 2))),
        "brackets": ("a.md", _fill("[", n // 2) + "deep words" + _fill("]", n // 2)),
        "links": ("a.md", _fill("[a](", n) + "deep words"),
        "emphasis": ("a.md", _fill("*a_ ", n) + "deep words"),
        "code spans": ("a.md", "".join("`" * i + " " for i in range(1, depth)) + "deep words"),
        "a table of long names": (
            "a.md",
            "|" + _fill("a", n) + "|b|\n|-|-|\n" + _fill("|x|y|\n", min(n, 8000)),
        ),
        "a Markdown table": (
            "a.md",
            _fill("|a", min(n, 5000))
            + "|\n"
            + _fill("|-", min(n, 5000))
            + "|\n"
            + _fill("|x|\n", min(n, 20_000)),
        ),
        "markup in Markdown": ("a.mdx", _fill("<div>", n) + "deep words"),
        "block quotes": ("a.rst", "".join(" " * i + "x\n\n" for i in range(depth))),
        "bullets": ("a.rst", _fill("* ", n) + "deep words"),
        "open roles": ("a.rst", _fill("*a `b ``c |d ", n // 2)),
        "directives": ("a.rst", "".join(" " * i + ".. note::\n\n" for i in range(depth))),
    }


@pytest.mark.slow
@pytest.mark.parametrize("n", [500, 5_000, 50_000])
@pytest.mark.parametrize("name", list(_nested(1)))
def test_what_is_nested_without_end_has_an_outcome_in_time(warm: ConfinedLoader, name: str, n: int) -> None:
    path, text = _nested(n)[name]
    assert len(text) < 1.5 * KILOBYTES
    began = time.monotonic()
    outcome, words, notes = _read(warm, text, path)
    busy = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))  # with what others do, all takes longer
    assert time.monotonic() - began <= LONGEST_S * busy
    assert outcome in (Outcome.OK, Outcome.LIMIT, Outcome.EMPTY)
    if outcome is Outcome.OK and "deep words" in text:
        assert "deep words" in words or any("left out" in note for note in notes)  # what is lost is told


def _read(loader: ConfinedLoader, text: str, path: str) -> tuple[Outcome, str, tuple[str, ...]]:
    try:
        document = loader.load(text.encode(), path=path)
    except Unloadable as error:
        return error.outcome, "", ()
    return Outcome.OK, document.text, document.notes


def test_a_document_comes_back_as_it_is_read_here(loader: ConfinedLoader) -> None:
    files = {
        "a.md": b"# T\n\nOne *two*.\n\n- a\n- b\n\n| x | y |\n|---|---|\n| 1 | 2 |\n",
        "a.rst": b"T\n=\n\nOne ``two``.\n",
        "a.html": b"<h1>T</h1><p>One <b>two</b>.</p>",
        "a.txt": "Caf\u00e9.\n".encode("cp1252"),
        "a.ipynb": b'{"cells": [{"cell_type": "markdown", "source": "One."}]}',
    }
    for path, data in files.items():
        assert loader.load(data, path=path) == load_document(data, path=path)


def test_a_document_that_is_all_structure_is_refused(loader: ConfinedLoader) -> None:
    # A table whose every row names its columns and marks its empty cells.
    text = "<table><tr>" + "<th>name" * 1_000 + "</tr>" + "<tr><td>x<td>y" * 4_000
    with pytest.raises(Unloadable) as caught:
        loader.load(text.encode(), path="a.html")
    assert caught.value.outcome is Outcome.LIMIT
    assert loader.child is None  # so that the next document has all the memory


def test_a_refusal_comes_back_with_its_outcome(loader: ConfinedLoader) -> None:
    for path, data, outcome in (
        ("a.ipynb", b"[1]", Outcome.UNREADABLE),
        ("a.html", b"<script>1</script>", Outcome.EMPTY),
        ("a.svelte", b"<p>a", Outcome.UNSUPPORTED),
    ):
        with pytest.raises(Unloadable) as caught:
            loader.load(data, path=path)
        assert caught.value.outcome is outcome
        assert path in str(caught.value)


def test_one_child_reads_many_documents_and_is_gone_at_the_end() -> None:
    with ConfinedLoader() as loader:
        loader.load(b"One.", path="a.md")
        child = loader.child
        assert child is not None
        loader.load(b"Two.", path="b.md")
        with pytest.raises(Unloadable):
            loader.load(b"[", path="c.ipynb")
        assert loader.child is child
    assert child.poll() is not None


def test_a_child_that_dies_costs_at_most_one_document(loader: ConfinedLoader) -> None:
    loader.load(b"One.", path="a.md")
    assert loader.child is not None
    os.kill(loader.child.pid, signal.SIGKILL)
    loader.child.wait()
    assert loader.load(b"Two.", path="b.md").text == "Two."
    assert loader.child is not None
    killer = threading.Timer(0.3, os.kill, (loader.child.pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(Unloadable, match="stopped") as caught:
        loader.load(b"*a `b ``c |d " * 5000, path="c.rst")
    assert caught.value.outcome is Outcome.UNREADABLE
    assert loader.load(b"Three.", path="d.md").text == "Three."


def test_a_type_without_a_loader_is_refused_without_a_child(loader: ConfinedLoader) -> None:
    with pytest.raises(Unloadable) as caught:
        loader.load(b"x", path="https://a.org/x", media_type="image/png")
    assert caught.value.outcome is Outcome.UNSUPPORTED
    assert loader.child is None


def test_a_document_that_takes_too_long_is_given_up(
    loader: ConfinedLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ingest.loaders.confined.FEWEST_S", 0.5)
    with pytest.raises(Unloadable, match="too long") as caught:
        loader.load(b"*a `b ``c |d " * 3000, path="a.rst")
    assert caught.value.outcome is Outcome.LIMIT
    assert loader.load(b"Next.", path="b.rst").text == "Next."


def test_plain_text_and_pdf_need_no_such_child(loader: ConfinedLoader) -> None:
    loader.load(b"Words.", path="a.txt")
    with pytest.raises(Unloadable):
        loader.load(b"%PDF-1.7", path="a.pdf")
    assert loader.child is None


@pytest.mark.shared
@pytest.mark.slow
def test_real_documents_are_read_the_same(warm: ConfinedLoader, shared: Path) -> None:
    found = [
        path
        for path in (shared / "sources" / "docs").rglob("*")
        if path.suffix in (".md", ".mdx", ".rst", ".html")
    ]
    assert len(found) > 60
    for path in sorted(found)[::6]:
        data = path.read_bytes()
        assert warm.load(data, path=path.as_posix()) == load_document(data, path=path.as_posix())
