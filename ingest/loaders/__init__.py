"""One format a file; all end in the same `Document`. This module only knows which loader reads which media type.

A loader and the library it stands on are imported when a source of its type is read, not before.
"""

from importlib import import_module
from typing import Protocol, cast

from ingest.loaders import detect
from ingest.loaders.outcome import Outcome, Unloadable
from rag.schema import Document

ROADMAP = "text/x-roadmap"


class Loader(Protocol):
    def __call__(self, data: bytes, *, path: str) -> Document:
        """Read a source; raises `Unloadable`."""
        ...


_LOADERS: dict[str, str] = {
    ROADMAP: "ingest.loaders.roadmap:load_roadmap",
    detect.DOCX: "ingest.loaders.word:load_docx",
    detect.HTML: "ingest.loaders.webpage:load_html",
    detect.MARKDOWN: "ingest.loaders.markdown:load_markdown",
    detect.MDX: "ingest.loaders.markdown:load_mdx",
    detect.NOTEBOOK: "ingest.loaders.notebook:load_notebook",
    detect.PDF: "ingest.loaders.pdf:load_pdf",
    detect.PLAIN: "ingest.loaders.plain:load_plain",
    detect.RST: "ingest.loaders.rst:load_rst",
}


def load_document(data: bytes, *, path: str, media_type: str | None = None) -> Document:
    """Read the bytes of a source. Without a media type, its name and its first bytes tell it.

    Raises:
        Unloadable: no loader for the type, or the bytes are not what they should be; a `DocumentError`.
    """
    return find_loader(media_type or detect.media_type(path, data), path=path)(data, path=path)


def find_loader(media_type: str, *, path: str) -> Loader:
    """What reads sources of a type, imported.

    Raises:
        Unloadable: there is none.
    """
    check_type(media_type, path=path)
    module, name = _LOADERS[media_type].split(":")
    return cast(Loader, getattr(import_module(module), name))


def check_type(media_type: str, *, path: str) -> None:
    """Raise `Unloadable` if there is no loader for the type."""
    if media_type not in _LOADERS:
        raise Unloadable(f"no loader for {media_type}", outcome=Outcome.UNSUPPORTED, path=path)
