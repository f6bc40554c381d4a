"""Open language models. `open_generator(settings)` gives a `Generator`, or None where the extractive answerer writes.

Nothing is downloaded here, and no library of models is loaded before one is opened.
"""

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, cast

from rag.errors import GenerationError, SettingsError
from rag.generate.generator import Finish, Generator, Message, StopReason
from rag.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

__all__ = ["Finish", "Generator", "Message", "StopReason", "check_spec", "generator_over", "open_generator"]

EXTRACTIVE = "extractive"
AUTO = "auto"
_BACKENDS = {
    "transformers": "rag.generate.local:open_transformers",
    "openai": "rag.generate.server:open_server",
}
_Open = Callable[[str, Settings], Generator]


def open_generator(settings: Settings) -> Generator | None:
    """The language model that the settings name; None means that answers are extracted.

    `auto` takes the first model of the server at `llm_url`, if one answers within two seconds, else None.

    Raises:
        SettingsError: `llm` is none of the forms that its description lists, or lacks its `llm_url`.
        GenerationError: the model is missing or cannot be used.
    """
    if settings.llm == EXTRACTIVE:
        return None
    if settings.llm == AUTO:
        return _automatic(settings)
    check_spec(settings.llm, llm_url=settings.llm_url)
    kind, _, name = settings.llm.partition(":")
    return _backend(kind)(name.strip(), settings)


def check_spec(spec: str, *, llm_url: str | None) -> None:
    """Whether `llm` may be this; nothing is opened.

    Raises:
        SettingsError: it is none of the forms that the setting's description lists, or lacks its `llm_url`.
    """
    kind, _, name = spec.partition(":")
    if spec not in (EXTRACTIVE, AUTO) and (kind not in _BACKENDS or not name.strip()):
        raise SettingsError(
            f"llm = {spec!r} is none of auto, extractive, transformers:NAME_OR_FOLDER, openai:MODEL",
            hint="Use --llm extractive or leave it at auto.",
        )
    if kind == "openai" and llm_url is None:
        raise SettingsError(
            f"llm = {spec!r} needs the address of a server", hint="Add --llm-url http://HOST:PORT/v1."
        )


def generator_over(model: "BaseChatModel", *, name: str, context_tokens: int = 4096) -> Generator:
    """Any LangChain chat model as a `Generator`; its tokens are estimated, its length is kept by cutting.

    Such a model decides itself how it samples: `seed` does not reach it.
    """
    from rag.generate.chat_model import LangchainGenerator  # noqa: PLC0415 (loads LangChain)

    return LangchainGenerator(model, name=name, context_tokens=context_tokens)


def _automatic(settings: Settings) -> Generator | None:
    if settings.llm_url is None:
        return None
    try:
        return _backend("openai")("", settings)
    except GenerationError:  # `waymark doctor` tells it
        return None


def _backend(kind: str) -> _Open:
    module, _, function = _BACKENDS[kind].partition(":")
    return cast(_Open, getattr(import_module(module), function))
