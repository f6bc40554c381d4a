"""What every test stands on: a data folder of its own, no settings from outside, no network.

`shared` is the folder of evaluation data that is not part of Waymark: WAYMARK_EVAL_DATA, else `../shared` beside
the checkout. Tests that need it skip without it, and fail without it where WAYMARK_REQUIRE_SHARED=1 is set.
"""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
_REQUIRE_SHARED = os.environ.get("WAYMARK_REQUIRE_SHARED") == "1"  # read before the environment is cleared
_EVAL_DATA = Path(os.environ.get("WAYMARK_EVAL_DATA") or ROOT.parent / "shared")
_LOOPBACK = ("127.", "::1", "localhost")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--network", action="store_true", help="also run the tests that need the internet")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--network"):
        return
    for item in items:
        if item.get_closest_marker("network"):
            item.add_marker(pytest.mark.skip(reason="needs the internet; run with --network"))


class NetworkBlocked(RuntimeError):
    """A test tried to leave this machine."""


def _check_address(address: object) -> None:
    """Loopback and local sockets pass; names and addresses of other machines do not."""
    if not isinstance(address, tuple):
        return  # a Unix socket's path
    host = address[0].decode() if isinstance(address[0], bytes) else str(address[0] or "localhost")
    if not host.startswith(_LOOPBACK):
        raise NetworkBlocked(f"a test tried to reach {host}; mark it `network` if it has to")


@pytest.fixture(scope="session", autouse=True)
def _sealed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No setting from outside and no network, also for fixtures that live for a whole session."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("WAYMARK_")]:
            patch.delenv(name)
        patch.setenv("WAYMARK_HOME", str(tmp_path_factory.mktemp("session") / "home"))
        patch.setenv("HF_HUB_OFFLINE", "1")
        patch.setenv("RAGAS_DO_NOT_TRACK", "true")
        if not request.config.getoption("--network"):
            _block_network(patch)
        yield


def _block_network(patch: pytest.MonkeyPatch) -> None:
    for method in ("connect", "connect_ex"):
        original = getattr(socket.socket, method)

        def guarded(
            self: socket.socket, address: Any, _original: Any = original
        ) -> Any:  # Any: as socket has it
            _check_address(address)
            return _original(self, address)

        patch.setattr(socket.socket, method, guarded)

    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *args: Any, **kwargs: Any) -> Any:  # a look-up leaves the machine, too
        _check_address((host,))
        return look_up(host, *args, **kwargs)

    patch.setattr(socket, "getaddrinfo", guarded_look_up)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of this test alone; not made yet."""
    for name in [name for name in os.environ if name.startswith("WAYMARK_")]:
        monkeypatch.delenv(name)
    folder = tmp_path / "home"
    monkeypatch.setenv("WAYMARK_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def shared() -> Path:
    """The evaluation data beside the checkout; skips, or fails where it is required, if it is not there."""
    if not _EVAL_DATA.is_dir():
        reason = f"no evaluation data at {_EVAL_DATA}; set WAYMARK_EVAL_DATA"
        if _REQUIRE_SHARED:
            pytest.fail(reason)
        pytest.skip(reason)
    return _EVAL_DATA
