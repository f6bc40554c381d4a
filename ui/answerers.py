"""Who can write an answer here: the extractive answerer, local models, those of a server; and what is missing.

Looks at disks and asks the server at `llm_url`, if there is one; opens no model.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from rag.answer import EXTRACTIVE
from rag.errors import WaymarkError
from rag.generate.known import known_models
from rag.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswererChoice:
    """One that can be chosen, or that could be if something were mended."""

    spec: str  # what `--llm` takes
    name: str
    trouble: str  # why it cannot be chosen, and what mends that; empty if it can


@dataclass(frozen=True, slots=True, kw_only=True)
class Answerers:
    ready: tuple[AnswererChoice, ...]  # the extractive one first
    missing: tuple[AnswererChoice, ...]
    advice: str  # the command that adds one, where no language model is ready; else empty


def list_answerers(settings: Settings) -> Answerers:
    """All of them."""
    found = [
        AnswererChoice(spec=EXTRACTIVE, name="extractive", trouble=""),
        *_local(settings),
        *_served(settings),
    ]
    ready = tuple(one for one in found if not one.trouble)
    missing = tuple(one for one in found if one.trouble)
    advice = "" if len(ready) > 1 else "waymark models pull Qwen/Qwen3-0.6B"
    return Answerers(ready=ready, missing=missing, advice=advice)


def _local(settings: Settings) -> Iterator[AnswererChoice]:
    for model in known_models(settings.llm_folder):
        yield AnswererChoice(spec=model.spec, name=model.name, trouble=model.trouble)


def _served(settings: Settings) -> Iterator[AnswererChoice]:
    if settings.llm_url is None:
        return
    from rag.generate.server import list_models, server_key, server_url  # noqa: PLC0415 (loads LangChain)

    try:
        offered = list_models(server_url(settings), key=server_key())
    except WaymarkError as error:
        yield AnswererChoice(spec="", name=settings.llm_url, trouble=f"{error} {error.hint}")
        return
    for model in offered:
        yield AnswererChoice(spec=f"openai:{model.name}", name=f"{model.name} (server)", trouble="")
