"""Word files: structure kept, hidden and deleted text gone, unsafe archives refused before they are unpacked."""

import contextlib
import io
import stat
import time
import zipfile
from typing import Any

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from ingest.loaders.outcome import Outcome, Unloadable
from ingest.loaders.word import load_docx
from rag.schema import BlockKind

_TYPES = b'<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'


def _bytes(word: Any) -> bytes:
    held = io.BytesIO()
    word.save(held)
    return held.getvalue()


def _archive(*entries: tuple[str | zipfile.ZipInfo, bytes]) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data, zipfile.ZIP_DEFLATED)
    return held.getvalue()


def test_headings_lists_and_tables() -> None:
    word = docx.Document()
    word.add_heading("Guide", 0)
    word.add_heading("First", 1)
    word.add_paragraph("Two kinds:")
    item = word.add_paragraph(style="List Bullet")
    item.add_run("Alpha").bold = True
    item.add_run(": one")
    word.add_paragraph("inner", style="List Bullet 2")
    table = word.add_table(rows=2, cols=2)
    for cell, text in zip(table._cells, ("Name", "Size", "x", "1"), strict=True):
        cell.text = text
    document = load_docx(_bytes(word), path="a.docx")
    assert document.title == "Guide"
    assert [(h.level, h.title) for h in document.headings] == [(1, "Guide"), (1, "First")]
    items = [block for block in document.blocks if block.kind is BlockKind.ITEM]
    assert [(i.depth, i.label, i.lead) for i in items] == [(0, "Alpha", 0), (1, "", 1)]
    row = next(block for block in document.blocks if block.kind is BlockKind.ROW)
    assert (row.columns, row.span.cut(document.text)) == (("Name", "Size"), "x\t1")


def test_hidden_and_deleted_text_is_left_out_and_inserted_text_is_read() -> None:
    word = docx.Document()
    paragraph = word.add_paragraph("Seen")
    paragraph.add_run(" HIDDEN").font.hidden = True
    paragraph._p.append(
        parse_xml(f"<w:del {nsdecls('w')}><w:r><w:delText> DELETED</w:delText></w:r></w:del>")
    )
    paragraph._p.append(parse_xml(f"<w:ins {nsdecls('w')}><w:r><w:t>, inserted</w:t></w:r></w:ins>"))
    assert load_docx(_bytes(word), path="a.docx").text == "Seen, inserted"


def test_a_list_that_claims_any_depth_is_read_at_once() -> None:
    word = docx.Document()
    item = word.add_paragraph("An item.")
    item._p.get_or_add_pPr().append(
        parse_xml(f'<w:numPr {nsdecls("w")}><w:ilvl w:val="999999999"/><w:numId w:val="1"/></w:numPr>')
    )
    began = time.process_time()
    document = load_docx(_bytes(word), path="a.docx")
    assert time.process_time() - began < 2
    assert [(block.kind, document.text[block.span.start : block.span.end]) for block in document.blocks] == [
        (BlockKind.ITEM, "An item.")
    ]


def _link() -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo("word/link")
    entry.external_attr = (stat.S_IFLNK | 0o777) << 16
    return entry


_BOMB = b'<!DOCTYPE a [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><a>&b;</a>'


@pytest.mark.parametrize(
    ("entries", "outcome"),
    [
        ([("word/document.xml", bytes(20_000_000))], Outcome.LIMIT),
        ([(f"word/{n}", bytes(900_000)) for n in range(30)], Outcome.LIMIT),
        ([(f"word/{n}.xml", b"a") for n in range(10_001)], Outcome.LIMIT),
        ([("../evil.xml", b"a")], Outcome.UNREADABLE),
        ([("/etc/evil", b"a")], Outcome.UNREADABLE),
        ([("..\\evil", b"a")], Outcome.UNREADABLE),
        ([(_link(), b"/etc/passwd")], Outcome.UNREADABLE),
        ([("word/document.xml", _BOMB)], Outcome.UNREADABLE),
        ([("word/document.xml", b"\xff\xfe" + _BOMB.decode().encode("utf-16-le"))], Outcome.UNREADABLE),
        ([("[Content_Types].xml", _TYPES)], Outcome.UNREADABLE),
        ([("inner.zip", b"PK\x03\x04nested")], Outcome.UNREADABLE),
    ],
    ids=["1000:1", "many tight", "entries", "dots", "root", "backslash", "link", "bomb", "bomb16", "none", "nested"],
)  # fmt: skip
def test_an_unsafe_archive_is_refused_at_once(
    entries: list[tuple[str | zipfile.ZipInfo, bytes]], outcome: Outcome
) -> None:
    data = _archive(*entries)
    began = time.monotonic()
    with pytest.raises(Unloadable) as refused:
        load_docx(data, path="a.docx")
    assert refused.value.outcome is outcome
    assert time.monotonic() - began < 2


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (b"PK\x03\x04 no archive", Outcome.UNREADABLE),
        (b"\xd0\xcf\x11\xe0" + bytes(100), Outcome.UNSUPPORTED),
        (b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"), Outcome.ENCRYPTED),
        (_bytes(docx.Document()), Outcome.EMPTY),
    ],
    ids=["damaged", "old", "encrypted", "empty"],
)
def test_what_cannot_be_read_is_refused_with_its_kind(data: bytes, outcome: Outcome) -> None:
    with pytest.raises(Unloadable) as refused:
        load_docx(data, path="a.docx")
    assert refused.value.outcome is outcome


def test_a_cut_or_bent_file_gives_a_document_or_a_typed_refusal() -> None:
    word = docx.Document()
    word.add_paragraph("Words " * 50)
    data = _bytes(word)
    for n in range(0, len(data), len(data) // 40):
        for bent in (data[:n], data[:n] + bytes([data[n] ^ 0x55]) + data[n + 1 :]):
            with contextlib.suppress(Unloadable):
                load_docx(bent, path="a.docx")
