"""From the command on an empty data folder to the first answer, as after an installation; and the way out."""

import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import expect

from tests.e2e.driving import INPUT, ROOT, Visit
from ui.launch import HOST, environment

# From the end of the install to the first answer, on a machine that has nothing else to do; where the cores are already
# taken several times over, the clock says nothing of this program and is not asked.
_FIRST_ANSWER_S = 60


def test_the_command_serves_a_page_that_indexes_and_answers_and_ends_with_its_server(
    home: Path, visit: Visit
) -> None:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    idle = os.getloadavg()[0] <= 1.5 * (os.cpu_count() or 1)
    began = time.monotonic()
    command = [sys.executable, "-m", "rag.cli", "chat", "--port", str(port), "--no-browser"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment({"home": home}), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert f"http://{HOST}:{port}" in process.stdout.readline()
        visit.page.goto(f"http://{HOST}:{port}", wait_until="domcontentloaded")
        expect(visit.page.get_by_role("heading", name="Preparing the roadmap")).to_be_visible(timeout=30_000)
        expect(visit.page.get_by_test_id("stProgress")).to_contain_text(
            re.compile("Embedding: [0-9]+ of"), timeout=120_000
        )
        visit.page.wait_for_selector(INPUT, timeout=120_000)
        expect(visit.ask("How does LoRA cut memory?").locator(".cite").first).to_be_visible()
        took = time.monotonic() - began
    finally:
        process.terminate()
        process.communicate(timeout=20)
    assert not idle or took < _FIRST_ANSWER_S
    with socket.socket() as probe:  # nothing listens there any more
        assert probe.connect_ex((HOST, port)) != 0
