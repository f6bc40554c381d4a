"""Answers of a language model: written word by word, stopped half-way, marked where nothing supports them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from rag.scripted_server import Reply, ScriptedServer, Timing
from tests.e2e.driving import WAIT_MS, Server, Visit

_SUPPORTED = "LoRA (Low-Rank Adaptation) is a popular and effective PEFT technique [1]."
_UNSUPPORTED = "It was invented on the moon by a team of seven clockmakers."
_SLOW = ("**LoRA** is one technique [1]. ", *(f"word{n} " for n in range(400)))


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedServer]:
    with ScriptedServer(
        Reply(*_SLOW, timing=Timing(next_s=0.05)),
        Reply(_SUPPORTED, " ", _UNSUPPORTED, timing=Timing(next_s=0.3)),
    ) as one:
        yield one


@pytest.fixture(scope="module")
def server(
    roadmap_home: Path, tmp_path_factory: pytest.TempPathFactory, scripted: ScriptedServer
) -> Iterator[Server]:
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(roadmap_home, home)
    one = Server(home)
    one.settings |= {"llm": "openai:scripted", "llm_url": scripted.url}
    one.start()
    yield one
    one.stop()


def test_an_answer_is_stopped_half_way_and_says_so(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.type("How does LoRA cut memory?")
    expect(page.locator(".streamed")).to_contain_text("word5", timeout=WAIT_MS)
    expect(page.locator(".streamed strong")).to_have_text("LoRA")  # Markdown and marks while it is written
    expect(page.locator(".streamed .cite")).to_have_text("1")
    page.get_by_role("button", name="Stop").click()
    expect(visit.answers).to_have_count(1, timeout=WAIT_MS)
    expect(visit.answers).not_to_contain_text("word399")
    expect(visit.answers).to_contain_text("Stopped before it was finished")


def test_a_sentence_that_nothing_supports_looks_different(server: Server, visit: Visit) -> None:
    visit.open(server.url)
    answer = visit.ask("How does LoRA cut memory?")
    expect(answer.locator(".cite").first).to_be_visible()
    expect(answer.locator(".unsupported")).to_contain_text("clockmakers")
    expect(answer.locator(".unsupported")).not_to_contain_text("PEFT")


def test_the_answerer_can_be_changed_to_the_extractive_one(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    page.locator(".st-key-answerer button").first.click()
    page.get_by_label("Who answers").click()
    page.get_by_role("option", name="extractive").click()
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-answerer")).to_contain_text("extractive")
    answer = visit.ask("How does LoRA cut memory?")
    expect(answer).to_contain_text("massive reduction in memory")


def test_a_model_is_chosen_with_a_way_of_asking_and_without_what_nothing_supports(
    server: Server, visit: Visit, scripted: ScriptedServer
) -> None:
    page = visit.open(server.url).page
    page.locator(".st-key-answerer button").first.click()
    page.get_by_label("Who answers").click()
    page.get_by_role("option", name="scripted (server)").click()
    page.get_by_label("How it is asked").click()
    page.get_by_role("option", name="draft and select").click()
    expect(page.get_by_text("Three drafts")).to_be_visible()
    page.get_by_text("Leave out sentences that nothing supports").click()
    expect(page.get_by_role("switch", name="Leave out sentences")).to_be_checked()
    page.keyboard.press("Escape")
    before = len(scripted.requests)
    answer = visit.ask("How does LoRA cut memory?")
    assert len(scripted.requests) == before + 3  # drafts
    expect(answer).to_contain_text("popular and effective")
    expect(answer).not_to_contain_text("clockmakers")
    expect(answer).to_contain_text("left out")
    answer.get_by_role("button", name="Inspect").click()
    expect(page.locator(".st-key-panel")).to_contain_text("draft_and_select")
