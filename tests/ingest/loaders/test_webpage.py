"""Web pages: main content, its structure, and nothing that a reader cannot see."""

import json
import re
import time
from pathlib import Path

import pytest

from ingest.loaders import load_document
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.webpage import load_html
from rag.schema import BlockKind, Document

_PARAGRAPH = "<p>Tea is grown in hills where the nights are cool and the days are full of mist and rain.</p>"


def _load(body: str, head: str = "") -> Document:
    return load_html(f"<html><head>{head}</head><body>{body}</body></html>".encode(), path="a.html")


def test_structure_is_kept_and_what_stands_around_is_not() -> None:
    document = _load(
        "<nav>Home | About</nav><main><h1>Tea</h1>" + _PARAGRAPH * 3 + "<h2>Kinds</h2><p>There are two:</p>"
        "<ol start=3><li><b>Green</b>: mild<ul><li>Sencha</li></ul></li><li>Black</li></ol>"
        "<table><tr><th>Name<th>Price<tr><td>Sencha<td>3</table><pre>a = 1\n  b</pre></main>"
        "<footer>Imprint</footer>",
        head="<title>Tea | The site</title><meta property='article:published_time' content='2024-05-01T10:00'>",
    )
    assert document.title == "Tea"
    assert [(h.section_id, h.title) for h in document.headings] == [("1", "Tea"), ("1.1", "Kinds")]
    items = [block for block in document.blocks if block.kind is BlockKind.ITEM]
    assert [(i.marker, i.depth, i.label) for i in items] == [("3.", 0, "Green"), ("-", 1, ""), ("4.", 0, "")]
    assert items[1].lead == document.blocks.index(items[0])
    row = next(block for block in document.blocks if block.kind is BlockKind.ROW)
    assert row.columns == ("Name", "Price")
    assert document.text.endswith("a = 1\n  b")
    assert "Imprint" not in document.text
    assert "About" not in document.text
    assert document.notes == ("it is dated 2024-05-01",)


def test_a_page_without_a_marked_main_part_gives_its_article() -> None:
    document = _load(
        "<div class='menu'><a href=/>Home</a></div><div class='content'><h1>Tea</h1>"
        + _PARAGRAPH * 6
        + "</div>"
    )
    assert document.text.count("Tea is grown") >= 1
    assert document.title == "Tea"


def test_a_short_page_is_read_whole() -> None:
    assert _load("<p>Tea</p>").text == "Tea"


def test_the_declared_encoding_is_used() -> None:
    data = "<meta charset=windows-1251><p>Чай растёт в горах</p>".encode("cp1251")
    assert load_html(data, path="a.html").text == "Чай растёт в горах"


@pytest.mark.parametrize(
    "carrier",
    [
        '<div style="display:none">{}</div>', '<div style="display : none !important">{}</div>',
        '<span style="font-size:0">{}</span>', '<span style="color:#fff;background:#fff">{}</span>',
        '<span style="color:white">{}</span>', "<div hidden>{}</div>", '<div aria-hidden="true">{}</div>',
        '<p style="opacity:0">{}</p>', '<p style="visibility:hidden">{}</p>', "<!-- {} -->",
        '<p style="position:absolute;left:-9999px">{}</p>', '<p title="{}">Tea</p>', "<template>{}</template>",
        "<script>{}</script>", "<style>{}</style>", "<noscript>{}</noscript>", "<svg><text>{}</text></svg>",
        "<textarea>{}</textarea>", "<select><option>{}</option></select>", '<img alt="{}">', "<dialog>{}</dialog>",
        '<input value="{}">', '<meta name="description" content="{}">', "<iframe>{}</iframe>", "<object>{}</object>",
        '<p style="text-indent:-9999px">{}</p>', '<div style="height:0;overflow:hidden">{}</div>',
    ],
)  # fmt: skip
@pytest.mark.parametrize("n_deep", [0, 300])
def test_what_is_hidden_is_not_read(carrier: str, n_deep: int) -> None:
    body = (
        "<p>Before.</p>"
        + "<div>" * n_deep
        + carrier.format("ZEBRA-7731")
        + "</div>" * n_deep
        + "<p>After.</p>"
    )
    text = _load(body).text
    assert "ZEBRA" not in text
    assert "Before." in text
    assert "After." in text


def test_no_hidden_injection_reaches_the_text(shared: Path) -> None:
    listed = json.loads((shared / "badinput/own-lists/injections.json").read_text(encoding="utf-8"))
    hidden = [case for case in listed if case["carrier"] == "html"]
    assert len(hidden) >= 9
    for case in hidden:
        document = _load("<p>Tea is grown in hills.</p>" + case["text"] + "<p>End.</p>")
        assert case["canary"] not in document.text + document.title, case["id"]
    for case in listed:
        if case["id"] in ("tag characters", "variation selectors"):
            data = case["text"].encode("utf-16", "surrogatepass")
            text = load_document(data, path="a.txt").text
            assert all(ord(char) < 0xE0000 for char in text), case["id"]


@pytest.mark.parametrize("n_levels", [500, 5_000, 50_000])
@pytest.mark.parametrize("tag", ["div", "b", "ul><li", "table><tr><td"])
def test_deep_nesting_keeps_the_text_and_says_what_is_lost(n_levels: int, tag: str) -> None:
    began = time.monotonic()
    document = _load(f"<{tag}>" * n_levels + "Deep &amp; words" + "</div>" * n_levels + "<p>After")
    assert time.monotonic() - began < 5
    assert "Deep & words" in document.text
    assert "After" in document.text
    assert "250 levels" in document.notes[0]


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"<p>" + b"a" * 11_000_000, Outcome.LIMIT),
        (b"<html><body><script>x</script></body></html>", Outcome.EMPTY),
        (b"<title>T</title>", Outcome.EMPTY),
        (b"\x89PNG", Outcome.UNREADABLE),
    ],
    ids=["large", "script", "title", "image"],
)
def test_a_page_without_readable_text_is_refused(data: bytes, outcome: Outcome) -> None:
    with pytest.raises(Unloadable) as refused:
        load_html(data, path="a.html")
    assert refused.value.outcome is outcome


@pytest.mark.parametrize(
    "data",
    ["<!--" * 200_000, "<" * 200_000, "<h1>x</h1>" * 3_000, "<p " + "a=b " * 100_000 + ">x", "<p>x" * 20_000],
    ids=["comments", "brackets", "headings", "attributes", "paragraphs"],
)
def test_a_hostile_page_ends_in_time(data: str) -> None:
    began = time.monotonic()
    assert _load("<p>Text</p>" + data).text.startswith("Text")
    assert time.monotonic() - began < 5


@pytest.mark.slow
def test_every_document_of_html5lib_ends_typed_and_in_time(shared: Path) -> None:
    outcomes: list[Outcome] = []
    for file in sorted((shared / "badinput/html5lib-tests/tree-construction").rglob("*.dat")):
        for case in re.split(rb"(?:\A|\n\n)#data\n", file.read_bytes())[1:]:
            began = time.monotonic()
            outcomes.append(_outcome(re.split(rb"\n#errors", case)[0]))
            assert time.monotonic() - began < 2
    assert len(outcomes) == 1_796
    assert set(outcomes) == {Outcome.OK, Outcome.EMPTY, Outcome.UNREADABLE}
    assert outcomes.count(Outcome.OK) > 650


@pytest.mark.shared
def test_every_encoding_case_of_html5lib_ends_typed_and_in_time(shared: Path) -> None:
    outcomes: list[Outcome] = []
    for file in sorted((shared / "badinput/html5lib-tests/encoding").glob("*.dat")):
        for case in re.split(rb"(?:\A|\n)#data\n", file.read_bytes())[1:]:
            began = time.monotonic()
            outcomes.append(_outcome(b"<p>Text</p>" + re.split(rb"\n#encoding", case)[0]))
            assert time.monotonic() - began < 2
    assert len(outcomes) == 82
    assert set(outcomes) == {Outcome.OK}


def _outcome(data: bytes) -> Outcome:
    try:
        load_html(data, path="a.html")
    except Unloadable as refused:
        return refused.outcome
    return Outcome.OK
