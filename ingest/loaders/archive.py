"""Is it safe to unpack? A ZIP archive judged by its table of contents and the first bytes of its XML.

Knows the container of Office files, not what is in it. Unpacks nothing to disk and nothing whole; a size that the
table understates does not help, since no more than it states is ever unpacked.
"""

import io
import stat
import zipfile
import zlib

from ingest.loaders.encoding import MAX_BYTES
from ingest.loaders.outcome import Outcome, Unloadable

MAX_UNPACKED = 200 * 1024 * 1024
MAX_ENTRIES = 10_000
MAX_RATIO = 100
_SMALL = 1024 * 1024  # below this a single entry may be packed as tightly as it likes
_PROLOGUE = 64 * 1024  # a document type stands within so many bytes of the start
_OLE = b"\xd0\xcf\x11\xe0"
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def check_archive(data: bytes, path: str) -> None:
    """Refuse what would not unpack safely.

    Raises:
        Unloadable: too large or too tightly packed, encrypted, damaged, or with entries that no document has.
    """

    def refuse(reason: str, outcome: Outcome) -> Unloadable:
        return Unloadable(reason, outcome=outcome, path=path)

    if len(data) > MAX_BYTES:
        raise refuse(f"it has {len(data):,} bytes; at most {MAX_BYTES:,} are read", Outcome.LIMIT)
    if data.startswith(_OLE):
        if _ENCRYPTED in data:
            raise refuse("it needs a password", Outcome.ENCRYPTED)
        raise refuse("it is an old Word file; save it as .docx", Outcome.UNSUPPORTED)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if reason := _too_large(entries):
                raise refuse(reason, Outcome.LIMIT)
            for entry in entries:
                if entry.flag_bits & 1:
                    raise refuse("it needs a password", Outcome.ENCRYPTED)
                if reason := _unsafe(entry) or _declares_type(archive, entry):
                    raise refuse(reason, Outcome.UNREADABLE)
    except (zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, OSError, ValueError, zlib.error) as error:
        raise refuse(f"it is a damaged archive: {error}", Outcome.UNREADABLE) from error
    except NotImplementedError as error:
        raise refuse(f"it cannot be unpacked: {error}", Outcome.UNSUPPORTED) from error


def _too_large(entries: list[zipfile.ZipInfo]) -> str:
    if len(entries) > MAX_ENTRIES:
        return f"its archive has {len(entries):,} entries; at most {MAX_ENTRIES:,} are read"
    unpacked, packed = sum(e.file_size for e in entries), sum(e.compress_size for e in entries)
    if unpacked > MAX_UNPACKED:
        return f"unpacked it would have {unpacked:,} bytes; at most {MAX_UNPACKED:,} are read"
    tight = any(e.file_size > max(_SMALL, MAX_RATIO * e.compress_size) for e in entries)
    if tight or unpacked > max(_SMALL, MAX_RATIO * packed):
        return f"it is packed more than {MAX_RATIO}:1"
    return ""


def _unsafe(entry: zipfile.ZipInfo) -> str:
    name = entry.filename.replace("\\", "/")
    if name.startswith("/") or ".." in name.split("/") or ":" in name:
        return "its archive has an entry that points outside of it"
    return "its archive has a link in it" if stat.S_ISLNK(entry.external_attr >> 16) else ""


def _declares_type(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    """Word writes no document types; whoever does wants entities expanded."""
    if not entry.filename.lower().endswith((".xml", ".rels")):
        return ""
    with archive.open(entry) as part:
        start = part.read(_PROLOGUE).replace(b"\0", b"")
    return "its XML declares a document type" if b"<!DOCTYPE" in start or b"<!ENTITY" in start else ""
