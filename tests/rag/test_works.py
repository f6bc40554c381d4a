"""Which source stands for which work: by URL alone."""

from rag.index.manifest import SourceEntry
from rag.schema import Span, Work
from rag.works import page_url, sources_of


def _work(number: int, url: str) -> Work:
    return Work(
        number=number, title="T", url=url, text_fragment=None, accessed=None, span=Span(start=0, end=1)
    )


def _entry(source_id: str, path: str, *also_at: str) -> SourceEntry:
    return SourceEntry(
        source_id=source_id, path=path, title="T", media_type="t", content_sha256="", size_bytes=1, n_chunks=1,
        also_at=also_at,
    )  # fmt: skip


def test_works_of_the_same_page_or_of_the_same_bytes_share_a_source() -> None:
    works = [
        _work(6, "https://a.example/x"),
        _work(7, "https://a.example/x#part"),
        _work(8, "https://copy.example/x"),
        _work(9, "https://nobody.example/"),
    ]
    sources = [_entry("one", "https://a.example/x", "https://copy.example/x"), _entry("own", "/notes.md")]
    found = sources_of(works, sources)
    assert {number: entry.source_id for number, entry in found.items()} == {6: "one", 7: "one", 8: "one"}


def test_a_page_is_asked_for_without_its_fragment() -> None:
    assert page_url("https://a.example/x?y#:~:text=z") == "https://a.example/x?y"
