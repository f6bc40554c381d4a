"""The texts that language models are asked with: files that a person can read and replace.

Each lies in `configs/prompts`; a file of the same name in the folder that the setting `prompts` names takes its place.
A replaced file has to use the placeholders of the one that it replaces, no more and no fewer.
"""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from string import Template

from rag.bundled import bundled_path
from rag.errors import SettingsError

# What a model writes where the passages do not answer, and what is read as a refusal.
REFUSAL = "The passages do not hold the answer to this question."
NAMES = ("system", "answer", "step_by_step", "split", "compose", "expand", "standalone")
_LONGEST = 20_000  # characters


@dataclass(frozen=True, slots=True, kw_only=True)
class Templates:
    """The templates by name. `digest` is 12 hex digits over all of them."""

    texts: dict[str, str]
    digest: str

    def fill(self, name: str, **values: str) -> str:
        """A template with its placeholders filled; values are put in as they are, whatever they hold."""
        values.setdefault("refusal", REFUSAL)
        return Template(self.texts[name]).substitute(values).strip()


def load_templates(folder: Path | None = None) -> Templates:
    """The shipped templates, single files replaced by those of `folder`.

    Raises:
        SettingsError: the folder or a file of it cannot be used; the placeholder at fault is named.
    """
    if folder is not None and not folder.is_dir():
        raise SettingsError(
            f"prompts = {str(folder)!r} is not a folder", hint="Correct the setting `prompts`."
        )
    texts = {name: _load(name, folder) for name in NAMES}
    joined = "\0".join(f"{name}\0{text}" for name, text in sorted(texts.items()))
    return Templates(texts=texts, digest=hashlib.sha256(joined.encode()).hexdigest()[:12])


def _load(name: str, folder: Path | None) -> str:
    shipped = bundled_path(f"configs/prompts/{name}.txt").read_text(encoding="utf-8")
    path = None if folder is None else folder / f"{name}.txt"
    if path is None or not path.exists():
        return shipped
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} cannot be read: {error}", hint="Save it as UTF-8 text.") from error
    _check(path, text, shipped)
    return text


def _check(path: Path, text: str, shipped: str) -> None:
    if len(text) > _LONGEST:
        raise SettingsError(
            f"{path} has {len(text):,} characters; at most {_LONGEST:,} are read", hint="Shorten it."
        )
    written = Template(text)
    if not written.is_valid():
        raise SettingsError(f"{path} holds a $ that opens no placeholder", hint="Write $$ for a dollar sign.")
    found, wanted = set(written.get_identifiers()), set(Template(shipped).get_identifiers())
    if missing := sorted(wanted - found):
        raise SettingsError(f"{path} lacks the placeholder ${missing[0]}", hint=_hint(wanted))
    if unknown := sorted(found - wanted):
        raise SettingsError(f"{path} has the unknown placeholder ${unknown[0]}", hint=_hint(wanted))


def _hint(wanted: set[str]) -> str:
    return "Its placeholders are " + ", ".join(f"${name}" for name in sorted(wanted)) + "."
