"""Waymark: grounded, cited answers over a document and the works it cites.

    from rag import Assistant

    with Assistant.open() as assistant:
        print(assistant.ask("How does LoRA cut memory?").text)

Names are loaded when first used, so that `import rag` is light.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from rag.answer import Answer, AnswerStatus, Citation, Passage
    from rag.assistant import Assistant
    from rag.errors import WaymarkError
    from rag.options import AskOptions
    from rag.passages import Scope
    from rag.schema import Hit, Turn
    from rag.settings import Settings, load_settings

__all__ = [
    "Answer",
    "AnswerStatus",
    "AskOptions",
    "Assistant",
    "Citation",
    "Hit",
    "Passage",
    "Scope",
    "Settings",
    "Turn",
    "WaymarkError",
    "__version__",
    "load_settings",
]

_HOMES = {
    "Answer": "rag.answer",
    "AnswerStatus": "rag.answer",
    "AskOptions": "rag.options",
    "Assistant": "rag.assistant",
    "Citation": "rag.answer",
    "Hit": "rag.schema",
    "Passage": "rag.answer",
    "Scope": "rag.passages",
    "Settings": "rag.settings",
    "Turn": "rag.schema",
    "WaymarkError": "rag.errors",
    "load_settings": "rag.settings",
}


def __dir__() -> list[str]:
    """The public names, loaded or not, so that a prompt completes them."""
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
