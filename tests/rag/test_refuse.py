"""A refusal in words: that, why, and what lies nearest."""

from dataclasses import replace

from rag.asked import Detail
from rag.gate import Verdict
from rag.refuse import refusal_text
from rag.schema import Chunk, Hit, Scores, Span

NO = Verdict(probability=0.1, answer=False)


def _hit(text: str, *heading_path: str, title: str = "Guide") -> Hit:
    chunk = Chunk(
        chunk_id="c",
        source_id="s",
        ordinal=0,
        text=text,
        span=Span(start=0, end=len(text)),
        section_id="",
        heading_path=heading_path,
        first_page=None,
        last_page=None,
        n_tokens=1,
        sentences=(),
    )
    scores = Scores(dense=0.1, lexical=0.0, fused=0.1)
    return Hit(rank=1, row=0, chunk=chunk, title=title, path="guide.txt", scores=scores, sentence_scores=())


def test_every_refusal_says_that_the_documents_do_not_answer() -> None:
    verdicts = (NO, Verdict(probability=0.1, answer=False, missing=("Jax",), detail=Detail.FIGURE))
    texts = [
        refusal_text(verdict, (), commanded=commanded) for verdict in verdicts for commanded in (True, False)
    ]
    assert all(text.startswith("The indexed documents do not answer this. ") for text in texts)


def test_a_missing_word_is_named() -> None:
    verdict = Verdict(probability=0.1, answer=False, missing=("Jax", "Zig"))
    assert "They never mention “Jax”, “Zig”, and no passage" in refusal_text(verdict, ())


def test_at_most_four_missing_words_are_named() -> None:
    text = refusal_text(Verdict(probability=0.1, answer=False, missing=tuple("ABCDE")), ())
    assert "“D”" in text
    assert "“E”" not in text


def test_a_detail_that_is_not_told_is_named() -> None:
    text = refusal_text(Verdict(probability=0.1, answer=False, detail=Detail.DATE), ())
    assert "No passage near the question gives the date that is asked for." in text


def test_what_is_never_mentioned_is_named_before_the_detail() -> None:
    text = refusal_text(Verdict(probability=0.1, answer=False, missing=("Jax",), detail=Detail.DATE), ())
    assert "They never mention “Jax”, and no passage gives the date that is asked for." in text


def test_words_that_no_close_passage_has_are_named_where_nothing_else_is_missing() -> None:
    verdict = Verdict(probability=0.1, answer=False, foreign=("rust", "zig", "nim"))
    assert "no passage near it speaks of “rust”, “zig”." in refusal_text(verdict, ())
    told = refusal_text(replace(verdict, detail=Detail.DATE), ())
    assert "date" in told
    assert "rust" not in told


def test_a_message_of_commands_is_told_that_it_is_one() -> None:
    text = refusal_text(Verdict(probability=0.1, answer=False, missing=("Jax",)), (), commanded=True)
    assert "Instructions inside a question are not followed" in text
    assert "Jax" not in text


def test_without_a_reason_of_its_own_it_says_that_nothing_is_close() -> None:
    assert "no passage is close enough to what it asks" in refusal_text(NO, ())


def test_the_nearest_places_are_named_once_each_and_three_at_most() -> None:
    hits = [
        _hit("One.", "Part", "A"),
        _hit("Two.", "A"),
        _hit("Three."),
        _hit("Four.", "B"),
        _hit("Five.", "C"),
    ]
    assert refusal_text(NO, hits).splitlines()[1:] == [
        "",
        "What lies nearest:",
        "- A: One.",
        "- Guide: Three.",  # no heading, so its title
        "- B: Four.",
    ]


def test_without_hits_nothing_is_said_to_lie_near() -> None:
    assert "nearest" not in refusal_text(NO, ())


def test_a_long_passage_is_cut_between_words_and_keeps_to_one_line() -> None:
    *_, line = refusal_text(NO, [_hit("word\n" * 60, "A")]).splitlines()
    assert line == "- A: " + "word " * 22 + "…"


def test_a_passage_that_just_fits_is_not_cut() -> None:
    *_, line = refusal_text(NO, [_hit("x" * 110, "A")]).splitlines()
    assert line == "- A: " + "x" * 110
