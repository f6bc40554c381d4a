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
    from rag.assistant import Assistant
    from rag.errors import WaymarkError
    from rag.schema import Answer, AnswerStatus, Citation, Hit, Passage, Turn
    from rag.settings import Settings, load_settings

__all__ = [
    "Answer",
    "AnswerStatus",
    "Assistant",
    "Citation",
    "Hit",
    "Passage",
    "Settings",
    "Turn",
    "WaymarkError",
    "__version__",
    "load_settings",
]

_HOMES = {
    "Assistant": "rag.assistant",
    "Settings": "rag.settings",
    "WaymarkError": "rag.errors",
    "load_settings": "rag.settings",
}


def __getattr__(name: str) -> object:
    if name not in __all__:
        raise AttributeError(f"module 'rag' has no attribute {name!r}")
    return getattr(import_module(_HOMES.get(name, "rag.schema")), name)
