import time
from collections.abc import Callable

import pytest

from ingest.fetch.classify import Outcome, Verdict, classify
from ingest.fetch.page import fingerprint, read_page

HTML = "text/html; charset=utf-8"
URL = "https://site.example/article"


def _verdict(body: bytes, *, status: int = 200, content_type: str = HTML, final: str = URL) -> Verdict:
    return classify(status=status, content_type=content_type, body=body, requested=URL, final=final)


def _short(title: str, text: str) -> bytes:
    return f"<html><head><title>{title}</title></head><body>{text}</body></html>".encode()


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Outcome.GONE),
        (410, Outcome.GONE),
        (401, Outcome.WALL),
        (402, Outcome.WALL),
        (400, Outcome.BLOCKED),
        (403, Outcome.BLOCKED),
        (429, Outcome.BLOCKED),
        (451, Outcome.BLOCKED),
        (999, Outcome.BLOCKED),
        (500, Outcome.FAILED),
        (503, Outcome.FAILED),
        (302, Outcome.FAILED),  # to nowhere
        (204, Outcome.EMPTY),
    ],
)
def test_a_status_says_most(status: int, outcome: Outcome) -> None:
    verdict = _verdict(b"", status=status)
    assert verdict.outcome is outcome
    assert verdict.reason


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        (_short("Just a moment...", "Checking your browser"), Outcome.BLOCKED),
        (_short("Site", "Please verify you are a human"), Outcome.BLOCKED),
        (_short("Page not found", "Sorry. " * 40), Outcome.GONE),
        (_short("Article", "<p>Sign in to continue reading.</p>" * 3), Outcome.WALL),
        (_short("Welcome", "<form>Name <input name=a> <input class=x type='password'></form>"), Outcome.WALL),
        (
            _short("Before you go on", "We use cookies and more. Please accept them to see the site."),
            Outcome.WALL,
        ),
        (
            _short("App", "<noscript>You need JavaScript.</noscript><div id=root></div><script>x</script>"),
            Outcome.EMPTY,
        ),
        (_short("Moved", '<meta http-equiv=refresh content="0;url=http://127.0.0.1/">'), Outcome.EMPTY),
        (b"   \n", Outcome.EMPTY),
    ],
)
def test_short_pages_are_told_apart(body: bytes, outcome: Outcome) -> None:
    assert _verdict(body).outcome is outcome


def test_a_part_of_a_page_is_no_page() -> None:
    verdict = _verdict(b"<html><body><p>" + b"word " * 400, status=206)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, "sends only a part")


def test_a_login_that_is_sent_as_a_pdf_is_a_wall() -> None:
    body = (
        b"<!DOCTYPE html><html><title>Journal</title><body><p>Please sign in to continue.</p></body></html>"
    )
    assert _verdict(body, content_type="application/pdf").outcome is Outcome.WALL
    assert _verdict(body, content_type="text/plain").outcome is Outcome.OK  # a text that shows a page


def test_a_challenge_with_an_error_status_is_a_block_and_no_failure() -> None:
    assert _verdict(_short("Just a moment...", ""), status=503).outcome is Outcome.BLOCKED


def test_a_long_page_that_mentions_it_all_is_a_page(text_page: Callable[..., bytes]) -> None:
    body = text_page("Login walls, cookies: accept a 404 captcha", words=200)
    assert _verdict(body + b"<input type=password>").outcome is Outcome.OK


def test_a_redirect_to_a_login_is_a_wall(text_page: Callable[..., bytes]) -> None:
    body = text_page("Long enough")
    for final in (
        "https://site.example/login?next=/article",
        "https://accounts.site.example/x",
        "https://a.example/auth/",
    ):
        assert _verdict(body, final=final).outcome is Outcome.WALL
    for final in (
        "https://site.example/author/ann",
        "https://site.example/article/",
        "https://site.example/blogin/x",
    ):
        assert _verdict(body, final=final).outcome is Outcome.OK


@pytest.mark.parametrize(
    ("body", "content_type", "outcome"),
    [
        (b"\x7fELF\x02" + bytes(99), HTML, Outcome.NOT_TEXT),
        (b"\x89PNG\r\n\x1a\n" + bytes(99), "text/plain", Outcome.NOT_TEXT),
        (b"anything", "image/svg+xml", Outcome.NOT_TEXT),
        (b"PK\x03\x04" + b"x" * 99, "application/octet-stream", Outcome.NOT_TEXT),
        (b"words " * 9 + b"\0" + b"words " * 9, "text/plain", Outcome.NOT_TEXT),
        (bytes(range(1, 32)) * 9, "text/plain", Outcome.NOT_TEXT),
        (b"%PDF-1.7\n\x00\x01\x02", "application/pdf", Outcome.OK),
        (b"%PDF-1.7\n\x00\x01\x02", HTML, Outcome.OK),
        ("Wörter".encode("utf-16"), "text/plain", Outcome.OK),
        ("Wörter".encode("latin-1"), "text/plain", Outcome.OK),
        (b"# Markdown", "", Outcome.OK),
        (b'{"a": 1}', "application/json", Outcome.OK),
    ],
)
def test_bytes_count_before_what_they_are_declared_as(
    body: bytes, content_type: str, outcome: Outcome
) -> None:
    assert _verdict(body, content_type=content_type).outcome is outcome


def test_visible_text_is_what_a_reader_sees() -> None:
    page = read_page(
        "<!doctype html><TITLE>Ä &amp; B</TITLE><!-- no <b> --><style>no</style><script>no</script>"
        "<p>a<br>b 1 < 2 &lt;3</p><SCRIPT>no</SCRIPT ><svg><text>no</text></svg>c".encode(),
        HTML,
    )
    assert (page.title, page.text) == ("Ä & B", "a b 1 < 2 <3 c")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ("<p>Größe".encode("latin-1"), "text/html; charset=ISO-8859-1"),
        ("<meta charset=windows-1252><p>Größe".encode("cp1252"), "text/html"),
        ("<p>Größe".encode("utf-16"), "text/html; charset=latin-1"),
        ("<p>Größe".encode(), "text/html; charset=hex"),
        ("<p>Größe".encode(), "text/html; charset=nonsense"),
    ],
)
def test_the_charset_is_found(body: bytes, content_type: str) -> None:
    assert read_page(body, content_type).text == "Größe"


def test_a_fingerprint_changes_with_the_words_and_not_with_a_nonce(text_page: Callable[..., bytes]) -> None:
    body = text_page("Page")
    nonce = body + b"<script nonce=123></script><!-- served in 3 ms -->"
    assert fingerprint(body, HTML) == fingerprint(nonce, HTML)
    assert fingerprint(body, HTML) != fingerprint(body + b"<p>new", HTML)
    assert fingerprint(b"# a", "text/markdown") != fingerprint(b"# a ", "text/markdown")
    long = body + b"<p>x" * 600_000
    assert fingerprint(long, HTML) != fingerprint(long + b"y", HTML)


@pytest.mark.parametrize(
    "part",
    [b"<", b"<a", b"<a>", b"<script>", b"<!--", b"<script", b"</", b"<title>x", b"&lt;<b ", b"<input "],
)
def test_hostile_pages_take_no_time(part: bytes) -> None:
    body = part * (2**20 // len(part))
    began = time.thread_time()
    _verdict(body)
    fingerprint(body, HTML)
    assert time.thread_time() - began < 4
