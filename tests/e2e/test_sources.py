"""Pages and folders brought in through the Library: the works cited from a site on this machine, beside what the
roadmap says of them; a page of one's own; a folder and its way out.

The roadmap is the real one, but for its list of works cited, whose addresses lead to the site.
"""

import re
import shutil
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import expect

from ingest.overview import cited_works
from ingest.pipeline import index_corpus
from rag.bundled import roadmap_path
from rag.embed import PACKAGED, open_embedder
from tests.e2e.driving import IDLE, ROOT, WAIT_MS, Server, Visit

_JOB_MS = 90_000
_LORA = """<!doctype html><title>LoRA explained</title><body><main><h1>LoRA explained</h1><h2>What it does</h2>
<p>LoRA is a popular and effective PEFT technique. During fine-tuning, only the parameters of the tiny adapter layers
are updated. This drastically reduces the number of trainable parameters, often by a factor of 10,000 or more, leading
to a massive reduction in memory and compute requirements. Despite training only a fraction of the parameters, LoRA can
achieve performance comparable to full fine-tuning.</p></main></body>"""
_GARDEN = """<!doctype html><title>A garden</title><body><main><h1>A garden in spring</h1>
<p>Tulips are planted in autumn, before the first frost, about ten centimetres deep and in loose ground.</p>
<p>In spring the gardener cuts the roses, feeds the lawn, and waters the young lettuce in the evening.</p>
</main></body>"""
_OWN = """<!doctype html><title>Valves</title><body><main><h1>Greenhouse valves</h1>
<p>The zorblax valve of the greenhouse opens at 31 degrees and closes at 27 degrees.</p>
<p>Every spring the valve is taken out, cleaned with warm water, dried, and put back by two gardeners.</p>
<p>It was first built into the northern greenhouse, where the gardeners had asked for a valve without a motor.</p>
</main></body>"""
_PAPER = """<!doctype html><title>Newts</title><body><main><h1>Newts of the zorblax pond</h1>
<p>The zorblax pond holds 31 newts in spring and 12 newts in autumn, as counted by two students every year.</p>
<p>They were first counted when the pond was dug, and the counts have been kept in a notebook since then.</p>
</main></body>"""
_PAGES = {"/lora": _LORA, "/garden": _GARDEN, "/own": _OWN}  # anything else is gone
# What `waymark chat` serves, on another roadmap.
_APP = """import runpy
from pathlib import Path
import ingest.overview, ingest.pipeline
for module in (ingest.overview, ingest.pipeline):
    module.roadmap_path = lambda: Path({roadmap!r})
runpy.run_path({app!r}, run_name="__main__")
"""


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = _PAGES.get(self.path, "").encode()
        self.send_response(200 if body else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{http.server_port}"
        http.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def server(roadmap_home: Path, site: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that may fetch from this machine; the works but two lead to one page."""
    folder = tmp_path_factory.mktemp("cited")
    body = roadmap_path().read_text(encoding="utf-8").split("\nWorks cited\n")[0]
    places = {44: "lora", 75: "gone"}
    listed = "".join(
        f"{work.number}. {work.title}, accessed on October 10, 2025, <{site}/{places.get(work.number, 'garden')}>\n"
        for work in cited_works()
    )
    roadmap, app = folder / "roadmap.txt", folder / "served.py"
    roadmap.write_text(f"{body}\nWorks cited\n\n{listed}", encoding="utf-8")
    app.write_text(_APP.format(roadmap=str(roadmap), app=str(ROOT / "ui" / "app.py")), encoding="utf-8")
    home = folder / "home"
    for name in ("cache", "models"):
        shutil.copytree(roadmap_home / name, home / name)
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home), roadmap=roadmap)
    one = Server(home, app=app)
    one.settings |= {"fetch_allow_loopback": "true"}
    one.start()
    yield one
    one.stop()


def _done(visit: Visit, title: str) -> None:
    expect(visit.page.get_by_text(re.compile(rf"{title}.*done")).first).to_be_visible(timeout=_JOB_MS)


def test_fetched_works_stand_beside_what_the_roadmap_says(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.go("Library")
    page.get_by_role("tab", name="Works cited").click()
    page.get_by_role("button", name="Fetch the cited works").click()
    _done(visit, "Fetching the cited works")
    expect(page.get_by_text(re.compile("✗ http.*/gone: "))).to_be_visible()
    expect(page.get_by_text("74 of 75 works that the roadmap cites are indexed")).to_be_visible(
        timeout=WAIT_MS
    )

    visit.go("Ask")
    panel = page.locator(".st-key-panel")
    visit.ask("How does LoRA cut memory?").locator(".cite").last.click()
    expect(panel.locator(".badge.good")).to_contain_text("source agrees")
    expect(panel).to_contain_text("Roadmap says")
    expect(panel).to_contain_text("Source says (What it does)")
    expect(panel.locator(".works a")).to_have_attribute("href", re.compile("/lora$"))
    visit.ask("What are the four pillars of MLOps?").locator(".cite").first.click()
    expect(panel.locator(".works").first).to_contain_text("not found in the source")
    expect(panel.locator(".badge.good")).to_have_count(0)


def test_a_work_that_cannot_be_fetched_is_given_by_hand(server: Server, visit: Visit) -> None:
    page = visit.open(server.url).page
    visit.go("Library")
    page.get_by_role("tab", name="Works cited").click()
    page.get_by_text("Give a file for a work that cannot be fetched").click()
    form = page.get_by_test_id("stForm").filter(has_text="Give this file")
    field = form.get_by_test_id("stFileUploaderDropzoneInput")
    give = form.get_by_role("button", name="Give this file")

    def choose() -> None:
        page.wait_for_selector(IDLE)  # a page that is still being drawn closes the list
        box = form.get_by_role("combobox", name="Work")
        box.click()
        box.fill("75.")
        page.get_by_role("option", name=re.compile(r"^75\. ")).click()

    choose()
    field.set_input_files(
        [{"name": "paper.txt", "mimeType": "text/plain", "buffer": b"\x7fELF\x02\x01\x01\0"}]
    )
    give.click()
    expect(page.locator(".refused")).to_contain_text("paper.txt: it is named a text but is")
    choose()
    field.set_input_files([{"name": "My paper.html", "mimeType": "text/html", "buffer": _PAPER.encode()}])
    give.click()
    _done(visit, "Taking My paper.html for work 75")
    expect(
        page.get_by_text(re.compile(r"✓ http.*/gone: supplied \(My paper.html, given by "))
    ).to_be_visible()
    visit.go("Ask")
    expect(visit.ask("How many newts does the zorblax pond hold in spring?")).to_contain_text("31 newts")


def test_a_page_is_fetched_from_its_address_and_answers(server: Server, visit: Visit, site: str) -> None:
    page = visit.open(server.url).page
    visit.go("Library")
    page.get_by_role("tab", name="Add a web page").click()
    page.get_by_label("Address").fill("ftp://example.org/x")
    page.get_by_role("button", name="Fetch and add").click()
    expect(page.get_by_text("Only addresses that begin with")).to_be_visible()
    page.get_by_label("Address").fill(f"{site}/own")
    page.get_by_role("button", name="Fetch and add").click()
    _done(visit, "Adding http.*own")
    expect(page.get_by_test_id("stExpander").get_by_role("link")).to_have_count(0)
    expect(page.locator('[class*="st-key-own-"]')).to_contain_text("Greenhouse valves")
    visit.go("Ask")
    expect(visit.ask("At how many degrees does the zorblax valve open?")).to_contain_text("31 degrees")


def test_a_folder_is_added_with_its_outcomes_and_removed_as_a_whole(
    server: Server, visit: Visit, tmp_path: Path
) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "walrus.md").write_text("# Walrus\n\nA walrus has two tusks.\n", encoding="utf-8")
    (folder / "heron.md").write_text("# Heron\n\nA heron stands on one leg.\n", encoding="utf-8")
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7\nno pdf at all")
    page = visit.open(server.url).page
    visit.go("Library")
    page.get_by_role("tab", name="Add a folder").click()
    page.get_by_label("Folder on this machine").fill(str(folder / "nowhere"))
    page.get_by_role("button", name="Add folder").click()
    expect(page.get_by_text("There is no such folder or file")).to_be_visible()
    page.get_by_label("Folder on this machine").fill(str(folder))
    page.get_by_role("button", name="Add folder").click()
    _done(visit, "Adding .*notes")
    expect(page.get_by_text(re.compile("✗ broken.pdf: "))).to_be_visible()
    expect(page.get_by_text("Walrus", exact=True)).to_be_visible()
    expect(page.get_by_text("folder, 3 files")).to_be_visible()
    page.get_by_role("button", name="Remove folder").click()
    _done(visit, "Removing notes")
    expect(page.get_by_text("Walrus", exact=True)).to_have_count(0)
