"""What commands print besides answers: JSON that every reader can decode, and lines that no terminal obeys or cuts."""

import json
import sys
from codecs import lookup
from collections.abc import Mapping
from typing import TextIO

import typer

from rag.render import plain


def as_line(record: object, file: TextIO) -> str:
    """The record as one line of JSON, escaped where the file is not UTF-8."""
    return json.dumps(record, ensure_ascii=not _is_utf8(file))


def print_json(record: object) -> None:
    """The record as JSON for people and programs, on standard output."""
    typer.echo(json.dumps(record, ensure_ascii=not _is_utf8(sys.stdout), indent=1))


def print_line(text: str) -> None:
    """One line, however long; control characters are dropped."""
    typer.echo(plain(" ".join(text.splitlines())))


def print_facts(facts: Mapping[str, str]) -> None:
    """Names and values, a line each, values below each other."""
    width = max(map(len, facts), default=0) + 2
    for name, value in facts.items():
        print_line(f"{name:<{width}}{value}")


def counted(n: int, one: str) -> str:
    """How many of something: 1 chunk, 289 chunks."""
    return f"{n:,} {one}{'' if n == 1 else 's'}"


def _is_utf8(file: TextIO) -> bool:
    return lookup(file.encoding or "ascii").name == "utf-8"
