"""The retriever keeps LangChain's contract and gives the passages that the assistant finds."""

from pathlib import Path

import pytest
from langchain_core.retrievers import BaseRetriever

from rag.assistant import Assistant
from rag.langchain import WaymarkRetriever

QUESTION = "How does LoRA cut memory?"


def test_a_retriever_gives_what_the_search_finds_in_its_order(assistant: Assistant) -> None:
    retriever = WaymarkRetriever(k=4, assistant=assistant)
    assert isinstance(retriever, BaseRetriever)
    documents = retriever.invoke(QUESTION)
    hits = assistant.search(QUESTION, k=4)
    assert [document.page_content for document in documents] == [hit.chunk.text for hit in hits]
    assert len(documents) == 4


def test_metadata_says_where_a_passage_stands(assistant: Assistant) -> None:
    document = WaymarkRetriever(k=1, assistant=assistant).invoke(QUESTION)[0]
    start, end = document.metadata["span"]
    assert assistant.document_text(document.metadata["source_id"])[start:end] == document.page_content
    assert document.metadata["source"] == "corpus/roadmap.txt"
    assert document.metadata["heading_path"][-1].startswith("9.2. ")
    assert document.metadata["references"] == [44]
    assert document.metadata["pages"] is None
    assert 0 < document.metadata["score"] < 1.5
    assert document.id


def test_without_an_assistant_one_is_opened_from_the_settings_and_kept(
    roadmap_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WAYMARK_HOME", str(roadmap_home))
    opened = []
    real = Assistant.open
    monkeypatch.setattr(Assistant, "open", lambda: opened.append(real()) or opened[-1])
    retriever = WaymarkRetriever(k=2)
    assert opened == []
    assert len(retriever.invoke(QUESTION)) == len(retriever.invoke("What is data drift?")) == 2
    assert len(opened) == 1
    opened[0].close()


def test_k_has_to_be_one_at_least() -> None:
    with pytest.raises(ValueError, match="greater than or equal to 1"):
        WaymarkRetriever(k=0)


async def _awaited(retriever: WaymarkRetriever) -> int:
    return len(await retriever.ainvoke(QUESTION))


def test_it_can_be_awaited(assistant: Assistant) -> None:
    import asyncio

    assert asyncio.run(_awaited(WaymarkRetriever(k=3, assistant=assistant))) == 3
