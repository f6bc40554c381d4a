"""Each page light and dark, at desktop and phone width: nothing sticks out, every text can be read, every button has a
name; pictures of it lie in `screenshots/`.
"""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ViewportSize, expect

from tests.e2e.driving import IDLE, ROOT, WAIT_MS, Server, Visit

_CONTRAST = Path(__file__).with_name("contrast.js").read_text(encoding="utf-8")
_FOLDER = ROOT / "screenshots"  # ignored by git
_SIZES: dict[str, ViewportSize] = {
    "desktop": {"width": 1280, "height": 900},
    "phone": {"width": 390, "height": 844},
}
_RUN = {
    "schema": 1,
    "kind": "gold",
    "at": "2026-01-01T00:00:00+00:00",
    "title": "Gold questions",
    "values": {},
    "overall": {
        "measured": {
            name: {"interval": {"mean": mean, "low": mean - 5, "high": mean + 4, "n": 112}}
            for name, mean in (
                ("evidence_recall_300w", 88.9),
                ("citation_recall", 68.5),
                ("answered_share", 97.3),
            )
        }
    },
    "by_type": [
        {
            "name": kind,
            "measured": {
                "citation_recall": {"interval": {"mean": mean, "low": mean - 9, "high": mean + 7, "n": 20}}
            },
        }
        for kind, mean in (("factoid", 71.0), ("table", 55.0), ("comparison", 64.0))
    ],
}


@pytest.fixture(scope="module")
def served_with_a_run(server: Server) -> Server:
    folder = server.home / "runs" / "20260101T000000Z-gold"
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps(_RUN), encoding="utf-8")
    row = {
        "question_id": "q-1",
        "type": "table",
        "status": "answered",
        "text": "So. [1]",
        "tallies": {"mrr": [1, 1]},
    }
    (folder / "rows.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    return server


def _fits(visit: Visit, path: Path) -> None:
    """Keep a picture; nothing is wider than the window, no text too faint, no button without words for a name."""
    visit.page.wait_for_selector(IDLE)
    visit.page.wait_for_timeout(600)
    visit.page.screenshot(path=path)
    wide, window = visit.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert wide <= window, path.name
    assert visit.page.evaluate(_CONTRAST) == [], path.name
    nameless = visit.page.get_by_role("button", name=re.compile(r"^\s*$|^\w+_\w+( icon)?$"))
    assert nameless.all_inner_texts() == [], path.name


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", list(_SIZES))
def test_every_page_fits(served_with_a_run: Server, browser: Browser, scheme: str, size: str) -> None:
    url = served_with_a_run.url
    _FOLDER.mkdir(exist_ok=True)
    context = browser.new_context(
        viewport=_SIZES[size], color_scheme="dark" if scheme == "dark" else "light", has_touch=size == "phone"
    )
    visit = Visit(context.new_page())
    visit.page.set_default_timeout(WAIT_MS)

    def keep(name: str) -> None:
        _fits(visit, _FOLDER / f"{name}-{size}-{scheme}.png")

    visit.open(url)
    expect(visit.page.get_by_role("heading", name="Ask the roadmap")).to_be_visible()
    keep("1-first-visit")
    answer = visit.ask("How does LoRA cut memory?")
    keep("2-answer")
    answer.locator(".cite").first.click()
    expect(visit.page.locator(".reader mark").first).to_be_in_viewport()
    keep("3-evidence")
    visit.page.get_by_role("button", name="Close").click()
    visit.ask("And by what factor does it reduce the parameters?")
    keep("4-follow-up")
    visit.ask("Who won the football world cup in 2022?")
    keep("5-refusal")
    visit.answers.last.get_by_role("button", name="Inspect").click()
    expect(visit.page.locator(".st-key-panel")).to_be_visible()
    keep("6-inspector")
    for number, (name, title) in enumerate(
        {"roadmap": "Roadmap", "library": "Library", "evaluation": "Evaluation"}.items(), start=7
    ):
        visit.page.goto(f"{url}/{name}", wait_until="domcontentloaded")
        expect(visit.page.get_by_role("heading", name=title, level=1)).to_be_visible(timeout=WAIT_MS)
        keep(f"{number}-{name}")
    assert (visit.dialogs, visit.elsewhere) == ([], [])
    context.close()
