"""The extractive answerer: lists and tables as it gives them."""

from ingest.assemble import Piece
from rag.compose import Candidate, Style, weigh_sentences
from rag.query import Wanted, make_query
from rag.schema import BlockKind
from tests.rag.composing import ITEM, PLAIN, answer_texts, make_document, make_hits

LISTED = make_document(
    Piece(text="1. Optimizers", level=1, section_id="1"),
    Piece(text="Three optimizers matter:"),
    Piece(
        text="Plain Descent: It steps downhill. It needs patience.", kind=ITEM, label="Plain Descent", lead=1
    ),
    Piece(
        text="Momentum Method: It remembers its earlier steps and so passes small bumps with ease. Few use it.",
        kind=ITEM,
        label="Momentum Method",
        lead=1,
    ),
    Piece(text="Adaptive ones:", kind=ITEM, label="", lead=1),
    Piece(text="Adam scales every step.", kind=ITEM, depth=1, lead=4),
    Piece(text="RMSProp scales, too.", kind=ITEM, depth=1, lead=4),
    Piece(text="Something else follows here."),
)
STEPS = {"Three optimizers": 0.8, "It steps": 0.85, "It remembers": 0.8, "Adam": 0.75, "RMSProp": 0.7}


def test_a_list_is_given_as_a_list_with_the_items_under_a_bare_lead_in() -> None:
    question = "What are the types of optimizers?"
    assert make_query(question).wanted is Wanted.LIST
    assert answer_texts(question, LISTED, cosines=STEPS) == [
        "Plain Descent: It steps downhill.",
        "It needs patience.",  # the first sentence says little, so the second follows
        "Momentum Method: It remembers its earlier steps and so passes small bumps with ease.",
        "Adaptive ones:",
        "Adam scales every step.",
        "RMSProp scales, too.",
    ]


def test_a_list_keeps_its_own_budget() -> None:
    style = Style(list_words=12)  # five and three words, then no room for the long item, but for a short one
    assert answer_texts("What are the types of optimizers?", LISTED, cosines=STEPS, style=style) == [
        "Plain Descent: It steps downhill.",
        "It needs patience.",
        "Adaptive ones:",
    ]


def test_a_question_that_names_one_item_gets_that_item() -> None:
    cosines = {"It remembers": 0.95, "": 0.5}
    question = "What are the parts of the momentum method?"
    assert make_query(question).wanted is Wanted.LIST
    answer = answer_texts(question, LISTED, cosines=cosines)
    assert answer == [
        "Momentum Method: It remembers its earlier steps and so passes small bumps with ease.",
        "Few use it.",
    ]
    assert len(answer_texts("What are the parts of optimizers?", LISTED, cosines=cosines)) == 6


def test_the_items_under_a_labelled_item_are_given_when_it_is_asked_for() -> None:
    document = make_document(
        Piece(text="Adaptive Methods: Several exist:", kind=ITEM, label="Adaptive Methods"),
        Piece(text="Adam scales every step.", kind=ITEM, depth=1, lead=0),
        Piece(text="RMSProp scales, too.", kind=ITEM, depth=1, lead=0),
    )
    answer = answer_texts(
        "What are the adaptive methods?", document, cosines={"Several": 0.9, "Adam": 0.5, "RMS": 0.5}
    )
    assert answer == ["Adam scales every step.", "RMSProp scales, too."]


def test_no_list_is_given_where_the_best_sentences_are_prose() -> None:
    answer = answer_texts("What are the types of optimizers?", LISTED, cosines={"Something": 0.9, "": 0.0})
    assert answer == ["Something else follows here."]


def test_one_item_makes_no_list() -> None:
    document = make_document(
        Piece(text="One optimizer matters:"),
        Piece(text="Plain descent steps downhill. It needs patience. It costs little.", kind=ITEM, lead=0),
    )
    answer = answer_texts("What are the types of optimizers?", document, cosines={"costs": 0.9}, style=PLAIN)
    assert answer == ["It needs patience.", "It costs little."]


def test_a_bare_lead_in_is_no_answer_unless_there_is_nothing_else() -> None:
    cosines = {"Three": 0.9, "Something": 0.8}
    assert answer_texts("Why optimizers?", LISTED, cosines=cosines, style=PLAIN) == [
        "Something else follows here."
    ]
    alone = make_document(Piece(text="Three optimizers matter:"))
    assert answer_texts("Why optimizers?", alone, cosines=cosines) == ["Three optimizers matter:"]


# --- tables --------------------------------------------------------------------------------------------------------


def test_a_label_that_only_repeats_the_question_is_no_answer_unless_there_is_nothing_else() -> None:
    document = make_document(
        Piece(text="1. Attacks", level=1, section_id="1"),
        Piece(text="Prompt injection", kind=ITEM, marker="-"),
        Piece(text="Untrusted commands override the instructions.", kind=ITEM, marker="-"),
    )
    cosines = {"Prompt injection": 0.9, "Untrusted": 0.8}
    told = "Untrusted commands override the instructions."
    assert answer_texts("What is prompt injection?", document, cosines=cosines) == [told]
    bare = make_document(Piece(text="Prompt injection", kind=ITEM, marker="-"))
    assert answer_texts("What is prompt injection?", bare, cosines=cosines) == ["Prompt injection"]


def _row(*cells: str, kind: BlockKind = BlockKind.ROW) -> Piece:
    return Piece(text="\t".join(cells), kind=kind, columns=("Model", "Cost", "Strength"), cells=cells)


def test_a_row_is_shown_with_its_column_names() -> None:
    table = make_document(
        _row("Model", "Cost", "Strength", kind=BlockKind.HEADER),
        _row("BERT", "low", "Understands both sides."),
        _row("GPT", "high", "Writes."),
    )
    answer = answer_texts("How costly is BERT?", table, cosines={"BERT": 0.9})
    assert answer == ["BERT — Cost: low. Strength: Understands both sides."]


def test_a_row_counts_with_the_words_that_it_is_shown_with() -> None:
    table = make_document(_row("BERT", "low", "Understands."))
    [candidate] = weigh_sentences(
        make_query("What does it cost?"), make_hits(table, {}), weigh=lambda term: 1.0, style=Style()
    )
    assert (candidate.n_words, candidate.quote) == (6, "BERT\tlow\tUnderstands.")


def test_a_candidate_quotes_its_document() -> None:
    for candidate in weigh_sentences(
        make_query("Why?"), make_hits(LISTED, STEPS), weigh=lambda term: 1.0, style=Style()
    ):
        assert isinstance(candidate, Candidate)
        assert candidate.quote == candidate.sentence.span.cut(LISTED.text)
