"""A real server and a real browser: the page as people use it. One server and one browser for each module.

The browser is the system's Chromium, found on the path; `.ci/run` installs it. Every page watches that nothing
leaves this machine and that no dialog opens.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from ingest.pipeline import index_corpus
from rag.embed import PACKAGED, open_embedder
from tests.e2e.driving import WAIT_MS, Server, Visit

_REQUIRE_BROWSER = os.environ.get("WAYMARK_REQUIRE_BROWSER") == "1"  # read before the environment is cleared
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def roadmap_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the roadmap in it; the same that the tests of `rag` make. Copy it to write."""
    home = tmp_path_factory.getbasetemp() / "roadmap"
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    return home


@pytest.fixture(scope="module")
def server(roadmap_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with the roadmap indexed."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(roadmap_home, home)
    one = Server(home)
    one.start()
    yield one
    one.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no Chromium on the path; .ci/run installs Debian's"
        if _REQUIRE_BROWSER:
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=list(_FLAGS))
        yield launched
        launched.close()


@pytest.fixture
def visit(browser: Browser) -> Iterator[Visit]:
    """A page in a context of its own, checked at the end: no dialog, nothing from elsewhere."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    one = Visit(context.new_page())
    one.page.set_default_timeout(WAIT_MS)
    yield one
    context.close()
    assert one.dialogs == []
    assert one.elsewhere == []
