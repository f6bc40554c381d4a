"""How the page's server is started: on this machine only, silent to others, on a port that is free."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from rag.errors import PageError
from ui import launch


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind((launch.HOST, 0))
        holder.listen()
        yield int(holder.getsockname()[1])


def test_the_server_listens_on_loopback_and_sends_nothing() -> None:
    command = launch.command(8501)
    assert "--server.address=127.0.0.1" in command
    assert "--browser.gatherUsageStats=false" in command
    assert "--server.fileWatcherType=none" in command
    assert "--server.port=8501" in command


def test_flags_reach_the_server_as_its_environment() -> None:
    made = launch.environment({"home": Path("data"), "llm": None, "passages": 8})
    assert (made["WAYMARK_HOME"], made["WAYMARK_PASSAGES"]) == ("data", "8")
    assert "WAYMARK_LLM" not in made


def test_a_port_that_is_taken_is_told_before_anything_starts(taken: int) -> None:
    with pytest.raises(PageError, match=f"Port {taken} is taken"):
        launch.serve({}, port=taken, open_browser=False, say=lambda _: None)


def test_the_first_free_port_is_used(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "FIRST_PORT", taken)
    assert launch._free_port() > taken


def test_the_style_and_the_script_of_the_page_name_no_other_host() -> None:
    for name in ("pages.css", "clickable.css", "clickable.js", "icon.svg"):
        text = (Path(launch.__file__).with_name(name)).read_text(encoding="utf-8")
        assert "//" not in text.replace("http://www.w3.org/2000/svg", "").replace("// ", "")
