"""Prompt templates: files that can be replaced, held to the placeholders of those they replace."""

from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.prompt.templates import NAMES, REFUSAL, load_templates


def test_every_shipped_template_loads_and_names_the_refusal_where_an_answer_is_asked_for() -> None:
    templates = load_templates()
    assert set(templates.texts) == set(NAMES)
    assert len(templates.digest) == 12
    for name in ("system", "answer", "step_by_step", "compose"):
        assert "$refusal" in templates.texts[name]


def test_a_file_in_the_folder_takes_the_place_of_one_template_and_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "expand.txt").write_text("Antworte: $question", encoding="utf-8")
    own = load_templates(tmp_path)
    assert own.fill("expand", question="Was?") == "Antworte: Was?"
    assert own.texts["answer"] == load_templates().texts["answer"]
    assert own.digest != load_templates().digest


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("$passages $refusal", "lacks the placeholder $question"),
        ("$passages $question $refusal $pasages", "unknown placeholder $pasages"),
        ("$passages $question $refusal costs $5", "holds a $ that opens no placeholder"),
        ("x" * 30_000, "at most 20,000"),
    ],
)
def test_a_template_with_the_wrong_placeholders_is_refused_by_name(
    tmp_path: Path, text: str, named: str
) -> None:
    (tmp_path / "answer.txt").write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load_templates(tmp_path)
    assert named in str(caught.value)
    assert "answer.txt" in str(caught.value)
    assert caught.value.hint


def test_a_folder_that_is_none_and_a_file_that_is_no_text_are_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="not a folder"):
        load_templates(tmp_path / "nowhere")
    (tmp_path / "split.txt").write_bytes(b"\xff\xfe$question")
    with pytest.raises(SettingsError, match="cannot be read"):
        load_templates(tmp_path)


def test_what_is_put_in_is_never_read_as_a_template() -> None:
    filled = load_templates().fill("answer", passages="$question ${refusal} $$", question="$passages?")
    assert "$question ${refusal} $$" in filled
    assert "Question: $passages?" in filled
    assert REFUSAL in filled
