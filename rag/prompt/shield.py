"""What text from outside may not do in a prompt: hide characters, look like a chat's own tokens, or close its fence.

Pure. Text stays readable: nothing visible is removed but citation marks of its own; what only looks like an order is
left to the rules of the prompt and to the check of the answer.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import lru_cache

from rag.prompt.marks import strip_marks
from rag.shown import visible

# What chat templates of the known families use to tell who speaks. A blank inside and no tokenizer takes it for one.
_TURNS = re.compile(
    r"<(?=[|｜])|(?<=[|｜])>"
    r"|(?<=<)(?=/?(?:s|bos|eos|pad|unk|sep|cls|mask|think|thinking|reasoning|start_of_turn|end_of_turn|tool_call|tool_response)>)"
    r"|(?<=\[)(?=/?(?:INST|SYSTEM_PROMPT|AVAILABLE_TOOLS|TOOL_CALLS|TOOL_RESULTS)\])"
    r"|(?<=<)(?=</?SYS>>|/?SYS>>)",
    re.IGNORECASE,
)
_FENCE_DIGITS = 6


@lru_cache(maxsize=1024)  # a passage is looked at several times while a prompt is put together
def for_prompt(text: str) -> str:
    """Text of a document, a question or a conversation as it may stand in a prompt.

    >>> for_prompt("A\\u200b tag <|im_start|> and [INST] [3].")
    'A tag < |im_start| > and [ INST].'
    """
    return _TURNS.sub(_apart, strip_marks(visible(text)))


def _apart(found: re.Match[str]) -> str:
    return "< " if found[0] == "<" else " " + found[0]


def fence_for(texts: Iterable[str], *, digits: int = _FENCE_DIGITS) -> str:
    """Letters that none of the texts holds, the same for the same texts: nothing inside can close its fence."""
    joined = "\n".join(texts)
    digest = joined
    while True:
        digest = hashlib.sha256(digest.encode("utf-8", "replace")).hexdigest()
        if digest[:digits] not in joined.lower():
            return digest[:digits]
