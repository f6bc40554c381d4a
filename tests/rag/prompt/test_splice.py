"""Taking pieces out of a text: what is left, and where its places are."""

from hypothesis import given
from hypothesis import strategies as st

from rag.prompt.splice import without
from rag.schema import Span


def _spans(text: str) -> st.SearchStrategy[list[Span]]:
    pair = st.tuples(st.integers(0, len(text)), st.integers(0, len(text)))
    return st.lists(pair.map(lambda p: Span(start=min(p), end=max(p))), max_size=6)


@given(st.text(max_size=40), st.data())
def test_what_is_left_is_every_character_outside_the_spans(text: str, data: st.DataObject) -> None:
    spans = data.draw(_spans(text))
    left = without(text, spans)
    kept = [n for n in range(len(text)) if not any(s.start <= n < s.end for s in spans)]
    assert left.text == "".join(text[n] for n in kept)
    for now, was in enumerate(kept):
        assert left.place(was) == now
        assert left.origin(now + 1) == was + 1


def test_a_place_inside_what_was_taken_out_moves_to_the_seam() -> None:
    left = without("abcdef", [Span(start=1, end=4)])
    assert left.text == "aef"
    assert [left.place(n) for n in range(7)] == [0, 1, 1, 1, 1, 2, 3]
    assert left.span(Span(start=0, end=5)) == Span(start=0, end=2)


def test_nothing_left_has_one_place() -> None:
    left = without("ab", [Span(start=0, end=2)])
    assert (left.text, left.place(2), left.origin(0)) == ("", 0, 0)
