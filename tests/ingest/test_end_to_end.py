"""From a site on this machine to an answer that cites it: fetch, index, ask, look, supply; through the program itself.

The roadmap is the real one, but for the URLs of its works cited, which lead to the site.
"""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ingest.overview
import ingest.pipeline
from rag import cli
from rag.bundled import roadmap_path
from rag.errors import FetchIncomplete, SourcesSkipped

pytestmark = pytest.mark.slow

Run = Callable[..., tuple[int, str, str]]
QUESTION = "At how many degrees does the zorblax valve of the greenhouse open?"
PAGE = """<!doctype html><title>Greenhouse valves</title><body><main><h1>Greenhouse valves</h1>
<h2>The zorblax valve</h2><p>The zorblax valve of the greenhouse opens at 31 degrees and closes at 27 degrees.</p>
<p>It was first built into the northern greenhouse, where the gardeners had asked for a valve without a motor.</p>
<p>Every spring the valve is taken out, cleaned with warm water, dried, and put back by two gardeners.</p>
</main></body>"""


@pytest.fixture
def run(
    home: Path,
    tmp_path: Path,
    site: Any,
    roadmap_home: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Run:
    shutil.copytree(roadmap_home / "cache", home / "cache")
    body, cited = roadmap_path().read_text().split("\nWorks cited\n")
    roadmap = tmp_path / "roadmap.txt"
    urls = iter(range(1, 1000))
    cited = re.sub(r"https?://[^\s<>]+", lambda _: f"http://127.0.0.1:{site.port}/works/{next(urls)}", cited)
    roadmap.write_text(f"{body}\nWorks cited\n{cited}")
    for module in (ingest.overview, ingest.pipeline):
        monkeypatch.setattr(module, "roadmap_path", lambda: roadmap)
    monkeypatch.setenv("WAYMARK_FETCH_ALLOW_LOOPBACK", "true")

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["waymark", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        out, err = capsys.readouterr()
        return int(exit_.value.code or 0), out, err

    return call


def _rows(run: Run) -> dict[int, dict[str, Any]]:
    return {row["n"]: row for row in json.loads(run("sources", "--json")[1])}


def test_a_fetched_work_answers_and_is_cited_by_its_url(run: Run, site: Any, page: Any) -> None:
    number = 74  # of those whose URL is in one piece
    url = _rows(run)[number]["url"]
    site.put("127.0.0.1", url.split(str(site.port))[1], page(body=PAGE.encode()))
    site.put("127.0.0.1", _path(run, site, 72), page(status=403))

    code, out, _ = run("sources", "fetch", "--only", f"{number},72")
    assert code == 0
    assert f"{number}: ok" in out
    assert "72: blocked (answers 403)" in out
    assert "2 documents indexed (2 added)" in out
    row = _rows(run)[number]
    assert (row["outcome"], row["indexed"], row["pages"]) == ("ok", True, 0)
    assert row["chunks"] > 0
    assert "1 indexed" in run("sources")[1].splitlines()[-1]

    answer = json.loads(run("ask", "--json", QUESTION)[1])
    assert answer["status"] == "answered"
    citation = answer["citations"][0]
    assert (citation["url"], citation["path"], citation["title"]) == (url, url, "Greenhouse valves")
    assert "31 degrees" in citation["quote"]
    assert citation["source_id"] == row["source_id"]
    status = json.loads(run("status", "--json")[1])
    assert {source["path"]: source["n_chunks"] for source in status["sources"]}[url] == row["chunks"]

    code, out, _ = run("sources", "fetch", "--only", number)  # the same again
    assert (code, " 0 embedded" in out, "documents unchanged" in out) == (0, True, True)


@pytest.mark.shared
def test_a_supplied_pdf_answers_with_its_page(run: Run, shared: Path) -> None:
    file = shared / "sources/docs/afshinea/refresher-probabilities-statistics.pdf"
    code, out, _ = run("sources", "supply", 1, file)
    assert code == 0
    assert "1: supplied (refresher-probabilities-statistics.pdf, given by" in out
    row = _rows(run)[1]
    assert (row["outcome"], row["snapshot_outcome"], row["indexed"]) == ("supplied", "supplied", True)
    assert row["pages"] > 1
    answer = json.loads(run("ask", "--json", "What is the variance of a random variable?")[1])
    cited = [citation for citation in answer["citations"] if citation["path"] == row["url"]]
    assert cited
    assert cited[0]["pages"]


def test_a_page_of_ones_own_is_added_refreshed_and_removed(run: Run, site: Any, page: Any) -> None:
    newer = page(body=PAGE.replace("31 degrees", "33 degrees").encode())
    site.put("127.0.0.1", "/own", page(body=PAGE.encode()), newer)
    url = site.url("127.0.0.1", "/own")
    code, out, _ = run("add", url)
    assert (code, f"{url}: ok" in out, "2 documents indexed" in out) == (0, True, True)
    assert "31 degrees" in json.loads(run("ask", "--json", QUESTION)[1])["text"]
    run("index")
    assert site.pages_asked_for() == {("127.0.0.1", "/own"): 1}  # indexing fetches nothing
    code, out, _ = run("add", url)
    assert (code, f"{url}: changed" in out) == (0, True)
    assert "33 degrees" in json.loads(run("ask", "--json", QUESTION)[1])["text"]
    code, out, _ = run("remove", url)
    assert (code, "1 removed" in out) == (0, True)
    assert json.loads(run("ask", "--json", QUESTION)[1])["status"] == "insufficient_evidence"


def test_a_work_that_cannot_be_read_is_told_when_it_is_fetched_and_listed_from_then_on(
    run: Run, site: Any, page: Any, tmp_path: Path
) -> None:
    broken = page(body=b"%PDF-1.7\nnothing\n", content_type="application/pdf")
    site.put("127.0.0.1", _path(run, site, 72), broken)
    code, out, _ = run("sources", "fetch", "--only", 72)
    assert (code, out.count("skipped http")) == (SourcesSkipped.exit_code, 1)
    for _ in range(2):
        code, out, _ = run("index")
        assert (code, "1 works cited could not be read" in out) == (0, True)
    reason = _rows(run)[72]["skipped"]
    assert reason
    assert f"72 is fetched and not indexed: {reason}" in run("sources")[1]
    (tmp_path / "note.md").write_text("A note.")
    assert run("sources", "supply", 1, tmp_path / "note.md")[0] == 0
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\nno pages\n")
    assert run("sources", "supply", 2, tmp_path / "broken.pdf")[0] == SourcesSkipped.exit_code


def test_what_fails_leaves_the_index_as_it_is(run: Run, site: Any, page: Any) -> None:
    empty = page(body=b"<title>App</title><div id=app></div>")
    site.put("127.0.0.1", _path(run, site, 72), empty)
    code, out, _ = run("sources", "fetch", "--only", 72)
    assert (code, "72: empty" in out, "documents" in out) == (0, True, False)
    site.put("127.0.0.1", "/bad.pdf", page(body=b"%PDF-1.7\nnothing\n", content_type="application/pdf"))
    code, out, _ = run("add", site.url("127.0.0.1", "/bad.pdf"))
    assert code == SourcesSkipped.exit_code
    site.delay_s = 1.5
    assert run("sources", "fetch", "--deadline", "1")[0] == FetchIncomplete.exit_code


def _path(run: Run, site: Any, number: int) -> str:
    return str(_rows(run)[number]["url"].split(str(site.port))[1])
