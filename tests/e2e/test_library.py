"""One's own documents in a browser: dropped, indexed before one's eyes, asked about, removed; and the way back."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.driving import WAIT_MS, Server, Visit
from tests.ingest.loaders.made_pdf import make_pdf, paragraph
from ui.uploads import FOLDER

_JOB_MS = 60_000
PDF = make_pdf(
    paragraph("Field report", "This report was written for a test of the library.", y=700),
    paragraph(
        "The zanzibar protocol calibrates a quetzal sensor.",
        "The quetzal sensor draws exactly 417 milliwatts at full load.",
        y=700,
    ),
)
QUESTION = "How many milliwatts does the quetzal sensor draw at full load?"


def test_a_dropped_pdf_answers_with_its_page_until_it_is_removed_and_again_after_a_rollback(
    server: Server, visit: Visit
) -> None:
    page = visit.page
    visit.open(server.url)
    visit.go("Library")
    visit.drop(("Field Report.pdf", PDF))
    progress = page.get_by_test_id("stProgress")
    expect(progress.or_(page.get_by_text(re.compile("Adding Field Report.pdf.*done"))).first).to_be_visible()
    expect(page.get_by_text(re.compile(r"Adding Field Report.pdf.*done"))).to_be_visible(timeout=_JOB_MS)
    row = page.locator('[class*="st-key-own-"]')
    expect(row).to_contain_text("2 pages")
    expect(row.locator("strong")).to_have_text("Field Report")
    assert [path.name for path in (server.home / FOLDER).glob("*/*")] == ["Field Report.pdf"]

    visit.go("Ask")
    answer = visit.ask(QUESTION)
    expect(answer).to_contain_text("417 milliwatts")
    answer.locator(".cite").first.click()
    panel = page.locator(".st-key-panel")
    expect(panel).to_contain_text("p. 2")
    expect(panel.locator(".reader mark").first).to_contain_text("417 milliwatts")

    visit.go("Library")
    row.get_by_role("button", name="Remove").click()
    expect(page.get_by_text(re.compile(r"Removing Field Report.pdf.*done"))).to_be_visible(timeout=_JOB_MS)
    expect(page.locator('[class*="st-key-own-"]')).to_have_count(0)
    assert list((server.home / FOLDER).iterdir()) == []
    visit.go("Ask")
    expect(visit.answers).to_have_count(1)
    expect(visit.ask(QUESTION).locator(".refusal")).to_be_visible()

    visit.go("Library")
    page.get_by_role("tab", name="Generations of the index").click()
    page.get_by_role("button", name="Roll back").first.click()
    expect(page.get_by_text(re.compile(r"Rolling back.*done"))).to_be_visible(timeout=_JOB_MS)
    visit.go("Ask")
    expect(visit.answers).to_have_count(2)
    expect(visit.ask(QUESTION)).to_contain_text("417 milliwatts")


def test_what_is_not_what_its_name_says_is_refused_with_its_reason(server: Server, visit: Visit) -> None:
    visit.open(server.url)
    visit.go("Library")
    visit.drop(("harmless.txt", b"\x7fELF\x02\x01\x01" + bytes(64)))
    refused = visit.page.locator(".refused")
    expect(refused).to_contain_text("harmless.txt: it is named a text but is")


def test_a_refusal_stays_when_the_files_dropped_with_it_are_indexed(server: Server, visit: Visit) -> None:
    visit.open(server.url)
    visit.go("Library")
    visit.drop(
        ("harmless.txt", b"\x7fELF\x02\x01\x01" + bytes(64)),
        ("herons.md", b"# Herons\n\nA heron stands on one leg.\n"),
    )
    expect(visit.page.get_by_text(re.compile("Adding herons.md.*done"))).to_be_visible(timeout=_JOB_MS)
    expect(visit.page.get_by_text("Herons", exact=True)).to_be_visible(timeout=WAIT_MS)
    expect(visit.page.locator(".refused")).to_contain_text("harmless.txt: it is named a text but is")


def test_a_job_goes_on_when_its_page_is_closed_and_is_shown_to_another(server: Server, visit: Visit) -> None:
    other = visit.page.context.new_page()
    first = Visit(other).open(server.url)
    first.go("Library")
    first.drop(("notes.md", b"# Notes\n\nA walrus has two tusks.\n"))
    expect(other.get_by_text(re.compile("Adding notes.md")).first).to_be_visible(timeout=_JOB_MS)
    other.close()
    visit.open(server.url)
    visit.go("Library")
    expect(visit.page.get_by_text(re.compile(r"Adding notes.md.*done"))).to_have_count(1, timeout=_JOB_MS)
    expect(visit.page.get_by_text("Notes", exact=True)).to_be_visible(timeout=WAIT_MS)


@pytest.mark.shared
def test_no_name_of_a_dropped_file_reaches_outside(server: Server, visit: Visit, shared: Path) -> None:
    names = json.loads((shared / "badinput/own-lists/filenames.json").read_text(encoding="utf-8"))
    parent = server.home.parent
    before = {path for path in parent.rglob("*") if server.home not in path.parents}
    visit.open(server.url)
    visit.go("Library")
    files = [(f"{one['name']}.txt", f"A text number {n}.".encode()) for n, one in enumerate(names)]
    visit.drop(*[(name, data) for name, data in files if "\0" not in name])
    expect(visit.page.get_by_text(re.compile(r"Adding .*done")).first).to_be_visible(timeout=_JOB_MS)
    assert {path for path in parent.rglob("*") if server.home not in path.parents} == before
    assert all(path.is_file() for path in (server.home / FOLDER).glob("*/*"))
    assert "Traceback" not in server.log
