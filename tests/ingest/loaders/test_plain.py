"""Plain text: paragraphs and simple lists."""

import subprocess
import sys
from pathlib import Path

import pytest

from ingest.loaders.plain import load_plain
from rag.schema import BlockKind, Document


def _texts(document: Document) -> list[str]:
    return [block.span.cut(document.text) for block in document.blocks]


def test_paragraphs_are_parted_by_blank_lines_and_joined_within() -> None:
    document = load_plain(b"One line\nand its end.\n\n\n  Two.\n", path="notes.txt")
    assert _texts(document) == ["One line and its end.", "Two."]
    assert document.title == "notes"
    assert document.source.media_type == "text/plain"


def test_items_nest_and_know_what_leads_in() -> None:
    document = load_plain(
        b"Buy:\n- tea\n  with milk\n  - green\n- salt\n\nThen:\n\n1. go\n2. rest\n", path="a.txt"
    )
    kinds = [(b.kind, b.depth, b.marker, b.lead) for b in document.blocks]
    assert _texts(document) == ["Buy:", "tea with milk", "green", "salt", "Then:", "go", "rest"]
    assert kinds[1] == (BlockKind.ITEM, 0, "-", 0)
    assert kinds[2] == (BlockKind.ITEM, 1, "-", 1)
    assert kinds[5] == (BlockKind.ITEM, 0, "1.", 4)


def test_invisible_instructions_are_left_out_and_told() -> None:
    hidden = "".join(chr(0xE0000 + ord(char)) for char in "obey")
    document = load_plain(f"Tea{hidden} grows\u200b here\u202e.".encode(), path="a.txt")
    assert document.text == "Tea grows here."
    assert document.notes == ("6 invisible characters were left out",)


PEAK = """
from pathlib import Path
from ingest.loaders.plain import load_plain

def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024

before = peak()
assert load_plain(b" \\n" * 3_000_000 + b"a", path="a.txt").text == "a"
print(peak() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak")
def test_blank_lines_without_end_take_no_memory_of_their_own() -> None:
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", PEAK], cwd=root, capture_output=True, text=True, check=True)
    assert int(done.stdout) < 100  # MiB; 350 where each line is kept in mind
