"""What can be said of tokens without a model's own tokenizer, and marks of a chat that a text must not forge.

Pure. The estimate is meant to err upwards, so that a prompt packed by it fits.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

_BYTES_PER_TOKEN = (
    3  # English prose has about four and a half with the vocabularies of 2024 to 2026, Greek two
)
_DENSE = re.compile(r"[^\w\s]|[\d_]")  # digits and signs are often tokens of their own
_BETWEEN = re.compile(r"(?<=\S)\s(?=\S)")  # a single blank belongs to the word behind it

# Marks of the chat templates of Qwen, Llama, Mistral, Gemma, SmolLM, Phi, gpt-oss, Granite and DeepSeek.
_WELL_KNOWN = re.compile(
    r"<[|｜][^<>\n]{1,40}?[|｜]>|</?s>|\[/?INST\]|<</?SYS>>|</?(?:start_of_turn|end_of_turn|think|tool_call|bos|eos)>",
    re.IGNORECASE,
)


def estimate_tokens(text: str) -> int:
    """Tokens that a text has at most in usual vocabularies; grows with the text."""
    dense = len(_DENSE.findall(text))
    rest = len(_BETWEEN.sub("", _DENSE.sub("", text)).encode("utf-8", errors="replace"))
    return dense + -(-rest // _BYTES_PER_TOKEN)


def defuse(text: str, marks: Iterable[str] = ()) -> str:
    """The text with a blank inside whatever a tokenizer would read as the end of a turn or the start of another.

    Args:
        marks: further marks, those of the model's own tokenizer.
    """
    text = _WELL_KNOWN.sub(_broken, text)
    own = _pattern(tuple(sorted(set(marks), key=len, reverse=True)))
    return own.sub(_broken, text) if own else text


@lru_cache(maxsize=16)
def _pattern(marks: tuple[str, ...]) -> re.Pattern[str] | None:
    long_enough = [re.escape(mark) for mark in marks if len(mark.strip()) > 1]
    return re.compile("|".join(long_enough)) if long_enough else None


def _broken(mark: re.Match[str]) -> str:
    return f"{mark[0][0]} {mark[0][1:]}"
