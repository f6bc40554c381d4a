"""Waymark as a LangChain retriever.

from rag.langchain import WaymarkRetriever
documents = WaymarkRetriever(k=4).invoke("How does LoRA cut memory?")
"""

from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from pydantic import Field, PrivateAttr

from rag.assistant import Assistant
from rag.schema import Hit


class WaymarkRetriever(BaseRetriever):
    """The `k` best passages for a query, best first, as LangChain documents.

    Pass an open `assistant` to share it; otherwise one is opened at the first query, with the usual settings.
    """

    k: int = Field(default=8, ge=1)
    assistant: Any = None  # an open Assistant; Any because pydantic must not copy it

    _own: Assistant | None = PrivateAttr(default=None)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        del run_manager
        assistant: Assistant | None = self.assistant or self._own
        if assistant is None:
            assistant = self._own = Assistant.open()
        return [as_document(hit) for hit in assistant.search(query, k=self.k)]


def as_document(hit: Hit) -> Document:
    """A hit as LangChain has it: verbatim text, and where it stands as metadata."""
    chunk = hit.chunk
    return Document(
        id=chunk.chunk_id,
        page_content=chunk.text,
        metadata={
            "source": hit.path,
            "source_id": chunk.source_id,
            "title": hit.title,
            "heading_path": list(chunk.heading_path),
            "span": [chunk.span.start, chunk.span.end],
            "pages": list(range(chunk.first_page, chunk.last_page + 1))
            if chunk.first_page and chunk.last_page
            else None,
            "references": sorted({number for s in chunk.sentences for number in s.references}),
            "score": hit.scores.fused,
        },
    )
