"""Where the files that come with Waymark lie: the roadmap and the configuration files.

A wheel carries copies under `rag/_bundled`. In a checkout, and so in an editable install, there is no such folder and
they lie beside the packages, where an edit takes effect. Knows paths only, not what the files mean.
"""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
# In this order: beside an installed package lies whatever other distributions put there.
_ROOTS = (_PACKAGE / "_bundled", _PACKAGE.parent)


def bundled_path(relative: str) -> Path:
    """The file of that POSIX path, such as `"configs/gate.toml"`; FileNotFoundError if this install lacks it."""
    for root in _ROOTS:
        path = root / relative
        if path.is_file():
            return path
    raise FileNotFoundError(f"{relative} is missing from this installation of Waymark; reinstall it")


def roadmap_path() -> Path:
    """The text of the roadmap."""
    return bundled_path("corpus/roadmap.txt")
