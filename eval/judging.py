"""The model that judges a run: opened for it, closed however it ends, and told apart from others of its name."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.generate import Generator, open_generator
from rag.settings import Settings, load_settings


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeModel:
    """`setup` stands for what its name does not tell: where it is served and how its weights are read."""

    generator: Generator
    setup: str = ""

    @property
    def name(self) -> str:
        return self.generator.name

    @property
    def key(self) -> str:
        """What a kept score depends on."""
        return f"{self.name} {self.setup}".strip()


@contextmanager
def opened_judge(spec: str | None, url: str | None, home: Path | None) -> Iterator[JudgeModel | None]:
    """The model of that spec; None where none was named. Never the one that writes, unless it is named.

    Raises:
        SettingsError, GenerationError: it cannot be opened.
    """
    if spec is None:
        yield None
        return
    settings = load_settings({"home": home, "llm": spec, "llm_url": url}).settings
    generator = open_generator(settings)
    if generator is None:
        yield None
        return
    try:
        yield JudgeModel(generator=generator, setup=_setup(settings))
    finally:
        generator.close()


def _setup(settings: Settings) -> str:
    """A digest, because an address may hold a key and what scores were kept under is on disk."""
    told = f"{settings.llm_url or ''}\n{settings.llm_quantization}"
    return hashlib.sha256(told.encode()).hexdigest()[:12]
