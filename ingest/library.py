"""The library: which files, folders and pages a person added, beside the roadmap and its sources.

One JSON file, `<home>/library.json`, written whole or not at all. It says what is wanted, never what is indexed; that
is the manifest's. Knows nothing about formats.
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from rag.errors import StorageError
from rag.index.files import write_durable
from rag.works import page_url

FILE = "library.json"


class Library(BaseModel):
    """Absolute paths of files and folders, and URLs, as added; sorted, each once."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    items: tuple[str, ...] = ()

    def with_items(self, *added: str) -> "Library":
        return Library(items=tuple(sorted({*self.items, *added})))

    def without(self, *removed: str) -> "Library":
        return Library(items=tuple(item for item in self.items if item not in removed))


def read_library(home: Path) -> Library:
    """What was added; empty if nothing ever was.

    Raises:
        StorageError: the file is there and is not a library.
    """
    path = home / FILE
    try:
        return Library.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Library()
    except (OSError, ValidationError) as error:
        raise StorageError(
            f"{path} cannot be read: {error}", hint="Mend or remove the file, then add your documents again."
        ) from error


def write_library(home: Path, library: Library) -> None:
    """Keep what is wanted."""
    write_durable(home / FILE, library.model_dump_json(indent=1).encode())


def item_of(argument: str) -> str:
    """How an argument of `waymark add` is kept: a URL without its fragment, a path absolute."""
    return page_url(argument) if "://" in argument else Path(argument).expanduser().resolve().as_posix()
