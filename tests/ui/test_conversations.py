"""What people asked, kept in a file: listed, searched, renamed, deleted, rated, and there after a restart."""

import json
import sqlite3
import threading
from pathlib import Path

import pytest

from rag.errors import StorageError
from tests.ui.records import answer
from ui.conversations import FILE, Conversations, Feedback

A, B = "a" * 32, "b" * 32


@pytest.fixture
def store(home: Path) -> Conversations:
    return Conversations(home)


def _ask(store: Conversations, conversation: str, question: str, text: str = "So. [1]") -> str:
    return store.add_turn(conversation, question=question, record=answer(question=question, text=text)).id


def test_a_conversation_is_there_after_a_restart(store: Conversations, home: Path) -> None:
    _ask(store, A, "What is LoRA?")
    _ask(store, A, "And why?")
    again = Conversations(home)
    assert [turn.question for turn in again.turns(A)] == ["What is LoRA?", "And why?"]
    assert again.turns(A)[0].record == answer(question="What is LoRA?", text="So. [1]")
    assert [one.title for one in again.list()] == ["What is LoRA?"]


def test_the_one_asked_last_stands_first(store: Conversations) -> None:
    _ask(store, A, "first")
    _ask(store, B, "second")
    _ask(store, A, "third")
    assert [one.id for one in store.list()] == [A, B]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("lora", [A]),
        ("LOW-RANK", [A]),
        ("momentum", [B]),
        ("renamed", [B]),
        ("100%", []),
        ("_", []),
        ("'; DROP TABLE turns; --", []),
        ("  ", [B, A]),
    ],
)
def test_search_looks_at_titles_questions_and_answers(
    store: Conversations, words: str, found: list[str]
) -> None:
    _ask(store, A, "What is LoRA?", text="Low-rank adapters. [1]")
    _ask(store, B, "Why momentum?")
    store.rename(B, "Renamed")
    assert [one.id for one in store.list(words)] == found


def test_a_title_is_cut_and_folded_and_never_blank(store: Conversations) -> None:
    _ask(store, A, "a\n  b " + "x" * 200)
    (one,) = store.list()
    assert one.title.startswith("a b x")
    assert len(one.title) == 80
    store.rename(A, "   ")
    assert store.list() == (one,)


def test_deleting_takes_turns_and_feedback_along(store: Conversations) -> None:
    turn = _ask(store, A, "What?")
    store.rate(turn, Feedback(good=False, comment="wrong"))
    store.delete(A)
    assert (store.list(), store.turns(A), store.disliked()) == ((), (), ())


def test_a_thumb_down_is_listed_with_its_comment_until_it_is_taken_back(store: Conversations) -> None:
    first, second = _ask(store, A, "first"), _ask(store, A, "second")
    store.rate(first, Feedback(good=False, comment="wrong section"))
    store.rate(second, Feedback(good=True, comment=""))
    (disliked,) = store.disliked()
    assert (disliked.question, disliked.feedback) == ("first", Feedback(good=False, comment="wrong section"))
    store.rate(first, None)
    assert store.disliked() == ()


def test_a_turn_can_be_taken_out(store: Conversations) -> None:
    turn = _ask(store, A, "first")
    _ask(store, A, "second")
    store.remove_turn(turn)
    assert [one.question for one in store.turns(A)] == ["second"]


@pytest.mark.shared
def test_naughty_strings_come_back_as_they_were(store: Conversations, shared: Path) -> None:
    strings = json.loads((shared / "badinput/blns/blns.json").read_text(encoding="utf-8"))[::7]
    for text in strings:
        _ask(store, A, text)
        store.list(text)
    assert [turn.question for turn in store.turns(A)] == strings


def test_a_lone_surrogate_is_mended(store: Conversations) -> None:
    _ask(store, A, "a\ud800b", text="\udfff [1]")
    assert store.turns(A)[0].question == "a\ufffdb"


def test_many_threads_lose_no_turn(store: Conversations) -> None:
    threads = [threading.Thread(target=_ask, args=(store, A, f"q{n}")) for n in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(turn.question for turn in store.turns(A)) == sorted(f"q{n}" for n in range(12))


def test_a_file_of_another_format_is_refused_and_left_alone(home: Path, store: Conversations) -> None:
    with sqlite3.connect(home / FILE) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StorageError, match="format 99"):
        Conversations(home)


def test_a_file_that_is_no_database_is_told(home: Path) -> None:
    home.mkdir()
    (home / FILE).write_bytes(b"not a database, certainly not" * 50)
    with pytest.raises(StorageError, match="cannot be opened"):
        Conversations(home)
