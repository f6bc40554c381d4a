"""One format a file; all end in the same `Document`. This module only knows which loader reads which media type."""

from collections.abc import Callable

from ingest.loaders.roadmap import load_roadmap
from rag.errors import DocumentError
from rag.schema import Document

ROADMAP = "text/x-roadmap"

_LOADERS: dict[str, Callable[..., Document]] = {ROADMAP: load_roadmap}


def load_document(data: bytes, *, path: str, media_type: str) -> Document:
    """Read the bytes of a source.

    Raises:
        DocumentError: no loader for the type, or the bytes are not what they should be.
    """
    loader = _LOADERS.get(media_type)
    if loader is None:
        raise DocumentError(f"{path}: no loader for {media_type}")
    return loader(data, path=path)
