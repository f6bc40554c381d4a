"""Files that people drop on the page: checked here, on the server, and kept under names made here.

A kept file lies in `<home>/uploads/<hash of its bytes>/`, so that the same file is kept once. It keeps its name, which
people know it by, without all that could reach outside or mislead. What the browser says of a file counts for nothing.
"""

import contextlib
import hashlib
import re
import unicodedata
from pathlib import Path, PurePosixPath

from ingest.gather import MOST_BYTES
from ingest.loaders import detect
from ingest.loaders.outcome import Unloadable
from rag.errors import DocumentError
from rag.index.files import write_durable

FOLDER = "uploads"
# What the browser lets people pick.
TYPES = ("pdf", "html", "htm", "xhtml", "md", "markdown", "mdx", "rst", "ipynb", "docx", "txt", "text")
_NAME_BYTES = 120  # of a name without its suffix
_HASH_CHARS = 12
_RESERVED = re.compile(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\.|$)")  # devices of Windows
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


def check_upload(name: str, data: bytes) -> None:
    """Refuse what could not be indexed.

    Raises:
        DocumentError: too large, of a type that is not read, empty, or not what its name says.
    """
    if len(data) > MOST_BYTES:
        raise DocumentError(
            f"{len(data):,} bytes; at most {MOST_BYTES:,} are read", hint="Split the file and add its parts."
        )
    try:
        detect.media_type(name, data)
    except Unloadable as error:
        raise DocumentError(
            error.reason,
            hint="PDF, HTML, Markdown, reStructuredText, notebooks, Word and plain text are read.",
        ) from error


def keep_upload(home: Path, name: str, data: bytes) -> Path:
    """Check a file and keep it. Returns where it lies.

    Raises:
        DocumentError: see `check_upload`.
        StorageError: it cannot be written.
    """
    check_upload(name, data)
    folder = home / FOLDER / hashlib.sha256(data).hexdigest()[:_HASH_CHARS]
    before = (
        path for path in folder.glob("*") if path.suffix != ".tmp"
    )  # what a kill left behind ends in .tmp
    path = next(before, folder / upload_name(name))
    if not path.exists():
        write_durable(path, data)
    return path


def upload_name(name: str) -> str:
    """The name that a file is kept under: the last part of the given one, without what is no letter on any system.

    >>> upload_name("../../Deep Learning: an *intro* (2).PDF")
    'Deep Learning an intro (2).pdf'
    """
    last = PurePosixPath(name.replace("\\", "/"))
    stem = " ".join("".join(map(_allowed, unicodedata.normalize("NFC", last.stem))).split())
    stem = stem.encode()[:_NAME_BYTES].decode(errors="ignore").strip(" .-~")
    if not stem or _RESERVED.match(stem):
        stem = f"file {stem}".strip()
    return f"{stem}.{_NOT_PLAIN.sub('', last.suffix.lower())}"


def drop_upload(home: Path, path: str) -> None:
    """Remove a file that was kept here; any other path is left alone."""
    one = Path(path).resolve()
    folder = (home / FOLDER).resolve()
    if folder in one.parents:
        one.unlink(missing_ok=True)
        if one.parent != folder:
            with contextlib.suppress(OSError):  # not empty
                one.parent.rmdir()


def is_upload(home: Path, path: str) -> bool:
    """Whether a file was kept here."""
    return (home / FOLDER).resolve() in Path(path).resolve().parents


def _allowed(char: str) -> str:
    """A character, or a blank for one that means something to a file system or is not seen."""
    return " " if char in '<>:"/\\|?*' or unicodedata.category(char).startswith("C") else char
