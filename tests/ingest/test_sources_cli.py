"""The commands as a person calls them; the program that mounts them turns errors into exit codes."""

import json
import socket
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ingest.sources_cli import app
from rag.errors import FetchIncomplete, Offline, SettingsError

pytestmark = pytest.mark.slow

runner = CliRunner()


def _run(*arguments: str) -> Any:
    result = runner.invoke(app, list(arguments))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result


def test_the_table_lists_all_works_before_anything_is_fetched(home: Path) -> None:
    assert _run().stdout.splitlines()[-1] == "75 works: 75 not fetched; 0 indexed"
    rows = json.loads(_run("--json").stdout)
    assert [row["n"] for row in rows] == list(range(1, 76))
    assert {row["outcome"] for row in rows} == {"not fetched"}
    assert not home.exists()


@pytest.mark.parametrize("only", [(), ("--only", "3,6-9", "--only", "75")])
def test_offline_it_says_so_within_five_seconds(
    only: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*args: Any, **kwargs: Any) -> Any:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    began = time.monotonic()
    with pytest.raises(Offline):
        _run("fetch", *only)
    assert time.monotonic() - began < 5
    assert {row["outcome"] for row in json.loads(_run("--json").stdout)} == {"not fetched"}


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.1"])
def test_names_that_lead_inside_are_refused(
    address: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: answer)
    result = _run("fetch", "--only", "6", "--home", str(home))
    assert (
        result.stdout.splitlines()[0] == f"6, 7: refused ({address} is not an address on the public internet)"
    )
    rows = json.loads(_run("--json").stdout)
    assert [row["n"] for row in rows if row["outcome"] == "refused"] == [6, 7]


@pytest.mark.parametrize("only", ["76", "0", "x", "1-", "-3", "1,,x", "³"])
def test_a_number_that_no_work_has_is_an_error(only: str) -> None:
    with pytest.raises(SettingsError):
        _run("fetch", f"--only={only}")


def test_time_over_is_an_error_that_says_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.1", 443))]

    def slow(host: str, *args: Any, **kwargs: Any) -> Any:
        time.sleep(0.0 if host == "medium.com" else 1.5)
        return answer

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with pytest.raises(FetchIncomplete, match="works were not visited within 1 s"):
        _run("fetch", "--deadline", "1")
