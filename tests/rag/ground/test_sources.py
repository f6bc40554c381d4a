"""What an indexed source says of a roadmap sentence: a small file in the place of a cited page, the real embedder."""

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ingest.library import Library, write_library
from ingest.pipeline import index_corpus
from rag.assistant import Assistant
from rag.embed import PACKAGED, open_embedder
from rag.ground import open_checker
from rag.ground.sources import SourceGraph, citing_sentence
from rag.schema import Mark
from rag.settings import Settings

PAGE = """# LoRA

## How it works

LoRA freezes the original weights of the model and trains two small matrices. This cuts the trainable parameters of
GPT-3 by 10,000 times. Its performance is comparable to that of full fine-tuning.

## Where it is used

It is mostly applied to the attention blocks. Dropout is not applied at inference.
"""


@pytest.fixture(scope="module")
def opened(roadmap_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Assistant]:
    folder = tmp_path_factory.mktemp("source")
    page = folder / "lora.md"
    page.write_text(PAGE, encoding="utf-8")
    home = shutil.copytree(roadmap_home, folder / "home")
    write_library(home, Library(items=(str(page),)))
    index_corpus(home, embedder=open_embedder(PACKAGED, home=home))
    with Assistant.open(Settings(home=home)) as assistant:
        yield assistant


@pytest.fixture
def graph(opened: Assistant) -> SourceGraph:
    assert opened.index.others is not None
    (source_id,) = opened.index.others.titles
    return SourceGraph(
        opened.index, opened.embedder, open_checker(opened.embedder, opened.settings), {44: source_id}
    )


@pytest.mark.parametrize(
    ("statement", "verdict"),
    [
        ("LoRA freezes the original weights of the model and trains two small matrices.", "agrees"),
        ("Key Idea: LoRA trains two small matrices and freezes the original weights.", "agrees"),
        ("LoRA cuts the trainable parameters of GPT-3 by 10000 times.", "agrees"),
        ("LoRA does not freeze the original weights of the model.", "differs"),
        ("This cuts the trainable parameters of GPT-3 by 500 times.", "differs"),
        ("Dropout is applied at inference.", "differs"),
        ("BERT freezes the original weights of the encoder and trains two small classifiers.", "not_found"),
        ("A Dockerfile should use a small base image.", "not_found"),
    ],
)
def test_a_source_agrees_differs_or_does_not_say(graph: SourceGraph, statement: str, verdict: str) -> None:
    says = graph.ask(statement, graph.works[44])
    assert says.verdict == verdict


def test_a_quote_is_verbatim_and_has_its_place(graph: SourceGraph, opened: Assistant) -> None:
    says = graph.ask("LoRA cuts the trainable parameters of GPT-3 by 10,000 times.", graph.works[44])
    assert says.quote == says.quote_span.cut(opened.document_text(says.source_id))
    assert "10,000 times" in says.quote
    assert says.heading_path[-1] == "How it works"
    assert says.title == "LoRA"


def test_an_unknown_source_is_an_error(graph: SourceGraph) -> None:
    with pytest.raises(KeyError):
        graph.ask("LoRA freezes the weights.", "0" * 16)


def test_a_citation_tells_what_its_indexed_works_say(graph: SourceGraph, opened: Assistant) -> None:
    answer = opened.ask("How does LoRA fine-tuning work?")
    cited = [graph.annotate(citation) for citation in answer.citations]
    told = {r.number: r.says for citation in cited for r in citation.references}
    assert told[44] is not None
    assert told[44].title == "LoRA"
    assert all(says is None for number, says in told.items() if number != 44)


def test_a_citation_without_an_indexed_work_is_left_as_it_is(opened: Assistant, graph: SourceGraph) -> None:
    answer = opened.ask("What does an SVM do?")
    assert answer.citations
    for citation in answer.citations:
        if all(reference.number != 44 for reference in citation.references):
            assert graph.annotate(citation) is citation


@pytest.mark.parametrize("offset", [14, 15])  # before and behind the stop
def test_the_sentence_with_the_mark_is_asked_about(opened: Assistant, offset: int) -> None:
    citation = opened.ask("How does LoRA fine-tuning work?").citations[0]
    document = opened.document(citation.source_id)
    start = citation.quote_span.start
    quoted = replace(citation, quote="It is one thing. It is two of them.")
    marked = replace(document, marks=(Mark(number=7, offset=start + offset),))
    assert citing_sentence(quoted, 7, marked) == "It is one thing."
    assert citing_sentence(quoted, 8, marked) == quoted.quote
