"""The manifest: what a generation holds, what made it, and how to tell that it is whole.

`manifest.json` is written last, so its presence means completeness. It carries a checksum of itself and must
be, byte for byte, what `encode` would write, so that no flipped bit passes; the generation's id repeats its
digest, so that another generation's manifest does not pass either. Reads, never writes; knows no clock, no FAISS.

    checksum        of the whole record: is this file intact?
    index_id        of everything but `created_at`: is this the same index?
    content_digest  of the sources, embedder and chunker: would a rebuild make anything new?
"""

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from rag.errors import IndexCorrupt, IndexMismatch
from rag.index.files import sha256
from rag.schema import Document, EmbedderSpec

SCHEMA_VERSION = 3
MANIFEST_NAME = "manifest.json"

_ID = re.compile(r"([0-9]{8}T[0-9]{6}\.[0-9]{6}Z)-[0-9a-f]{16}")
_MOMENT = "%Y-%m-%dT%H:%M:%S.%fZ"
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkerSpec:
    """What cut documents into chunks. Any change means a full rebuild."""

    name: str
    version: int
    target_tokens: int
    max_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    documents: int
    chunks: int
    sentences: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceEntry:
    """One indexed source. Identity is the path, freshness the content's hash.

    `also_at`: other paths and URLs of the same bytes, indexed only once; sorted. `n_pages`: 0 where it has none.
    """

    source_id: str
    path: str
    title: str
    media_type: str
    content_sha256: str
    size_bytes: int
    n_chunks: int
    n_pages: int = 0
    also_at: tuple[str, ...] = ()

    @classmethod
    def of(cls, document: Document, *, n_chunks: int, also_at: tuple[str, ...] = ()) -> Self:
        source = document.source
        return cls(
            source_id=source.source_id,
            path=source.path,
            title=document.title,
            media_type=source.media_type,
            content_sha256=source.content_sha256,
            size_bytes=source.size_bytes,
            n_chunks=n_chunks,
            n_pages=len(document.pages),
            also_at=also_at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SkippedSource:
    """A source that is wanted and not indexed. The hash is empty where its bytes were not read."""

    path: str
    reason: str
    content_sha256: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileEntry:
    """One file of the generation. `name` is a POSIX path below its folder, such as "lexical/data.npy"."""

    name: str
    sha256: str
    size_bytes: int

    @classmethod
    def of(cls, name: str, data: bytes) -> "FileEntry":
        return cls(name=name, sha256=hashlib.sha256(data).hexdigest(), size_bytes=len(data))

    @staticmethod
    def checked(name: str) -> str:
        """The name, if a file of a generation may have it; else a `ValueError`."""
        path = PurePosixPath(name)
        plain = str(path) == name and not path.is_absolute() and ".." not in path.parts
        if not plain or name in ("", ".", MANIFEST_NAME) or re.search(r"[\\:\0]", name):
            raise ValueError(f"not a name for a file of a generation: {name!r}")
        return name

    def __post_init__(self) -> None:
        self.checked(self.name)
        if not _SHA256.fullmatch(self.sha256) or self.size_bytes < 0:
            raise ValueError(f"not the digest and size of a file: {self.sha256!r}, {self.size_bytes}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What a builder knows of a generation before its files are written."""

    built_by: str  # Waymark's version
    embedder: EmbedderSpec
    chunker: ChunkerSpec
    counts: Counts
    sources: tuple[SourceEntry, ...]
    skipped: tuple[SkippedSource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest(Draft):
    """A draft with its files, its date and its digests. Made by `seal` or `decode`, never by hand."""

    schema_version: int
    index_id: str  # 16 hex digits
    created_at: str  # UTC, ISO 8601, microseconds
    content_digest: str  # 64 hex digits
    files: tuple[FileEntry, ...]  # sorted by name

    @property
    def generation_id(self) -> str:
        """The name of the generation's folder. Ids sort by age."""
        return f"{self.created_at.replace('-', '').replace(':', '')}-{self.index_id}"


_MANIFEST: TypeAdapter[Manifest] = TypeAdapter(Manifest)


def seal(draft: Draft, *, files: Iterable[FileEntry], created_at: datetime) -> Manifest:
    """Complete a draft: its files, its date (aware, any zone) and the digests over all of it."""
    manifest = Manifest(
        built_by=draft.built_by,
        embedder=draft.embedder,
        chunker=draft.chunker,
        counts=draft.counts,
        sources=draft.sources,
        skipped=draft.skipped,
        schema_version=SCHEMA_VERSION,
        index_id="",
        created_at=written(created_at),
        content_digest=content_digest(draft.sources, embedder=draft.embedder, chunker=draft.chunker),
        files=tuple(sorted(files, key=lambda file: file.name)),
    )
    return replace(manifest, index_id=_index_id(manifest))


def content_digest(sources: Iterable[SourceEntry], *, embedder: EmbedderSpec, chunker: ChunkerSpec) -> str:
    """One digest for all that decides an index's content, whatever the order of the sources.

    The number of chunks follows from the rest and is left out, so that the digest of a corpus can be known, and
    a rebuild spared, before anything is chunked.
    """
    ordered = [asdict(replace(one, n_chunks=0)) for one in sorted(sources, key=lambda one: one.source_id)]
    return _digest({"sources": ordered, "embedder": asdict(embedder), "chunker": asdict(chunker)})


def encode(manifest: Manifest) -> bytes:
    """The bytes of `manifest.json`."""
    record = asdict(manifest)
    return _render(record | {"checksum": _digest(record)})


def decode(data: bytes) -> Manifest:
    """Read `manifest.json`.

    Raises:
        IndexCorrupt: these are not the bytes that were written.
        IndexMismatch: they are, by a Waymark with another format.
    """
    try:
        record = json.loads(data)
        intact = isinstance(record, dict) and record.pop("checksum", None) == _digest(record)
    except (ValueError, RecursionError) as error:
        raise IndexCorrupt(f"{MANIFEST_NAME} is not JSON: {error}") from error
    if not intact:
        raise IndexCorrupt(f"{MANIFEST_NAME} does not match its own checksum")
    if record.get("schema_version") != SCHEMA_VERSION:
        found = record.get("schema_version")
        raise IndexMismatch(f"The index has format {found}, this Waymark reads format {SCHEMA_VERSION}.")
    try:
        manifest = _MANIFEST.validate_json(data, strict=True)
    except ValidationError as error:
        raise IndexCorrupt(f"{MANIFEST_NAME} is not a manifest: {error}") from error
    if encode(manifest) != data or _index_id(manifest) != manifest.index_id:
        raise IndexCorrupt(f"{MANIFEST_NAME} is not as it was written")
    return manifest


def inspect(folder: Path) -> tuple[Manifest, tuple[str, ...]]:
    """The manifest of the generation in `folder`, and how its files differ from what it says of them.

    Raises what `decode` raises.
    """
    try:
        manifest = decode((folder / MANIFEST_NAME).read_bytes())
    except OSError as error:
        raise IndexCorrupt(f"{MANIFEST_NAME} cannot be read ({error.strerror})") from error
    if manifest.generation_id != folder.name:
        raise IndexCorrupt(f"{MANIFEST_NAME} belongs to generation {manifest.generation_id}")
    found = (_problem(folder / entry.name, entry) for entry in manifest.files)
    return manifest, tuple(problem for problem in found if problem)


def verified(folder: Path) -> Manifest:
    """The manifest of a generation that is whole. Raises `IndexCorrupt` with all problems if it is not."""
    manifest, problems = inspect(folder)
    if problems:
        raise IndexCorrupt("; ".join(problems))
    return manifest


def _problem(path: Path, entry: FileEntry) -> str:
    try:
        if not path.is_file():  # A pipe would be waited for, without end.
            return f"{entry.name} is missing"
        if (size := path.stat().st_size) != entry.size_bytes:
            return f"{entry.name} has {size} bytes instead of {entry.size_bytes}"
        return "" if sha256(path) == entry.sha256 else f"{entry.name} does not match its SHA-256"
    except OSError as error:
        return f"{entry.name} cannot be read ({error.strerror})"


def written(moment: datetime) -> str:
    """A moment as manifests write it: `2026-01-31T23:59:59.000001Z`."""
    return moment.astimezone(UTC).strftime(_MOMENT)


def moment_of(name: str) -> datetime | None:
    """When the generation of this id was made; None if the name is no generation's id."""
    match = _ID.fullmatch(name)
    if match is None:
        return None
    try:
        return datetime.strptime(match[1], _MOMENT.replace("-", "").replace(":", "")).replace(tzinfo=UTC)
    except ValueError:
        return None


def _index_id(manifest: Manifest) -> str:
    record = asdict(manifest)
    del record["index_id"], record["created_at"]
    return _digest(record)[:16]


def _digest(record: dict[str, Any]) -> str:
    return hashlib.sha256(_render(record)).hexdigest()


def _render(record: dict[str, Any]) -> bytes:  # Any: whatever JSON holds
    """The one way to write a record. Half a surrogate pair is a `UnicodeEncodeError`, a `ValueError`."""
    return (json.dumps(record, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
