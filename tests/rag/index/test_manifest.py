"""The manifest: what it promises about digests, and that no altered byte passes."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import IndexCorrupt, IndexMismatch
from rag.index.manifest import (
    SCHEMA_VERSION,
    ChunkerSpec,
    Counts,
    Draft,
    FileEntry,
    Manifest,
    SkippedSource,
    SourceEntry,
    _digest,
    _render,
    content_digest,
    decode,
    encode,
    moment_of,
    seal,
    verified,
    written,
)
from rag.schema import EmbedderSpec

EMBEDDER = EmbedderSpec(model="stub", revision="1", dim=4, max_tokens=16)
CHUNKER = ChunkerSpec(name="plain", version=1, target_tokens=8, max_tokens=16)
SOURCES = tuple(
    SourceEntry(
        source_id=name * 16,
        path=f"{name}/Überblick 道.md",
        title="“Title”",
        media_type="text/markdown",
        content_sha256=name * 64,
        size_bytes=7,
        n_chunks=2,
    )
    for name in "ab"
)
DRAFT = Draft(
    built_by="0.1.0",
    embedder=EMBEDDER,
    chunker=CHUNKER,
    counts=Counts(documents=2, chunks=4, sentences=9),
    sources=SOURCES,
    skipped=(SkippedSource(path="c.pdf", reason="encrypted"),),
)
MOMENT = datetime(2026, 1, 31, 23, 59, 59, 7, tzinfo=UTC)
FILES = (FileEntry.of("rows.sqlite", b"rows"), FileEntry.of("lexical/data.npy", b"data"))
MANIFEST = seal(DRAFT, files=FILES, created_at=MOMENT)


def _forged(**changes: object) -> bytes:
    """A manifest with other values and a checksum that fits them."""
    record = json.loads(encode(MANIFEST)) | changes
    del record["checksum"]
    return _render(record | {"checksum": _digest(record)})


def test_what_is_read_equals_what_was_written() -> None:
    assert decode(encode(MANIFEST)) == MANIFEST


def test_files_are_sorted_by_name() -> None:
    assert [file.name for file in MANIFEST.files] == ["lexical/data.npy", "rows.sqlite"]


def test_every_flipped_bit_is_detected() -> None:
    data = bytearray(encode(MANIFEST))
    for bit in range(len(data) * 8):
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(IndexCorrupt):
            decode(bytes(data))
        data[bit // 8] ^= 1 << bit % 8


def test_every_truncation_is_detected() -> None:
    data = encode(MANIFEST)
    for length in range(len(data)):
        with pytest.raises(IndexCorrupt):
            decode(data[:length])


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_corrupt(data: bytes) -> None:
    with pytest.raises(IndexCorrupt):
        decode(data)


@pytest.mark.parametrize("data", [b"[]", b"null", b"[" * 100_000, b'{"checksum": "\\ud800"}', b"9" * 5000])
def test_json_that_is_no_record_is_corrupt(data: bytes) -> None:
    with pytest.raises(IndexCorrupt):
        decode(data)


def test_a_newer_format_is_a_mismatch_that_names_both() -> None:
    with pytest.raises(IndexMismatch, match=f"format 99, this Waymark reads format {SCHEMA_VERSION}"):
        decode(_forged(schema_version=99, unheard_of={"by": "this version"}))


@pytest.mark.parametrize(
    "changes",
    [
        {"counts": {"documents": "2", "chunks": 4, "sentences": 9}},
        {"counts": {"documents": 2, "chunks": 4}},
        {"unknown": 1},
        {"sources": None},
        {"index_id": "0" * 16},
        {"files": [{"name": "../../etc/passwd", "sha256": "0" * 64, "size_bytes": 1}]},
    ],
)
def test_a_fitting_checksum_does_not_excuse_a_malformed_record(changes: dict[str, object]) -> None:
    with pytest.raises(IndexCorrupt):
        decode(_forged(**changes))


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        "/etc/passwd",
        "../x",
        "a/../b",
        "a//b",
        "./a",
        "a/",
        "a\\b",
        "C:x",
        "a\0b",
        "manifest.json",
    ],
)
def test_a_file_cannot_be_named_outside_its_generation(name: str) -> None:
    with pytest.raises(ValueError, match="not a name"):
        FileEntry.of(name, b"")


def test_equal_content_has_equal_digests_at_any_time() -> None:
    later = seal(DRAFT, files=reversed(FILES), created_at=MOMENT + timedelta(days=1))
    assert (later.index_id, later.content_digest) == (MANIFEST.index_id, MANIFEST.content_digest)
    assert later.generation_id != MANIFEST.generation_id


def test_content_digest_ignores_the_order_of_sources_and_the_number_of_chunks() -> None:
    unchunked = [replace(source, n_chunks=0) for source in reversed(SOURCES)]
    assert content_digest(unchunked, embedder=EMBEDDER, chunker=CHUNKER) == MANIFEST.content_digest


@pytest.mark.parametrize(
    "draft",
    [
        replace(DRAFT, embedder=replace(EMBEDDER, revision="2")),
        replace(DRAFT, embedder=replace(EMBEDDER, normalize=False)),
        replace(DRAFT, chunker=replace(CHUNKER, version=2)),
        replace(DRAFT, sources=SOURCES[:1]),
        replace(DRAFT, sources=(replace(SOURCES[0], content_sha256="c" * 64), SOURCES[1])),
    ],
)
def test_other_content_has_other_digests(draft: Draft) -> None:
    other = seal(draft, files=FILES, created_at=MOMENT)
    assert other.content_digest != MANIFEST.content_digest
    assert other.index_id != MANIFEST.index_id


def test_other_files_change_the_index_but_not_the_content() -> None:
    other = seal(DRAFT, files=FILES[:1], created_at=MOMENT)
    assert other.content_digest == MANIFEST.content_digest
    assert other.index_id != MANIFEST.index_id


def test_an_id_tells_its_moment_in_utc_and_ids_sort_by_age() -> None:
    abroad = MOMENT.astimezone(timezone(timedelta(hours=14)))
    assert seal(DRAFT, files=FILES, created_at=abroad) == MANIFEST
    assert written(MOMENT) == MANIFEST.created_at == "2026-01-31T23:59:59.000007Z"
    assert MANIFEST.generation_id == f"20260131T235959.000007Z-{MANIFEST.index_id}"
    assert moment_of(MANIFEST.generation_id) == MOMENT
    moments = [MOMENT + timedelta(microseconds=10**n) for n in range(15)]
    ids = [seal(DRAFT, files=FILES, created_at=moment).generation_id for moment in moments]
    assert ids == sorted(ids)


@pytest.mark.parametrize("name", ["", "CURRENT", "20261399T000000.000000Z-0123456789abcdef", "２" * 41])
def test_other_names_are_no_ids(name: str) -> None:
    assert moment_of(name) is None


def _folder(tmp_path: Path, manifest: Manifest) -> Path:
    folder = tmp_path / manifest.generation_id
    (folder / "lexical").mkdir(parents=True)
    (folder / "rows.sqlite").write_bytes(b"rows")
    (folder / "lexical" / "data.npy").write_bytes(b"data")
    (folder / "manifest.json").write_bytes(encode(manifest))
    return folder


def test_all_problems_of_a_generation_are_told_at_once(tmp_path: Path) -> None:
    folder = _folder(tmp_path, MANIFEST)
    assert verified(folder) == MANIFEST
    (folder / "rows.sqlite").write_bytes(b"sour")
    (folder / "lexical" / "data.npy").write_bytes(b"")
    with pytest.raises(IndexCorrupt) as caught:
        verified(folder)
    assert str(caught.value) == (
        "lexical/data.npy has 0 bytes instead of 4; rows.sqlite does not match its SHA-256"
    )


def test_a_manifest_under_another_generations_name_is_corrupt(tmp_path: Path) -> None:
    folder = _folder(tmp_path, MANIFEST)
    other = seal(DRAFT, files=FILES, created_at=MOMENT + timedelta(seconds=2))
    with pytest.raises(IndexCorrupt, match="belongs to generation"):
        verified(folder.rename(tmp_path / other.generation_id))
