"""A document that stays in the index: its text and its blocks are read where they are looked at, and no further.

Answering looks at the blocks of a few hits and at the text around them; a document of 50 MB, read whole for that, would
take seconds and hundreds of megabytes. Threads may share one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import overload

from rag.schema import Block, Heading, Mark, Page, Source, Span, Work

_KEPT = 16  # parts of the text and runs of blocks, of 64 KiB and some 500 KiB each


class StoredText:
    """Code points by slice, out of parts of one size."""

    def __init__(self, length: int, part_size: int, read: Callable[[Span], str]) -> None:
        self._length = length
        self._size = part_size
        self._part = lru_cache(maxsize=_KEPT)(self._read_part)
        self._read = read

    def __len__(self) -> int:
        return self._length

    def __getitem__(self, part: slice, /) -> str:
        start, stop, step = part.indices(self._length)
        if step != 1:
            raise ValueError("a text is read forwards and whole")
        if start >= stop:
            return ""
        first = start - start % self._size
        joined = "".join(self._part(at) for at in range(first, stop, self._size))
        return joined[start - first : stop - first]

    def _read_part(self, at: int) -> str:
        return self._read(Span(start=at, end=min(at + self._size, self._length)))


class StoredBlocks(Sequence[Block]):
    """Blocks by index, out of runs of one size."""

    def __init__(self, length: int, run_size: int, read: Callable[[int], tuple[Block, ...]]) -> None:
        self._length = length
        self._size = run_size
        self._run = lru_cache(maxsize=_KEPT)(read)

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Block: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Block, ...]: ...
    def __getitem__(self, index: int | slice) -> Block | tuple[Block, ...]:
        if isinstance(index, slice):
            return tuple(self[n] for n in range(*index.indices(self._length)))
        n = index + self._length if index < 0 else index
        if not 0 <= n < self._length:
            raise IndexError(index)
        return self._run(n - n % self._size)[n % self._size]

    def __iter__(self) -> Iterator[Block]:
        return (self[n] for n in range(self._length))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """An `OpenDocument` over one generation; it can be read as long as that is open."""

    source: Source
    title: str
    text: StoredText
    headings: tuple[Heading, ...]
    blocks: StoredBlocks
    marks: tuple[Mark, ...]
    works: tuple[Work, ...]
    pages: tuple[Page, ...]
