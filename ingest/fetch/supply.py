"""A file that a person gives for a page that cannot be fetched: paid, gone, or out of reach.

Its bytes are frozen as a snapshot of that URL with an outcome of their own, and who gave which file, so that it is
indexed and linked like a fetched page and never mistaken for one.
"""

import getpass
from datetime import UTC, datetime
from pathlib import Path

from ingest.fetch.classify import Outcome
from ingest.fetch.page import fingerprint
from ingest.fetch.snapshots import Snapshots, Visit
from ingest.gather import MOST_BYTES
from ingest.loaders.detect import media_type
from rag.errors import DocumentError


def supply(url: str, file: Path, *, snapshots: Snapshots, by: str) -> Visit:
    """Freeze a file as what stands at a URL (without fragment).

    Args:
        by: the name of the person.

    Raises:
        DocumentError: the file cannot be read, is too large, or is of a kind that is not indexed.
        IndexLocked: a run of fetching is under way.
    """
    try:
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise DocumentError(f"{file}: {size:,} bytes; at most {MOST_BYTES:,} are read")
        body = file.read_bytes()
    except OSError as error:
        raise DocumentError(f"{file} cannot be read: {error.strerror}", hint="Check the path.") from error
    return supply_bytes(url, file.name, body, snapshots=snapshots, by=by)


def supply_bytes(url: str, name: str, body: bytes, *, snapshots: Snapshots, by: str) -> Visit:
    """Freeze the bytes of a file that was called `name`; else as `supply`."""
    kind = media_type(name, body)
    visit = Visit(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        run="",
        outcome=Outcome.SUPPLIED,
        reason=_printable(f"{name}, given by {by}"),
        url=url,
        content_type=kind,
        fingerprint=fingerprint(body, kind),
    )
    with snapshots.writing():
        return snapshots.add(url, visit, body)


def this_person() -> str:
    """The name by which the system knows who runs this."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a system without a name for this user
        return "an unnamed user"


def _printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable())[:300]
