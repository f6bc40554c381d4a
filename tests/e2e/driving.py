"""A server of the page and a visit to it, as tests drive them: no fixture here, only what fixtures give."""

import re
import socket
import subprocess
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Dialog, Locator, Page, Request, expect

from ui.launch import HOST, command, environment

ROOT = Path(__file__).resolve().parents[2]
WAIT_MS = 40_000  # a busy machine draws a page slowly
expect.set_options(timeout=15_000)
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
INPUT = '[data-testid="stChatInput"] textarea'


class Server:
    """The page's server over one data folder; can be restarted. `app`: another script in the place of the page's."""

    def __init__(self, home: Path, *, app: Path | None = None) -> None:
        self.home = home
        self.app = app
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://{HOST}:{self.port}"
        self.settings: dict[str, object] = {"home": home}
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        return (self.home / "server.log").read_text(encoding="utf-8", errors="replace")

    def start(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=ROOT, env=environment(self.settings), stdout=log, stderr=log
            )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2).close()  # noqa: S310 (loopback)
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError(self.log)

    def _command(self) -> list[str]:
        own = str(ROOT / "ui" / "app.py")
        return [str(self.app) if self.app and part == own else part for part in command(self.port)]

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(20)
            self._process = None


@dataclass
class Visit:
    """A page and what it did that it should not."""

    page: Page
    dialogs: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"http://{HOST}:", f"ws://{HOST}:", "data:", "blob:", "about:")):
            self.elsewhere.append(request.url)

    def open(self, url: str) -> "Visit":
        """Go there and wait until a person could type."""
        self.page.goto(url, wait_until="domcontentloaded")
        self.page.wait_for_selector(INPUT, timeout=60_000)
        return self

    @property
    def answers(self) -> Locator:
        return self.page.locator('[class*="st-key-answered-"]')

    def type(self, question: str) -> None:
        """Type a question and send it."""
        self.page.wait_for_selector(IDLE)  # a page that is still being drawn may take the field away
        field = self.page.locator(INPUT)
        expect(field).to_be_enabled(timeout=WAIT_MS)
        field.fill(question)
        field.press("Enter")

    def ask(self, question: str) -> Locator:
        """Type a question and wait for its answer to be whole; gives the answer."""
        before = self.answers.count()
        self.type(question)
        expect(self.answers).to_have_count(before + 1, timeout=WAIT_MS)
        self.page.wait_for_selector(IDLE)
        return self.answers.last

    def drop(self, *files: tuple[str, bytes]) -> None:
        """Drop files on the library's page."""
        field = self.page.get_by_role("tabpanel", name="Add files").get_by_test_id(
            "stFileUploaderDropzoneInput"
        )
        field.set_input_files(
            [{"name": name, "mimeType": "application/octet-stream", "buffer": data} for name, data in files]
        )

    def go(self, name: str) -> None:
        """Another page of the app, by its name in the sidebar."""
        self.page.get_by_test_id("stSidebarNav").get_by_role("link", name=re.compile(name)).click()
