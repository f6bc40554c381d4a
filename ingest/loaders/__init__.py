"""One format a file; all end in the same `Document`. This module only knows which loader reads which media type.

A loader and the library it stands on are imported when a source of its type is read, not before.
"""

from importlib import import_module
from typing import cast

from ingest.loaders import detect
from ingest.loaders.outcome import Outcome, Unloadable
from rag.schema import Document

ROADMAP = "text/x-roadmap"

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
    found = media_type or detect.media_type(path, data)
    if found not in _LOADERS:
        raise Unloadable(f"no loader for {found}", outcome=Outcome.UNSUPPORTED, path=path)
    module, name = _LOADERS[found].split(":")
    loader = getattr(import_module(module), name)
    return cast(Document, loader(data, path=path))
