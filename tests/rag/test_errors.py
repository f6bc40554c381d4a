"""The tree of errors: what a script can rely on, and what a person is told."""

import re
from pathlib import Path

import pytest

from rag import errors
from rag.errors import WaymarkError

ROOT = Path(__file__).resolve().parents[2]


def _below(cls: type[WaymarkError]) -> list[type[WaymarkError]]:
    own = [sub for sub in cls.__subclasses__() if sub.__module__ == errors.__name__]
    return own + [deeper for sub in own for deeper in _below(sub)]


def _code(cls: type[WaymarkError]) -> int:
    return cls.exit_code


CLASSES = sorted(_below(WaymarkError), key=_code)


def test_exit_codes_are_distinct_and_leave_the_usual_ones_alone() -> None:
    codes = [WaymarkError.exit_code, *map(_code, CLASSES)]
    assert len(set(codes)) == len(codes)
    assert all(2 < code < 126 for code in codes[1:])  # 0 well, 1 any error, 2 usage, 126 and up the shell's


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_says_what_to_do(cls: type[WaymarkError]) -> None:
    hint = cls("it broke").hint
    assert hint
    assert hint.endswith(".")
    assert "\n" not in hint


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_a_message_is_one_line_whatever_it_is_made_of(cls: type[WaymarkError]) -> None:
    assert str(cls("first line\n  second\tline\r\n")) == "first line second line"


def test_a_hint_for_the_occasion_replaces_the_general_one() -> None:
    assert WaymarkError("it broke", hint="Mend it.").hint == "Mend it."


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_the_tree_in_the_module_and_the_table_in_the_readme_name_every_code(cls: type[WaymarkError]) -> None:
    assert re.search(rf"─ {cls.__name__} +{cls.exit_code} ", errors.__doc__ or "")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"^\| {cls.exit_code} \|", readme, flags=re.MULTILINE)


def test_the_readme_lists_no_code_that_does_not_exist() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    listed = {int(code) for code in re.findall(r"^\| (\d+) \|", readme, flags=re.MULTILINE)}
    assert listed == {0, 1, 2, *(cls.exit_code for cls in CLASSES)}
