"""Text of strangers as HTML: it reads as it was written and can do nothing."""

import json
from pathlib import Path

import lxml.html
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.schema import Span
from tests.ui.records import answer, citation, refusal
from ui.display import cards_html, shown, works_html
from ui.markup import answer_html, clean, escape
from ui.reading import reading_html

_ACTIVE = frozenset(
    "script style iframe object embed form input textarea select img image svg math video audio source link meta base "
    "template frame frameset applet portal animate set use foreignobject".split()
)


def _dangers(html: str) -> list[str]:
    """Active elements, handlers, styles and bad schemes in what a browser would make of it."""
    found = []
    for element in lxml.html.fragment_fromstring(html, create_parent="div").iter():
        if not isinstance(element.tag, str):
            found.append("a comment")
            continue
        if element.tag.lower() in _ACTIVE:
            found.append(element.tag)
        for name, value in element.attrib.items():
            if name.startswith("on") or name in ("style", "src", "srcset", "srcdoc", "action", "formaction"):
                found.append(f"{element.tag} {name}")
            if name == "href" and not value.startswith(("http://", "https://")):
                found.append(value)
    return found


def _everything_shown(text: str) -> list[str]:
    """All HTML that a hostile string reaches, in every place where it could stand."""
    hostile = citation(
        title=text,
        path=text,
        url=text,
        heading_path=[text],
        quote=text,
        references=[{"n": 1, "title": text, "url": text, "says": None}],
    )
    records = [
        answer(text=f"{text} [1]", question=text, citations=[hostile], unsupported_spans=[[0, len(text)]]),
        answer(text=f"{text} [1]", citations=[hostile], provenance={"generator": "openai:x"}),
        refusal(text=text, passages=[{"label": 1, "source_id": "s", "title": text, "text": text}]),
    ]
    made = [reading_html(text, quotes=[Span(start=0, end=len(text))])]
    for record in records:
        found = shown(record)
        made += [found.text, cards_html(found), *(works_html(one) for one in found.evidence)]
    return made


def test_the_look_for_dangers_finds_them() -> None:
    for bad in ("<img src=x onerror=y>", "<script>1</script>", '<a href="javascript:1">x</a>', "<p style=x>"):
        assert _dangers(bad)


@pytest.mark.shared
def test_no_payload_is_active_wherever_it_stands(shared: Path) -> None:
    payloads = json.loads((shared / "badinput/dompurify-xss/payloads.json").read_text(encoding="utf-8"))
    assert len(payloads) > 200
    for one in payloads:
        for html in _everything_shown(one["payload"]):
            assert _dangers(html) == [], one["title"]


@pytest.mark.shared
def test_naughty_strings_are_shown_and_do_nothing(shared: Path) -> None:
    strings = json.loads((shared / "badinput/blns/blns.json").read_text(encoding="utf-8"))
    assert len(strings) > 500
    for text in strings:
        for html in _everything_shown(text):
            assert _dangers(html) == [], text


@given(st.text(max_size=60))
def test_any_text_is_inert(text: str) -> None:
    for html in _everything_shown(text):
        assert _dangers(html) == []


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cf", "Co")), max_size=60))
def test_escaped_text_reads_as_it_was_written(text: str) -> None:
    parsed = lxml.html.fragment_fromstring(f"<div>{escape(text)}</div>")
    assert parsed.text_content() == text


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("- a b. [1]\n- b", '<ul><li>a <span class="held">b.<CITE></span></li><li>b</li></ul>'),
        ("a [1] [1] &", '<p><span class="held">a<CITE><CITE></span> &amp;</p>'),
        ("&lt; [1]", '<p>&amp;lt;<span class="held"><CITE></span></p>'),
        ("A.\n\n- b\nC.", "<p>A.</p><ul><li>b</li></ul><p>C.</p>"),
        ("2 < 3 & *4*", "<p>2 &lt; 3 &amp; *4*</p>"),
        ("", ""),
    ],
)
def test_plain_blocks(text: str, html: str) -> None:
    made = answer_html(text, labels={1: ""})
    cite = '<button type="button" class="cite" data-open="1" aria-label="Source 1" title="">1</button>'
    assert made.replace(cite, "<CITE>") == html


def test_a_table_keeps_its_cells_whatever_is_cited_or_unsupported_in_it() -> None:
    text = "# Sizes\n\n| a | b |\n|---|---|\n| one | two | [1]\n| no | way |"
    weak = [
        Span(start=text.index(row), end=text.index(row) + len(row)) for row in ("| a | b |", "| no | way |")
    ]
    parsed = lxml.html.fragment_fromstring(
        answer_html(text, labels={1: ""}, unsupported=weak, formatted=True), create_parent="div"
    )
    cells = [cell.text_content() for cell in parsed.iter("th", "td")]
    assert cells == ["a", "b", "one", "two1", "no", "way"]
    assert [one.text_content() for one in parsed.find_class("unsupported")] == ["a", "b", "no", "way"]
    assert [one.text_content() for one in parsed.iter("h3")] == ["Sizes"]


@pytest.mark.parametrize(
    "text",
    [
        "![x](https://evil.example/?q=1)",
        "[x](https://evil.example)",
        "<https://evil.example>",
        "[x]: https://evil.example\n\n[x]",
        "<img src=https://evil.example>",
        "https://evil.example",
    ],
)
def test_what_a_model_writes_loads_nothing_and_links_nowhere(text: str) -> None:
    html = answer_html(text, labels={}, formatted=True)
    assert "<img" not in html
    assert "<a" not in html


def test_an_unsupported_span_over_several_items_stays_inside_each_of_them() -> None:
    text = "- one\n- two"
    html = answer_html(text, labels={}, unsupported=[Span(start=0, end=len(text))], formatted=True)
    assert html.count('<span class="unsupported"') == 2
    assert "<li><span" in html


def test_characters_that_stand_in_for_tags_cannot_be_smuggled() -> None:
    html = answer_html("\ue0001\ue001 \ue002x\ue003", labels={1: ""})
    assert "<button" not in html
    assert "<span" not in html


def test_deeply_nested_markdown_is_cheap_and_harmless() -> None:
    assert _dangers(answer_html("> " * 3000 + "x", labels={}, formatted=True)) == []


def test_hidden_letters_and_turned_directions_are_dropped() -> None:
    assert escape("a\u202eb\U000e0041c\x07d\ud800") == "abcd\ufffd"


def test_links_keep_no_opener_and_only_web_addresses() -> None:
    html = clean('<a href="https://a.example">a</a><a href="data:text/html,x">b</a>')
    assert 'rel="noopener noreferrer"' in html
    assert "data:" not in html
