"""The child process that alone touches a PDF's bytes: `python -m ingest.loaders.pdf_reader pypdf|pdfium …`.

Reads standard input, writes one JSON object a line: the head, each page as lines of text, then how it ended.
Before any reader is imported it gives up memory, processor time, large files, new processes and, in Python, the
network and writing. It follows no link, runs no action, opens no attachment. It knows no paragraph and no heading.
"""

import contextlib
import ctypes
import importlib
import io
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ingest.loaders.child import forbid_effects, limit_process, limit_time
from ingest.loaders.outcome import Outcome
from ingest.loaders.pdf_lines import Span, order_lines, place_run

_HYPHEN_OF_PDFIUM = {0x02: "-", 0xFFFE: "-"}
_SYMBOL_FONT = re.compile(r"dingbat|wingding|webding", re.IGNORECASE)
_BOLD_FONT = re.compile(r"bold|black|heavy|semibd|demi", re.IGNORECASE)
_JUNK = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ue000\ue001\ufeff\ufffe\uffff]")
_Page = tuple[int, list[Span]]


class TooMuch(Exception):
    """A limit of Waymark's own: pages or characters."""


def main(arguments: list[str]) -> None:
    """`reader seconds most-pages most-characters`; the answer is on standard output, errors are part of it."""
    reader, seconds, most_pages, most_characters = arguments[0], *map(int, arguments[1:4])
    limit_process()
    limit_time(seconds)
    read = {"pypdf": read_with_pypdf, "pdfium": read_with_pdfium}[reader]
    importlib.import_module({"pypdf": "pypdf", "pdfium": "pypdfium2"}[reader])
    forbid_effects()
    failed, characters, read_pages = (Outcome.UNREADABLE, "it has no pages"), 0, 0
    try:
        for record in read(sys.stdin.buffer.read(), most_pages):
            if isinstance(record, dict):
                if record["kind"] == "failed":
                    failed = record["outcome"], record["why"]
                _write(record)
                continue
            number, spans = record
            lines = order_lines([_scrubbed(span) for span in spans])
            characters += sum(len(line.text) for line in lines)
            if characters > most_characters:
                raise TooMuch(f"more than {most_characters:,} characters")
            read_pages += 1
            _write({"kind": "page", "number": number, "lines": [line.as_row() for line in lines]})
    except Exception as error:  # noqa: BLE001 (whatever a hostile file provokes is an outcome, named by its class)
        outcome, reason = _name(error)
    else:
        outcome, reason = Outcome.OK, ""
        if not characters:
            outcome, reason = Outcome.EMPTY, "no text found: scanned, or drawings only"
            if not read_pages:
                outcome, reason = failed
    _write({"kind": "end", "outcome": outcome, "reason": reason})


def read_with_pypdf(data: bytes, most_pages: int) -> Iterator[_Page | dict[str, Any]]:
    """Pages by pypdf. A page that cannot be read is said and passed over."""
    import pypdf  # noqa: PLC0415 (imported under limits, and not at all when the other reader is wanted)

    reader = pypdf.PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):
        raise pypdf.errors.FileNotDecryptedError("a password is needed")
    title = ""
    with contextlib.suppress(Exception):  # a damaged title costs no document
        title = str(reader.metadata.title or "") if reader.metadata else ""
    count = reader.get_num_pages()
    yield {"kind": "head", "pages": _allow(count, most_pages), "title": _clean(title)[:300]}
    for number in range(1, count + 1):
        spans: list[Span] = []
        try:
            page = reader.pages[number - 1]
            page.extract_text(visitor_text=lambda *seen, into=spans: _visit(into, *seen))
        except Exception as error:  # noqa: BLE001 (one page; counted and reported)
            yield _failed(number, error)
            if not spans:
                continue
        yield number, spans


def _visit(into: list[Span], text: str, cm: list[float], tm: list[float], font: Any, size: float) -> None:
    """One run of text: `tm` places it in the space that `cm` places on the page."""
    a, b = tm[0] * cm[0] + tm[1] * cm[2], tm[0] * cm[1] + tm[1] * cm[3]
    c, d = tm[2] * cm[0] + tm[3] * cm[2], tm[2] * cm[1] + tm[3] * cm[3]
    x = tm[4] * cm[0] + tm[5] * cm[2] + cm[4]
    y = tm[4] * cm[1] + tm[5] * cm[3] + cm[5]
    place = place_run((a, b, c, d), (x, y), size)
    name = str(font.get("/BaseFont", "")) if hasattr(font, "get") else ""
    if _SYMBOL_FONT.search(name) and len(text.strip()) == 1:
        text = text.replace(text.strip(), "•")
    end = place.x + 0.48 * place.size * len(text)  # pypdf does not tell; half an em a letter is near enough
    bold = bool(_BOLD_FONT.search(name))
    into.append(Span(x=place.x, y=place.y, end=end, size=place.size, bold=bold, text=text))


def read_with_pdfium(data: bytes, most_pages: int) -> Iterator[_Page | dict[str, Any]]:
    """Pages by PDFium: faster, reads more damaged files, and aborts the process where pypdf raises."""
    import pypdfium2  # type: ignore[import-untyped]  # noqa: PLC0415 (as above)

    document = pypdfium2.PdfDocument(data)
    title = document.get_metadata_value("Title")
    yield {"kind": "head", "pages": _allow(len(document), most_pages), "title": _clean(title)[:300]}
    for number in range(1, len(document) + 1):
        try:
            page = document[number - 1]
            text = page.get_textpage()
            spans = list(_spans_of_pdfium(text.raw, text.count_chars()))
        except Exception as error:  # noqa: BLE001 (one page; counted and reported)
            yield _failed(number, error)
            continue
        yield number, spans
        text.close()
        page.close()


def _spans_of_pdfium(text: Any, count: int) -> Iterator[Span]:  # Any: a handle of the C library
    """Runs of characters of one size on one base line without a gap."""
    import pypdfium2.raw as c  # type: ignore[import-untyped]  # noqa: PLC0415 (as above)

    x, y, box, matrix = ctypes.c_double(), ctypes.c_double(), c.FS_RECTF(), c.FS_MATRIX()
    run: Span | None = None
    for i in range(count):
        code = c.FPDFText_GetUnicode(text, i)
        letter = _HYPHEN_OF_PDFIUM.get(code) or chr(code)
        if letter in "\r\n":
            if run and letter == "\n":
                yield run.with_text(run.text + "\n")
                run = None
            continue
        if letter.isspace():
            run = run and run.with_text(run.text + letter)
            continue
        c.FPDFText_GetCharOrigin(text, i, x, y)
        c.FPDFText_GetLooseCharBox(text, i, box)
        c.FPDFText_GetMatrix(text, i, matrix)
        size = c.FPDFText_GetFontSize(text, i)
        new = place_run((matrix.a, matrix.b, matrix.c, matrix.d), (x.value, y.value), size)
        a, b = new.direction
        edge = max(box.left * a, box.right * a) + max(box.bottom * b, box.top * b)
        if run and abs(run.y - new.y) < 0.1 and run.size == new.size and new.x - run.end < max(new.size, 1.0):
            run = replace(run, text=run.text + letter, end=edge)
            continue
        if run:
            yield run
        weight = c.FPDFText_GetFontWeight(text, i)
        run = Span(x=new.x, y=new.y, end=edge, size=new.size, bold=weight >= 580, text=letter)
    if run:
        yield run


def _allow(pages: int, most: int) -> int:
    if pages > most:
        raise TooMuch(f"{pages:,} pages; at most {most:,} are read")
    return pages


def _scrubbed(span: Span) -> Span:
    return span.with_text(_clean(span.text))


def _clean(text: str) -> str:
    """Without control characters; halves of surrogate pairs joined or replaced."""
    paired = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _JUNK.sub("", paired.replace("\t", " ").replace("\r", "\n"))


_BY_NAME: dict[str, tuple[Outcome, str]] = {
    "TooMuch": (Outcome.LIMIT, ""),
    "LimitReachedError": (Outcome.LIMIT, "it unpacks to far more than its size"),
    "MemoryError": (Outcome.LIMIT, "it needs more memory than a reader is given"),
    "RecursionError": (Outcome.LIMIT, "it is nested too deeply"),
    "FileNotDecryptedError": (Outcome.ENCRYPTED, "a password is needed"),
    "WrongPasswordError": (Outcome.ENCRYPTED, "a password is needed"),
    "DependencyError": (Outcome.UNSUPPORTED, "its encryption is not supported"),
    "NotImplementedError": (Outcome.UNSUPPORTED, "it uses a feature that is not supported"),
}


def _failed(number: int, error: Exception) -> dict[str, Any]:
    outcome, why = _name(error)
    return {"kind": "failed", "number": number, "outcome": outcome, "why": why}


def _name(error: Exception) -> tuple[Outcome, str]:
    name, said = type(error).__name__, _clean(str(error))[:200]
    if name == "PdfiumError" and getattr(error, "err_code", None) == 4:  # FPDF_ERR_PASSWORD
        return _BY_NAME["WrongPasswordError"]
    outcome, reason = _BY_NAME.get(name, (Outcome.UNREADABLE, ""))
    return outcome, reason or (said if name == "TooMuch" else f"{name}: {said}")


def _write(record: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
