"""Starting the page: the server's command, its address, and the browser.

The server is a child process; this module only starts it, says where it is, and ends it when told to.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Callable, Mapping
from pathlib import Path

from rag.errors import PageError

HOST = "127.0.0.1"
FIRST_PORT = 8501
_PORTS_TRIED = 20
_UP_WITHIN_S = 60.0
_FLAGS = {
    "browser.gatherUsageStats": "false",
    "client.toolbarMode": "minimal",
    "client.showErrorDetails": "none",  # a traceback belongs into the log
    "server.address": HOST,
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.enableStaticServing": "false",
    "server.maxUploadSize": "50",  # MB; the same as `ingest.gather.MOST_BYTES`
    "server.showEmailPrompt": "false",
    # Of each scheme by itself: an option of `theme` alone would end following the system's light or dark.
    "theme.light.primaryColor": "#2f6fde",
    "theme.dark.primaryColor": "#6c9cf5",
    "theme.light.baseRadius": "0.6rem",
    "theme.dark.baseRadius": "0.6rem",
    "logger.level": "warning",
    "logger.hideWelcomeMessage": "true",
}


def command(port: int) -> list[str]:
    """How the server is started."""
    app = Path(__file__).with_name("app.py")
    flags = [f"--{name}={value}" for name, value in _FLAGS.items()]
    return [sys.executable, "-m", "streamlit", "run", str(app), f"--server.port={port}", *flags]


def environment(settings: Mapping[str, object]) -> dict[str, str]:
    """The environment of the server: this one, and settings that were given as flags."""
    given = {f"WAYMARK_{name.upper()}": str(value) for name, value in settings.items() if value is not None}
    return {**os.environ, **given}


def serve(
    settings: Mapping[str, object], *, port: int | None, open_browser: bool, say: Callable[[str], None]
) -> int:
    """Run the server until it ends or is interrupted. Returns its exit status.

    Raises:
        PageError: the port is taken, or the server does not come up.
    """
    port = _free_port() if port is None else _checked_port(port)
    url = f"http://{HOST}:{port}"
    signal.signal(signal.SIGTERM, _interrupt)  # else the server would outlive this process
    server = subprocess.Popen(command(port), env=environment(settings), stdin=subprocess.DEVNULL)
    try:
        _wait_until_up(server, url)
        say(f"Waymark is at {url} (Ctrl-C ends it).")
        if open_browser:
            webbrowser.open(url)
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _wait_until_up(server: "subprocess.Popen[bytes]", url: str) -> None:
    deadline = time.monotonic() + _UP_WITHIN_S
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise PageError(f"The page's server ended at once (exit {server.returncode}).")
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2):  # noqa: S310 (own loopback address)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise PageError(f"The page's server did not answer within {_UP_WITHIN_S:.0f} s.")


def _free_port() -> int:
    for port in range(FIRST_PORT, FIRST_PORT + _PORTS_TRIED):
        if _is_free(port):
            return port
    raise PageError(f"No port from {FIRST_PORT} to {FIRST_PORT + _PORTS_TRIED - 1} is free.")


def _checked_port(port: int) -> int:
    if not _is_free(port):
        raise PageError(f"Port {port} is taken.")
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
