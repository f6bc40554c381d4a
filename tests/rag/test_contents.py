"""Questions about the document itself: told from its headings, and nothing else is taken for one."""

import json
import re
from pathlib import Path

import pytest

from ingest.assemble import Piece
from rag.answer import AnswerStatus
from rag.assistant import Assistant
from rag.contents import Tells, contents_asked, names_its_place
from rag.courtesy import is_courtesy
from rag.openings import tell_openings
from rag.options import AskOptions
from rag.passages import Scope
from rag.schema import Heading, Role, Span, Turn
from tests.rag.composing import make_document, make_hits

PARTS = tuple(f"part_{numeral}" for numeral in ("I", "II"))
HEADINGS = (
    Heading(section_id="part_I", level=1, title="Part I: Basics", span=Span(start=0, end=40)),
    Heading(section_id="1", level=2, title="Section 1: Words", span=Span(start=5, end=30)),
    Heading(section_id="1.1", level=3, title="1.1. Letters", span=Span(start=10, end=20)),
    Heading(section_id="1.2", level=3, title="1.2. Signs", span=Span(start=20, end=30)),
    Heading(section_id="2", level=2, title="Section 2: Texts", span=Span(start=30, end=40)),
    Heading(section_id="part_II", level=1, title="Part II: Practice", span=Span(start=40, end=60)),
    Heading(section_id="works_cited", level=1, title="Works cited", span=Span(start=60, end=90)),
)


@pytest.fixture(scope="module")
def sets() -> list[str]:
    """The questions of all sets of the repository."""
    files = sorted((Path(__file__).parents[2] / "eval" / "questions").glob("*.jsonl"))
    records = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines()]
    return [record["question"] for record in records if "question" in record]


@pytest.mark.parametrize(
    ("question", "section_ids"),
    [
        ("How many parts does the roadmap have?", PARTS),
        ("what's this document about?", PARTS),
        ("List all the parts of the guide", PARTS),
        ("Table of contents", PARTS),
        ("How is the roadmap organized?", PARTS),
        ("Give me an overview of the document", PARTS),
        ("how many chapters are there", ("1", "2")),
        ("What are the main sections?", ("1", "2")),
        ("What does Part I cover?", ("part_I", "1", "2")),
        ("part 1", ("part_I", "1", "2")),
        ("Summarize section 1", ("1", "1.1", "1.2")),
        ("What is chapter 2 about?", ("2",)),
        ("what does 1.2 say", ("1.2",)),
        ("and section 1.1?", ("1.1",)),
    ],
)
def test_a_question_about_the_document_is_told_by_its_headings(
    question: str, section_ids: tuple[str, ...]
) -> None:
    contents = contents_asked(question, HEADINGS)
    assert contents is not None
    assert tuple(heading.section_id for heading in contents.headings) == section_ids


@pytest.mark.parametrize(
    "question",
    [
        "What are the parts of a transformer?",
        "How many parts does BERT have?",
        "What is the structure of data?",
        "What does part I say about calculus?",
        "Is Python 3.11 supported?",
        "What is the roadmap to becoming an ML engineer?",
        "How many works are cited?",
        "What is an overview?",
    ],
)
def test_a_question_about_what_the_document_tells_is_not_taken_for_one(question: str) -> None:
    assert contents_asked(question, HEADINGS) is None


@pytest.mark.parametrize(
    ("question", "section_ids"),
    [
        ("What is the second section?", ("2",)),
        ("What's the last part about?", ("part_II",)),
        ("What comes after section 1?", ("2",)),
        ("What is before section 2?", ("1",)),
        ("How many sections does part I have?", ("1", "2")),
        ("What is section 1.2 called?", ("1.2",)),
        ("Where should I start?", ("part_I", "1", "2")),
        ("What should I learn first?", ("part_I", "1", "2")),
        ("How do I begin?", ("part_I", "1", "2")),
        ("Summarise the roadmap in three sentences", PARTS),
        ("What is the title of this document?", PARTS),
        ("What is the difference between parts I and II?", PARTS),
        ("Compare section 1 with section 2", ("1", "2")),
    ],
)
def test_it_is_also_asked_by_place_by_number_and_for_where_to_begin(
    question: str, section_ids: tuple[str, ...]
) -> None:
    contents = contents_asked(question, HEADINGS)
    assert contents is not None
    assert tuple(heading.section_id for heading in contents.headings) == section_ids


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Which section covers LoRA?", "LoRA"),
        ("which part talks about the chain rule", "the chain rule"),
        ("In which chapter is Docker explained?", "Docker"),
        ("Where in the roadmap is data drift discussed?", "data drift"),
        ("Where does the guide mention PCA?", "PCA"),
        ("Where can I read about CNNs?", "CNNs"),
        ("Is there a section on quantum computing?", "quantum computing"),
        ("Does the roadmap cover reinforcement learning?", "reinforcement learning"),
        ("Is ethics covered in the roadmap?", "ethics"),
        ("Which section is dropout in?", "dropout"),
        ("Which section is this in (about Governance)?", "Governance"),
    ],
)
def test_a_topic_whose_place_is_asked_for_is_looked_for(question: str, topic: str) -> None:
    contents = contents_asked(question, HEADINGS)
    assert contents is not None
    assert (contents.topic, contents.tells) == (topic, Tells.MENTIONS)


@pytest.mark.parametrize(
    "question",
    [
        "Which part of a transformer covers the order of words?",
        "Which method covers missing labels?",
        "Where is the gradient computed?",
        "Where should I start with RAG?",
        "What should I learn first to deploy models?",
        "What is the first step of backpropagation?",
        "Which works does the roadmap cite?",
        "Which sources back up the claim on LoRA?",
        "Is there a way to explain predictions?",
        "What part is the decoder in the Transformer?",
        "What comes after pre-training?",
        "What is the difference between part of speech and part I of the data?",
    ],
)
def test_what_is_asked_of_the_text_is_not_taken_for_a_place(question: str) -> None:
    assert contents_asked(question, HEADINGS) is None


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("What is section 42 about?", "The roadmap has no section 42; it goes from Section 1 to Section 2."),
        ("What is part IX about?", "The roadmap has no part IX; it goes from Part I to Part II."),
        (
            "Which works does section 9.9 cite?",
            "The roadmap has no section 9.9; it goes from Section 1 to Section 2.",
        ),
        ("What comes after section 2?", "Section 2: Texts is the last one."),
    ],
)
def test_a_section_that_there_is_not_is_said_to_be_absent(question: str, absent: str) -> None:
    contents = contents_asked(question, HEADINGS)
    assert contents is not None
    assert (contents.headings, contents.absent) == ((), absent)


def test_no_question_of_the_sets_is_taken_for_one_about_the_build_or_for_a_courtesy(sets: list[str]) -> None:
    assert len(sets) > 1000
    assert [one for one in sets if contents_asked(one, HEADINGS)] == []
    assert [one for one in sets if is_courtesy(one)] == ["hi! how are you today?"] * 2


def test_the_number_of_parts_is_told_before_them() -> None:
    contents = contents_asked("How many parts are there?", HEADINGS)
    assert contents is not None
    assert contents.opening == "The roadmap has 2 parts:"


def test_a_document_without_parts_is_left_to_the_search() -> None:
    assert contents_asked("How many parts are there?", HEADINGS[2:4]) is None


@pytest.mark.parametrize(
    ("question", "alone"),
    [
        ("And part II?", True),
        ("How many sections does the roadmap have?", True),
        ("How many sections does it have?", False),
        ("And LoRA?", False),
    ],
)
def test_who_names_the_document_or_a_section_leans_on_nothing(question: str, alone: bool) -> None:
    assert names_its_place(question) is alone


def test_a_heading_without_text_of_its_own_is_told_by_those_below_it() -> None:
    document = make_document(
        Piece(text="Part I: Basics", level=1, section_id="part_I"),
        Piece(text="Section 1: Words", level=2, section_id="1"),
        Piece(text="Words come first."),
        Piece(text="Section 2: Texts", level=2, section_id="2"),
        Piece(text="Texts are made of them."),
        Piece(text="Part II: Practice", level=1, section_id="part_II"),
        Piece(text="Section 3: Reading", level=2, section_id="3"),
        Piece(text="Read a lot."),
    )
    hits = make_hits(document, {})

    def told(question: str) -> list[str]:
        contents = contents_asked(question, document.headings)
        assert contents is not None
        return [one.text for one in tell_openings(contents, hits, budget_words=50)]

    assert told("What is in part I?") == [
        "Section 1: Words: Words come first.",
        "Section 2: Texts: Texts are made of them.",
    ]
    assert told("How many parts are there?") == [
        "Part I: Basics: Words come first.",
        "Part II: Practice: Read a lot.",
    ]


# --- over the real roadmap --------------------------------------------------------------------------------------------


def test_each_part_is_told_with_the_sentence_that_opens_it_and_can_be_traced(assistant: Assistant) -> None:
    answer = assistant.ask("How many parts does the roadmap have?")
    opening, _, listed = answer.text.partition("\n\n")
    items = listed.splitlines()
    assert opening == "The roadmap has 6 parts:"
    assert [item.split(":")[0] for item in items] == [
        f"- Part {n}" for n in ("I", "II", "III", "IV", "V", "VI")
    ]
    assert [item.rpartition(" ")[2] for item in items] == [f"[{n}]" for n in range(1, 7)]
    for item, citation in zip(items, answer.citations, strict=True):
        text = assistant.document_text(citation.source_id)
        (span,) = citation.answer_spans
        assert citation.quote_span.cut(text) == citation.quote
        assert span.cut(answer.text).endswith(citation.quote)
        assert citation.heading_path[0] in item


def test_a_section_without_others_below_it_is_told_as_it_begins(assistant: Assistant) -> None:
    answer = assistant.ask("What does section 3.2 cover?")
    assert answer.text.startswith("Unsupervised learning addresses scenarios")
    assert {citation.heading_path[-1][:4] for citation in answer.citations} == {"3.2."}


def test_the_second_of_the_parts_just_listed_is_known(assistant: Assistant) -> None:
    asked = "How many parts does the roadmap have?"
    told = assistant.ask(asked).text
    history = (Turn(role=Role.USER, text=asked), Turn(role=Role.ASSISTANT, text=told))
    answer = assistant.ask("tell me more about the second one", history=history)
    assert "Part II" in answer.standalone
    assert [item[:12] for item in answer.text.splitlines()][1:] == ["- Section 3:", "- Section 4:"]


def test_a_section_that_the_roadmap_does_not_have_is_declined(assistant: Assistant) -> None:
    assert assistant.ask("What is section 42 about?").status is AnswerStatus.INSUFFICIENT_EVIDENCE


def test_the_places_of_a_topic_are_told_those_named_after_it_first(assistant: Assistant) -> None:
    answer = assistant.ask("Which sections talk about RAG?")
    opening, _, listed = answer.text.partition("\n\n")
    assert re.fullmatch(r"“RAG” is spoken of in \d sections.*:", opening)
    assert listed.startswith("- 9.3. Retrieval-Augmented Generation (RAG)")
    assert len(listed.splitlines()) == len(answer.citations) > 1
    for citation in answer.citations:
        text = assistant.document_text(citation.source_id)
        assert "RAG" in citation.quote
        assert citation.quote_span.cut(text) == citation.quote


def test_the_place_of_what_was_just_told_is_known(assistant: Assistant) -> None:
    asked = "What is data drift?"
    told = assistant.ask(asked).text
    history = (Turn(role=Role.USER, text=asked), Turn(role=Role.ASSISTANT, text=told))
    answer = assistant.ask("which section is this in?", history=history)
    assert answer.text.startswith("“data drift” is spoken of in")
    assert "Section 13: Model Monitoring and Maintenance" in answer.text


def test_a_misspelt_topic_is_found_and_forms_of_a_word_are_one(assistant: Assistant) -> None:
    answer = assistant.ask("which section covers trasnformers")
    assert answer.search_query == "which section covers transformers"
    assert answer.citations[0].heading_path[-1].startswith("Section 7: The Dawn of Transformers")


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (
            "Is there a section on quantum computing?",
            "No section of the roadmap mentions “quantum computing”.",
        ),
        ("Does the roadmap cover reinforcement learning?", "mentions “reinforcement learning”."),
        ("Which section cites work 99?", "Nothing in the roadmap cites a work 99."),
        ("What is section 42 about?", "no section 42; it goes from Section 1 to Section 15."),
    ],
)
def test_what_the_roadmap_does_not_have_is_declined_with_that_reason(
    assistant: Assistant, question: str, says: str
) -> None:
    answer = assistant.ask(question)
    assert answer.status is AnswerStatus.INSUFFICIENT_EVIDENCE
    assert says in answer.text.splitlines()[0]


@pytest.mark.parametrize("section_id", ["7", "9.2", "12", "5.3"])
def test_all_works_that_a_section_cites_are_listed_and_no_other(
    assistant: Assistant, section_id: str
) -> None:
    answer = assistant.ask(f"Which works does section {section_id} cite?")
    (source_id,) = assistant.index.titles
    document = assistant.document(source_id)
    own = next(heading for heading in document.headings if heading.section_id == section_id)
    cited = {mark.number for mark in document.marks if own.span.start < mark.offset <= own.span.end}
    listed = [reference.number for citation in answer.citations for reference in citation.references]
    assert listed == sorted(cited)
    assert answer.text.startswith(f"“{own.title}” cites {len(cited)} work")


def test_where_a_work_is_cited_is_told_from_its_marks(assistant: Assistant) -> None:
    answer = assistant.ask("Where is reference 44 cited?")
    assert answer.text.startswith("Work 44 is cited in 1 section:\n\n9.2. ")
    assert [reference.number for reference in answer.citations[0].references] == [44]


def test_within_a_scope_it_is_searched_for(assistant: Assistant) -> None:
    (source_id,) = assistant.index.titles
    answer = assistant.ask("What does part I cover?", scope=Scope(source_id=source_id, section_id="9.2"))
    assert all(citation.heading_path[-1].startswith("9.2. ") for citation in answer.citations)


def test_it_is_looked_up_and_no_model_is_asked(assistant: Assistant) -> None:
    answer = assistant.ask(
        "What is this document about?", options=AskOptions(llm="transformers:no/such-model")
    )
    assert answer.provenance.generator == "extractive"
    assert not answer.warnings
