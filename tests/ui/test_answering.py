"""A question under way: seen by any page, stopped by any page, kept whether or not one is looking."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

from rag.answer import Answer
from rag.errors import QuestionError
from tests.ui.test_terminal import _answer
from ui.answering import Answering


def _words(cancel: threading.Event) -> Iterator[str | Answer]:
    said = ""
    for word in ("one ", "two ", "three "):
        if cancel.is_set():
            break
        said += word
        yield word
        time.sleep(0.02)
    yield replace(_answer("q", said), text=said)


def _wait(answering: Answering) -> None:
    for _ in answering.follow(every_s=0.005, patience_s=5):
        pass
    assert answering.done


def test_the_answer_is_kept_though_nobody_looks() -> None:
    kept: list[Answer] = []
    answering = Answering("q", _words, keep=kept.append)
    _wait(answering)
    assert [answer.text for answer in kept] == ["one two three "]
    assert answering.text == "one two three "


def test_following_shows_each_growth_once_and_ends() -> None:
    seen = list(Answering("q", _words, keep=lambda _: None).follow(every_s=0.005, patience_s=5))
    assert seen == sorted(set(seen), key=len)
    assert seen[-1] == "one two three "


def test_stopping_keeps_what_was_written() -> None:
    kept: list[Answer] = []
    answering = Answering("q", _words, keep=kept.append)
    next(answering.follow(every_s=0.005, patience_s=5))
    answering.stop()
    _wait(answering)
    assert kept[0].text.startswith("one ")
    assert "three" not in kept[0].text


def test_a_failure_is_told_and_one_of_ours_keeps_its_details_to_the_log() -> None:
    def refused(_: threading.Event) -> Iterator[str | Answer]:
        raise QuestionError("The question is empty.")
        yield ""

    def broken(_: threading.Event) -> Iterator[str | Answer]:
        yield "a"
        raise ZeroDivisionError("secret detail")

    first, second = Answering("q", refused, keep=print), Answering("q", broken, keep=print)
    _wait(first)
    _wait(second)
    assert first.failure == "The question is empty."
    assert first.hint
    assert "secret" not in str(second.failure)
    assert "id " in str(second.failure)
