"""Inline markup: what a reader sees, and where the marks stood."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.loaders.inline import strip_inline


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("**Bold** and *slanted* and `code`", "Bold and slanted and code"),
        (r"Defined as $f(x) = \max(0, x)$, it", "Defined as f(x) = max(0, x), it"),
        ("the area $r²$", "the area r²"),
        ("before step $t+1$ can begin", "before step t+1 can begin"),
        ("It costs $5 and then $10.", "It costs $5 and then $10."),
        ("one $ only", "one $ only"),
        ("  white \t space  ", "white space"),
        ("replacing a `` token", "replacing a token"),
        ("*", ""),
        ("", ""),
    ],
)
def test_markup_goes_and_words_stay(raw: str, text: str) -> None:
    assert strip_inline(raw).text == text


@pytest.mark.parametrize(
    ("raw", "text", "marks"),
    [
        ("Fast.¹", "Fast.", ((5, 1),)),
        ("Fast.²³ Slow.⁴⁰", "Fast. Slow.", ((5, 23), (11, 40))),
        ("**Fast**.⁷ Slow.", "Fast. Slow.", ((5, 7),)),
        ("All ten: ⁰¹²³⁴⁵⁶⁷⁸⁹", "All ten:", ((8, 123456789),)),
        ("A space before. ³ Then more.", "A space before. Then more.", ((15, 3),)),
    ],
)
def test_a_superscript_is_a_mark_at_the_word_it_follows(
    raw: str, text: str, marks: tuple[tuple[int, int], ...]
) -> None:
    inline = strip_inline(raw)
    assert (inline.text, inline.marks) == (text, marks)


@pytest.mark.parametrize(
    ("raw", "label"),
    [
        ("**ReLU Variants:** To address", "ReLU Variants"),
        ("**The `fit` Method:** It", "The fit Method"),
        ("**Goal:**", "Goal"),
        ("The **Query** vector: it", ""),
        ("Plain: words", ""),
        ("Then **Late:** words", ""),
    ],
)
def test_a_label_is_the_bold_term_that_a_line_opens_with(raw: str, label: str) -> None:
    assert strip_inline(raw).label == label


@given(st.text(alphabet=st.sampled_from("ab. *`\\¹²³⁴⁰\t:"), max_size=40))
def test_any_line_gives_clean_text_and_marks_inside_it(raw: str) -> None:
    inline = strip_inline(raw)
    assert not set(inline.text) & set("*`\t¹²³⁴⁰")
    assert inline.text == " ".join(inline.text.split())
    assert all(0 <= offset <= len(inline.text) for offset, _ in inline.marks)
    assert [offset for offset, _ in inline.marks] == sorted(offset for offset, _ in inline.marks)


@given(st.text(alphabet=st.sampled_from("ab1. $*"), max_size=40))
def test_dollar_signs_alone_change_no_word(raw: str) -> None:
    kept = strip_inline(raw).text.replace("$", "").replace("*", "").split()
    assert "".join(kept) == "".join(raw.replace("$", "").replace("*", "").split())


@given(st.text(alphabet=st.sampled_from("ab. "), max_size=40))
def test_text_without_markup_is_only_folded(raw: str) -> None:
    assert strip_inline(raw).text == " ".join(raw.split())
