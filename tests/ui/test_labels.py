"""Text in Streamlit's labels: nothing in it is obeyed as Markdown, and no address in it becomes a link."""

import re

import pytest

from ui.labels import label

# What Streamlit's Markdown makes a link of although it is escaped (GFM, literal addresses), as its source has it.
_MADE_LINKS = re.compile(r"(https?://|www(?=\.))([-.\w]+)|([-.\w+]+)@([-\w]+(?:\.[-\w]+)+)", re.IGNORECASE)


@pytest.mark.parametrize(
    "text", ["http://a.example/b", "see HTTPS://a.example", "www.a.example", "WWW.a.example", "me@a.example"]
)
def test_an_address_is_no_link_and_reads_as_it_was(text: str) -> None:
    made = label(text)
    assert _MADE_LINKS.search(text)
    assert not _MADE_LINKS.search(made.replace("\\", ""))
    assert made.replace("\\", "").replace("\u2060", "") == text


def test_marks_of_markdown_stand_for_themselves_and_lines_are_joined() -> None:
    assert label("# *a*\n`b`") == r"\# \*a\* \`b\`"
