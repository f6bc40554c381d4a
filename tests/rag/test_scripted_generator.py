"""The scripted model of the tests does what a `Generator` promises."""

import threading

import pytest

from rag.errors import ServerFailed
from rag.generate import Finish, Generator, Message, open_generator
from rag.settings import Settings
from rag.testing import ScriptedGenerator

ASKED = [Message(role="user", text="Why is the sky blue?")]


def _all(llm: Generator, *, most: int = 100, cancel: threading.Event | None = None) -> list[str | Finish]:
    return list(llm.stream(ASKED, max_new_tokens=most, seed=7, cancel=cancel or threading.Event()))


def test_it_says_its_replies_in_order_and_in_their_pieces_and_keeps_what_it_was_asked() -> None:
    llm = ScriptedGenerator("One reply.")
    llm.enqueue("Another ", "reply.")
    assert _all(llm) == ["One reply.", Finish(prompt_tokens=6, completion_tokens=3, stop_reason="eos")]
    assert _all(llm)[:-1] == ["Another ", "reply."]
    assert llm.seen == [tuple(ASKED), tuple(ASKED)]
    assert llm.seeds == [7, 7]


def test_it_fails_at_the_piece_that_is_an_error() -> None:
    llm = ScriptedGenerator()
    llm.enqueue("A cut ", ServerFailed("the stream was cut"), "never said")
    stream = llm.stream(ASKED, max_new_tokens=9, seed=None, cancel=threading.Event())
    assert next(stream) == "A cut "
    with pytest.raises(ServerFailed, match="cut"):
        next(stream)


def test_it_stops_at_the_wanted_length_and_when_it_is_cancelled() -> None:
    llm = ScriptedGenerator()
    llm.enqueue("one ", "two ", "three")
    llm.enqueue("one ", "two ", "three")
    *said, finish = _all(llm, most=2)
    assert (said, finish.stop_reason) == (["one ", "two "], "length")  # type: ignore[union-attr]
    cancel = threading.Event()
    stream = llm.stream(ASKED, max_new_tokens=9, seed=None, cancel=cancel)
    assert next(stream) == "one "
    cancel.set()
    assert [one.stop_reason for one in stream if isinstance(one, Finish)] == ["cancelled"]


def test_without_a_model_in_the_settings_answers_are_extracted() -> None:
    assert open_generator(Settings(llm="extractive")) is None
    assert open_generator(Settings(llm="auto")) is None
