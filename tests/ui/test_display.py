"""What is shown of an answer, worked out without Streamlit."""

import re

import pytest

from rag.schema import Span
from tests.ui.records import answer, citation, passage, refusal
from ui.display import (
    actions_html,
    cards_html,
    find_evidence,
    find_instead,
    instead_html,
    note_html,
    shown,
    streamed_html,
    works_html,
)


def test_a_mark_in_the_text_is_a_button_that_names_its_label() -> None:
    html = shown(answer()).text
    assert 'data-open="1"' in html
    assert html.startswith('<p>Momentum <span class="held">helps.<button')
    assert 'title="1.1. Training: “Momentum helps.”"' in html


def test_a_number_that_is_no_citation_stays_text() -> None:
    html = shown(answer(text="As in [7] and [1]. [1]")).text
    assert "[7]" in html
    assert 'data-open="7"' not in html


def test_citations_of_one_label_are_one_piece_of_evidence() -> None:
    two = [citation(quote="A.", quote_span=[0, 2]), citation(quote="B.", quote_span=[5, 7], support=0.4)]
    (evidence,) = shown(answer(citations=two)).evidence
    assert evidence.quotes == ("A.", "B.")
    assert evidence.spans == (Span(start=0, end=2), Span(start=5, end=7))
    assert evidence.support == 0.4  # the weaker one
    assert [work.number for work in evidence.works] == [44]


@pytest.mark.parametrize(
    ("opened", "found"), [("1", True), ("2", False), ("inspect", False), ("", False), ("01", False)]
)
def test_a_click_finds_its_evidence_or_nothing(opened: str, found: bool) -> None:
    assert (find_evidence(shown(answer()), opened) is not None) is found


def test_a_refusal_shows_its_reason_each_near_place_once_and_questions_to_ask() -> None:
    found = shown(refusal())
    assert found.refused
    assert "They never mention “cup”." in found.text
    assert "What lies nearest" not in found.text
    assert [one.label for one in found.nearest] == [1, 3]
    assert found.suggestions == (
        "What does the roadmap say about Training?",
        "What does the roadmap say about Evaluation?",
    )
    assert cards_html(found).count("<button") == 2
    assert 'data-open="instead-1"' in instead_html(found)
    assert find_instead(found, "instead-1") == "What does the roadmap say about Evaluation?"
    assert [find_instead(found, opened) for opened in ("instead-2", "1", "")] == [None, None, None]


def test_waymarks_own_words_are_shown_as_no_refusal() -> None:
    own = shown(
        refusal(text="Hello. `waymark add`", provenance={"generator": "waymark"}, citations=[], passages=[])
    )
    assert (own.refused, own.nearest, own.evidence) == (False, (), ())
    assert "<code>waymark add</code>" in own.text


def test_an_answer_suggests_nothing_and_lists_no_near_passages() -> None:
    assert (shown(answer()).suggestions, shown(answer()).nearest) == ((), ())
    assert instead_html(shown(answer())) == ""


def test_citations_of_one_place_are_one_card_and_those_of_another_a_second() -> None:
    cited = [citation(1), citation(2), citation(3, heading_path=["Part II"], pages=[4])]
    html = cards_html(shown(answer(citations=cited)))
    assert html.count("<button") == 2
    assert "<b>1</b><b>2</b>1.1. Training<small>Part I</small>" in html
    assert 'aria-label="Sources 1, 2: 1.1. Training"' in html
    assert 'data-open="3"' in html
    assert "Part II, p. 4" in html


def test_cards_of_several_documents_name_them_and_none_says_the_same_twice() -> None:
    other = citation(2, source_id="s2", title="Notes", heading_path=["Notes"])
    assert "1.1. Training<small>Guide</small>" in cards_html(shown(answer(citations=[citation(1), other])))
    assert "<small>" not in cards_html(shown(answer(citations=[other])))


def test_a_document_of_ones_own_is_not_suggested_as_the_roadmap() -> None:
    assert shown(refusal(passages=[passage(1)])).suggestions == ()


def test_what_was_limited_says_so_and_a_refusal_offers_the_same_of_everything() -> None:
    scope = {"source_id": "s1", "section_id": None, "title": "Guide"}
    assert shown(answer(scope=scope)).limited_to == "Guide"
    assert 'data-open="everywhere"' in instead_html(shown(refusal(scope=scope)))
    assert 'data-open="everywhere"' not in instead_html(shown(refusal(scope=None)))
    assert instead_html(shown(answer(scope=scope))) == ""


def test_the_thumb_that_was_given_is_pressed() -> None:
    up, none = (actions_html(shown(answer()), is_last=True, good=good) for good in (True, None))
    assert re.findall(r'data-open="(up|down)"[^>]*aria-pressed="(\w+)"', up) == [
        ("up", "true"),
        ("down", "false"),
    ]
    assert 'aria-pressed="true"' not in none


def test_below_an_answer_stands_who_wrote_it_and_only_the_last_can_be_asked_again() -> None:
    last, earlier = (actions_html(shown(answer()), is_last=is_last) for is_last in (True, False))
    assert "extractive, 0.02 s" in last
    assert ("Retry" in last, "Retry" in earlier) == (True, False)


def test_a_text_that_is_being_written_shows_its_marks_and_nothing_to_click() -> None:
    html = streamed_html("**Momentum** helps [1]. <img src=x> and `so", formatted=True)
    assert "<strong>Momentum</strong>" in html
    assert '<span class="cite">1</span>' in html
    assert "<button" not in html
    assert "<img" not in html
    assert "**Momentum**" in streamed_html("**Momentum**", formatted=False)


def test_a_follow_up_shows_how_it_was_understood_and_a_question_that_stands_alone_does_not() -> None:
    assert shown(answer(question="And why?", standalone="Why does momentum help?")).rewrite == (
        "Why does momentum help?"
    )
    assert shown(answer()).rewrite is None


def test_an_unsupported_sentence_looks_different_and_is_explained() -> None:
    found = shown(answer(text="Momentum helps. [1] It is free.", unsupported_spans=[[20, 31]]))
    assert '<span class="unsupported"' in found.text
    assert ">It is free.</span>" in found.text
    assert "supported by no passage" in note_html(found)
    assert note_html(shown(answer())) == ""


def test_a_stopped_answer_says_so() -> None:
    found = shown(answer(usage={"stop_reason": "cancelled"}))
    assert "Stopped before" in note_html(found)


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("agrees", "source agrees"), ("differs", "source differs"), ("not_found", "not found in the source")],
)
def test_beside_a_work_stands_what_it_says_itself(verdict: str, words: str) -> None:
    says = {
        "verdict": verdict,
        "quote": "It trains 0.1 %.",
        "heading_path": ["4 Results"],
        "pages": [3],
    }
    reference = {"n": 44, "title": "LoRA", "url": "https://example.org/lora", "says": says}
    (evidence,) = shown(answer(citations=[citation(references=[reference])])).evidence
    html = works_html(evidence)
    assert words in html
    assert "4 Results, p. 3" in html
    assert "It trains 0.1 %." in html
    assert "Roadmap says</small>“Momentum helps.”" in html


def test_a_work_that_is_not_indexed_is_a_link_and_says_so() -> None:
    (evidence,) = shown(answer()).evidence
    html = works_html(evidence)
    assert 'href="https://example.org/lora"' in html
    assert "not in the index" in html


def test_an_address_that_is_no_web_address_is_no_link() -> None:
    reference = {"n": 1, "title": "x", "url": "javascript:alert(1)"}
    (evidence,) = shown(answer(citations=[citation(references=[reference])])).evidence
    assert "<a" not in works_html(evidence)


def test_a_record_of_an_older_version_is_shown_as_far_as_it_goes() -> None:
    old = {"question": "Why?", "status": "answered", "text": "So. [1]"}
    found = shown(old)
    assert found.text == "<p>So. [1]</p>"
    assert found.evidence == ()


def test_markdown_is_read_only_where_a_model_wrote() -> None:
    text = "**Bold** and *not*. [1]"
    by_model = answer(text=text, provenance={"generator": "openai:x"})
    assert "<strong>Bold</strong>" in shown(by_model).text
    assert "**Bold**" in shown(answer(text=text)).text


def test_near_passages_lead_to_their_place() -> None:
    found = find_evidence(shown(refusal(passages=[passage(5, span=[3, 9])])), "5")
    assert found is not None
    assert found.spans == (Span(start=3, end=9),)
