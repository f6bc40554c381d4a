"""PDFs that are damaged, locked, empty or hostile: none gets through the loader untyped, or does anything.

They are made here, save for those beside the checkout (`shared`).
"""

import io
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pypdf
import pytest

from ingest.loaders import pdf
from ingest.loaders.child import CLOCK_FACTOR, bare_environment
from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.pdf import load_pdf
from rag.errors import DocumentError
from tests.ingest.loaders.made_pdf import (
    JOINED,
    PROSE,
    deflated,
    first_extra,
    from_contents,
    from_objects,
    make_pdf,
    page_object,
    paragraph,
    stream_object,
)

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]


def _outcome(data: bytes) -> tuple[Outcome, str]:
    with pytest.raises(Unloadable) as caught:
        load_pdf(data, path="a.pdf")
    assert isinstance(caught.value, DocumentError)
    assert "a.pdf" in str(caught.value)
    return caught.value.outcome, caught.value.reason


def test_files_that_are_no_pdf_are_refused_without_a_reader() -> None:
    assert _outcome(b"") == (Outcome.EMPTY, "the file is empty (0 bytes)")
    assert _outcome(b"%PDF-1.7\n")[0] is Outcome.UNREADABLE
    assert _outcome(b"<!doctype html><p>%PDF" + b" " * 2000) == (
        Outcome.UNSUPPORTED,
        "not a PDF but HTML or XML",
    )
    assert _outcome(b"PK\x03\x04" + b"\0" * 99)[0] is Outcome.UNSUPPORTED
    assert _outcome(b"nothing of the kind" * 9) == (Outcome.UNSUPPORTED, "not a PDF")
    assert _outcome(b"%PDF-1.7\n" + b"\0" * pdf.MOST_BYTES)[0] is Outcome.LIMIT


def _encrypted(user_password: str) -> bytes:
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(make_pdf(paragraph(*PROSE, y=700))))
    writer.encrypt(user_password, "owner", algorithm="RC4-128")
    written = io.BytesIO()
    writer.write(written)
    return written.getvalue()


def test_a_password_is_asked_for_only_where_one_is_set() -> None:
    assert _outcome(_encrypted("secret")) == (Outcome.ENCRYPTED, "a password is needed")
    assert load_pdf(_encrypted(""), path="a.pdf").text == JOINED


def test_a_scan_has_no_text_and_says_so() -> None:
    image = b"/Type /XObject /Subtype /Image /Width 2 /Height 2 /BitsPerComponent 8 /ColorSpace /DeviceGray"
    at = first_extra(1)
    data = from_contents(
        [b"q 600 0 0 700 0 0 cm /I Do Q"], extra=[stream_object(b"\0\xff\xff\0", entries=image)]
    )
    data = data.replace(b"/Resources <<", b"/Resources << /XObject << /I %d 0 R >> " % at)
    outcome, reason = _outcome(data)
    assert outcome is Outcome.EMPTY
    assert "no text" in reason


def test_scripts_launches_and_attachments_are_left_alone(tmp_path: Path) -> None:
    at, mark = first_extra(1), tmp_path / "launched"
    actions = [
        b"<< /S /JavaScript /JS (app.launchURL\\('http://192.0.2.1/'\\);) /Next %d 0 R >>" % (at + 1),
        b"<< /S /Launch /F (/usr/bin/touch) /P (%s) >>" % str(mark).encode(),
        b"<< /Type /Filespec /F (payload.txt) /EF << /F %d 0 R >> >>" % (at + 3),
        stream_object(b"attached words", entries=b"/Type /EmbeddedFile"),
    ]
    names = b"/Names << /EmbeddedFiles << /Names [(payload.txt) %d 0 R] >> >> /OpenAction %d 0 R" % (
        at + 2,
        at,
    )
    page = b"BT /F1 10 Tf 72 700 Td (Only what the page shows.) Tj ET"
    document = load_pdf(from_contents([page], catalog=names, extra=actions), path="a.pdf")
    assert document.text == "Only what the page shows."
    assert not mark.exists()


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.fork()",
        "import os; os.system('true')",
        "open('written', 'w')",
        "import pathlib; pathlib.Path('written').write_text('a')",
    ],
)
def test_the_child_can_neither_call_nor_start_nor_write(attempt: str, tmp_path: Path) -> None:
    code = (
        "import subprocess, socket, pathlib, os\n"
        "from ingest.loaders import child; child.limit_process(); child.limit_time(20); child.forbid_effects()\n"
        f"try:\n    {attempt}\nexcept PermissionError as error:\n    print('refused')"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", code],
        cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert done.stdout == "refused\n"
    assert not (tmp_path / "written").exists()


def test_the_child_sees_no_key_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a-key")
    assert "a-key" not in bare_environment().values()


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (-6, Outcome.LIMIT),  # SIGABRT
        (-9, Outcome.LIMIT),  # SIGKILL
        (-11, Outcome.UNREADABLE),  # SIGSEGV
        (-99, Outcome.UNREADABLE),  # no signal of this system
        (1, Outcome.UNREADABLE),
    ],
)
def test_a_crash_of_the_child_is_an_outcome(code: int, outcome: Outcome) -> None:
    reading = pdf._gather("pypdf", [{"kind": "page", "number": 1, "lines": []}, {"kind": "?"}], code)
    assert (reading.outcome, reading.pages) == (outcome, ())


def _nested() -> bytes:
    pages = from_contents([b"BT ET"], extra=[b"[" * 100_000 + b"]" * 100_000])
    return pages.replace(b"/Type /Catalog", b"/Type /Catalog /Names %d 0 R" % first_extra(1))


def _page_loop() -> bytes:
    return from_objects(
        [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>"]
    )


def _prev_loop() -> bytes:
    data = make_pdf(paragraph(*PROSE, y=700))
    return data.replace(b"trailer\n<< ", b"trailer\n<< /Prev %d " % data.index(b"xref\n"))


def _huge_size() -> bytes:
    return make_pdf(paragraph(*PROSE, y=700)).replace(b"/Size ", b"/Size 99999999999")


def _many_pages() -> bytes:
    kids = b" ".join([b"3 0 R"] * 200_000)
    tree = b"<< /Type /Pages /Count 200000 /Kids [%s] >>" % kids
    return from_objects([b"<< /Type /Catalog /Pages 2 0 R >>", tree, page_object(4), stream_object(b"BT ET")])


def _many_letters() -> bytes:
    return from_contents([b"BT /F1 1 Tf 1 0 0 1 0 0 Tm (" + b"word " * 2000 + b") Tj ET"] * 600)


@pytest.mark.slow
@pytest.mark.parametrize("make", [_nested, _page_loop, _prev_loop, _huge_size, _many_pages, _many_letters])
def test_odd_structures_end_typed(make: Callable[[], bytes]) -> None:
    outcome, text, seconds = _read_bytes(make())
    assert seconds < 60
    if make in (_many_pages, _many_letters):
        assert outcome is Outcome.LIMIT
    elif outcome is Outcome.OK:
        assert text == JOINED


_SHOW = b"BT /F1 1 Tf 9 9 Td (a) Tj ET\n"
_BLANKS_PACKED_64_TO_1 = b"\x81 "  # RunLengthDecode: 128 times a blank
_BOMBS = {
    "10 MB of operators": (_SHOW, 10_000_000 // len(_SHOW), 1),
    "10 MB of blanks": (b" " * 10_000, 1_000, 1),
    "200 MB of blanks": (b" " * 100_000, 2_000, 1),
    "1.5 GB, packed three times": (b"\0" * 1_000_000, 1_500, 3),
    "2 GB of blanks": (b" " * 1_000_000, 2_000, 1),
    "10 MB of run lengths": (_BLANKS_PACKED_64_TO_1, 80_000, 0),
    "1.3 GB of run lengths, packed": (_BLANKS_PACKED_64_TO_1 * 10_000, 1_000, 1),
}


@pytest.mark.slow
@pytest.mark.parametrize("bomb", list(_BOMBS))
def test_bombs_end_typed_within_a_minute_and_cost_the_parent_little(bomb: str, tmp_path: Path) -> None:
    piece, times, rounds = _BOMBS[bomb]
    filters = ["/FlateDecode"] * rounds + ["/RunLengthDecode"] * piece.startswith(_BLANKS_PACKED_64_TO_1)
    packed = deflated(piece, times, rounds=rounds) if rounds else piece * times
    data = from_contents([packed], filters=" ".join(filters))
    (tmp_path / "bomb.pdf").write_bytes(data)
    code = """if True:
        import json, resource, time
        from pathlib import Path
        from ingest.loaders import pdf
        data, most = Path("bomb.pdf").read_bytes(), lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        before, started, outcome = most(), time.monotonic(), "ok"
        try:
            pdf.load_pdf(data, path="bomb.pdf")
        except pdf.Unloadable as refused:
            outcome = refused.outcome
        print(json.dumps([outcome, time.monotonic() - started, (most() - before) / 1024]))
    """
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        timeout=120,
        check=True,
    )
    outcome, seconds, grown_mib = json.loads(done.stdout)
    assert outcome in set(Outcome)
    assert seconds < 60
    assert grown_mib <= 50


def test_a_reader_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    data = from_contents([deflated(_SHOW, 400_000)], filters="/FlateDecode")
    (tmp_path / "slow.pdf").write_bytes(data)
    started = time.monotonic()
    with (tmp_path / "slow.pdf").open("rb") as source:
        reading = pdf._run_reader("pypdf", source, 1)
    assert (reading.outcome, reading.reason) == (Outcome.LIMIT, "not read within 57 s")
    assert time.monotonic() - started < 5 * CLOCK_FACTOR


def test_a_reader_that_a_busy_machine_holds_up_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The child sleeps for longer than it may compute, as one does that gets no processor."""
    reader = "import time; time.sleep(2.5); from ingest.loaders.pdf_reader import main; import sys; main(sys.argv[1:])"
    monkeypatch.setattr(
        pdf, "child_command", lambda module, *rest: [sys.executable, "-B", "-c", reader, *rest]
    )
    with tempfile.TemporaryFile() as source:
        source.write(make_pdf(paragraph(*PROSE, y=700)))
        assert pdf._run_reader("pdfium", source, 2).outcome is Outcome.OK


@pytest.mark.shared
@pytest.mark.slow
def test_the_hostile_files_all_end_typed(shared: Path) -> None:
    measured = {
        shared / "badinput" / folder / entry["file"]: entry["measured"]
        for folder in ("pdfjs-robustness", "py-pdf-samples")
        for entry in json.loads((shared / "badinput" / folder / "index.json").read_text(encoding="utf-8"))
        if entry["file"].endswith(".pdf")
    }
    with ThreadPoolExecutor(2) as pool:
        read = dict(zip(measured, pool.map(_read_one, measured), strict=True))
    assert len(read) == 128
    assert max(seconds for _, _, seconds in read.values()) < 60
    assert Counter(outcome for outcome, _, _ in read.values())[Outcome.OK] >= 75
    by_all = [path for path, readers in measured.items() if all(reader["ok"] for reader in readers.values())]
    opened = [path for path in by_all if read[path][0] in (Outcome.OK, Outcome.EMPTY)]
    assert (len(by_all), len(opened) >= 85) == (87, True)
    wordy = [path for path in by_all if all(reader["chars"] >= 20 for reader in measured[path].values())]
    with_text = [path for path in wordy if read[path][1] >= 20]
    assert (len(wordy), len(with_text) >= 48) == (49, True)


def _read_one(path: Path) -> tuple[Outcome, int, float]:
    outcome, text, seconds = _read_bytes(path.read_bytes())
    return outcome, len(text), seconds


def _read_bytes(data: bytes) -> tuple[Outcome, str, float]:
    """Anything but a document or a typed refusal passes through and fails the test."""
    started, outcome, text = time.monotonic(), Outcome.OK, ""
    try:
        text = load_pdf(data, path="a.pdf").text
    except Unloadable as refused:
        outcome = refused.outcome
    return outcome, text, time.monotonic() - started
