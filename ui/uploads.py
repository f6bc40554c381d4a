"""Files that people drop on the page: checked here, on the server, and kept under names made here.

A kept file lies directly in `<home>/uploads/`; its name is made of the letters and digits of the given one and of the
hash of its bytes, so that no name reaches outside and the same file is kept once. What the browser says of a file
counts for nothing.
"""

import hashlib
import re
from pathlib import Path, PurePosixPath

from ingest.gather import MOST_BYTES
from ingest.loaders import detect
from ingest.loaders.outcome import Unloadable
from rag.errors import DocumentError
from rag.index.files import write_durable

FOLDER = "uploads"
_SLUG_CHARS = 40
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")


def keep_upload(home: Path, name: str, data: bytes) -> Path:
    """Check a file and keep it. Returns where it lies.

    Raises:
        DocumentError: too large, of a type that is not read, empty, or not what its name says.
        StorageError: it cannot be written.
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
    path = home / FOLDER / upload_name(name, data)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_durable(path, data)
    return path


def upload_name(name: str, data: bytes) -> str:
    """The name that a file is kept under.

    >>> upload_name("../../Deep Learning (2).PDF", b"x")
    'deep-learning-2-2d711642b726.pdf'
    """
    last = PurePosixPath(name.replace("\\", "/"))
    slug = _NOT_PLAIN.sub("-", last.stem.lower()).strip("-")[:_SLUG_CHARS].strip("-") or "file"
    suffix = _NOT_PLAIN.sub("", last.suffix.lower())
    return f"{slug}-{hashlib.sha256(data).hexdigest()[:12]}.{suffix}"


def drop_upload(home: Path, path: str) -> None:
    """Remove a file that was kept here; any other path is left alone."""
    one = Path(path)
    if one.parent == (home / FOLDER).resolve() or one.parent == home / FOLDER:
        one.unlink(missing_ok=True)
