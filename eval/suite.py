"""Several runs as one: the parts of a suite keep folders of their own, and one page shows them all."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from eval.page import Sheet
from eval.runs import Outcome, new_folder, stamp, write_outcome

KIND = "suite"


def combine(parts: Mapping[str, Outcome]) -> Outcome:
    """One outcome over all parts; names of values and titles of sections begin with the name of the part."""
    sections = tuple(
        replace(section, title=f"{name}: {section.title}")
        for name, part in parts.items()
        for section in part.sheet.sections
    )
    values = {
        f"{name}.{metric}": value for name, part in parts.items() for metric, value in part.values.items()
    }
    return Outcome(
        kind=KIND,
        values=values,
        n_failed=sum(part.n_failed for part in parts.values()),
        details={
            "parts": {name: {"kind": part.kind, "title": part.sheet.title} for name, part in parts.items()}
        },
        rows=(),
        sheet=Sheet(title=f"Evaluation suite: {', '.join(parts)}", sections=sections),
    )


def write_suite(parts: Mapping[str, Outcome], parent: Path, *, now: datetime) -> Path:
    """Write each part into a folder inside the suite's own, and return the suite's folder.

    Raises:
        StorageError: It cannot be written.
    """
    folder = new_folder(parent, stamp(now, KIND))
    for name, part in parts.items():
        write_outcome(part, new_folder(folder, name), now=now)
    return write_outcome(combine(parts), folder, now=now)
