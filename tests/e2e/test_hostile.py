"""Payloads of strangers in a browser: as text, title, heading, file name and question they are read and do nothing."""

import json
import re
import uuid
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.driving import WAIT_MS, Server, Visit
from tests.ui.records import answer, citation, refusal
from ui.conversations import Conversations

pytestmark = pytest.mark.shared
_AT_ONCE = 60  # payloads in one conversation
# What Streamlit itself draws is left out: only what our text could have become counts.
_ACTIVE = """() => {
  const found = [];
  const look = (root) => {
    for (const element of root.querySelectorAll('*')) {
      if (element.shadowRoot) look(element.shadowRoot);
      if (!element.closest('.waymark, .question, .note, [data-testid="stHtml"]')) continue;
      if (/^(script|iframe|object|embed|form|img|svg|math|video|audio|link|meta|base)$/i.test(element.tagName))
        found.push(element.outerHTML.slice(0, 200));
      for (const one of element.attributes)
        if (/^on/i.test(one.name) || (/(href|src|action)$/i.test(one.name) && !/^https?:/i.test(one.value)))
          found.push(one.name + '=' + one.value.slice(0, 100));
    }
  };
  look(document);
  return found;
}"""


def _payloads(shared: Path) -> list[str]:
    xss = json.loads((shared / "badinput/dompurify-xss/payloads.json").read_text(encoding="utf-8"))
    naughty = json.loads((shared / "badinput/blns/blns.json").read_text(encoding="utf-8"))
    return [*(one["payload"] for one in xss), *naughty]


def _hostile(text: str) -> list[dict[str, Any]]:
    cited = citation(
        title=text,
        path=text,
        url=text,
        heading_path=[text, text],
        quote=text,
        references=[{"n": 1, "title": text, "url": text}],
    )
    return [
        answer(text=f"{text} [1]", question=text, standalone=f"{text} ", citations=[cited]),
        answer(text=f"{text} [1]", citations=[cited], provenance={"generator": "openai:x"}, warnings=[text]),
        refusal(text=text),
    ]


def test_stored_answers_made_of_payloads_do_nothing(server: Server, visit: Visit, shared: Path) -> None:
    store = Conversations(server.home)
    payloads = _payloads(shared)
    assert len(payloads) > 700
    for start in range(0, len(payloads), _AT_ONCE):
        conversation = uuid.uuid4().hex
        some = payloads[start : start + _AT_ONCE]
        for n, text in enumerate(some):
            store.add_turn(conversation, question=text, record=_hostile(text)[n % 3])
        visit.open(f"{server.url}/?c={conversation}")
        expect(visit.answers).to_have_count(len(some), timeout=WAIT_MS)
        visit.page.wait_for_timeout(200)
        assert visit.page.evaluate(_ACTIVE) == []
    assert visit.dialogs == []
    assert visit.elsewhere == []


def test_evidence_made_of_payloads_does_nothing(server: Server, visit: Visit, shared: Path) -> None:
    store = Conversations(server.home)
    conversation = uuid.uuid4().hex
    joined = "\n".join(_payloads(shared))
    store.add_turn(conversation, question="Evidence?", record=_hostile(joined)[0] | {"standalone": "x"})
    visit.open(f"{server.url}/?c={conversation}")
    visit.answers.locator(".card").first.click()
    expect(visit.page.locator(".st-key-panel .reader")).to_be_visible()
    expect(visit.page.locator(".st-key-panel")).to_contain_text("The index no longer holds this text")
    assert visit.page.evaluate(_ACTIVE) == []


def test_a_document_and_questions_made_of_payloads_do_nothing(
    server: Server, visit: Visit, shared: Path
) -> None:
    page = visit.page
    payloads = [text for text in _payloads(shared) if text.strip()]
    title = "<img src=https://evil.example/t onerror=alert(1)>"
    text = "\n\n".join(f"The quokka payload {n} is {one}" for n, one in enumerate(payloads[:200]))
    visit.open(server.url)
    visit.go("Library")
    visit.drop(("<img src=x onerror=alert(1)>.txt", f"{title}\n\n{text}".encode(errors="replace")))
    expect(page.get_by_text(re.compile(r"Adding .*done"))).to_be_visible(timeout=60_000)
    assert page.evaluate(_ACTIVE) == []
    visit.go("Ask")
    for question in (
        "What is the quokka payload 7?",
        title,
        '"><script>alert(1)</script>',
        payloads[3][:3000],
    ):
        visit.ask(question)
        assert page.evaluate(_ACTIVE) == []
    visit.answers.first.locator(".cite, .card").first.click()
    expect(page.locator(".st-key-panel")).to_be_visible()
    assert page.evaluate(_ACTIVE) == []
    for name in ("Library", "Evaluation", "Roadmap"):
        visit.go(name)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.evaluate(_ACTIVE) == []
    assert "Traceback" not in server.log
