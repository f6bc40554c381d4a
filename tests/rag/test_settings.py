"""Settings: which value wins, what is refused, and that the written defaults are the real ones."""

import tomllib
from pathlib import Path

import pytest

from rag.errors import SettingsError
from rag.settings import LoadedSettings, Settings, default_toml, load_settings, settings_digest

ROOT = Path(__file__).resolve().parents[2]


def _load(
    tmp_path: Path, *, flags: dict[str, object] | None = None, toml: str | None = None, **environ: str
) -> LoadedSettings:
    folder = tmp_path / "work"
    folder.mkdir(exist_ok=True)
    if toml is not None:
        (folder / "waymark.toml").write_text(toml, encoding="utf-8")
    environ.setdefault("WAYMARK_HOME", str(tmp_path / "home"))
    return load_settings(flags, environ=environ, folder=folder)


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    loaded = _load(
        tmp_path,
        flags={"passages": 3, "answer_words": None},
        toml="passages = 5\nanswer_words = 50\ndense_weight = 0.5\n",
        WAYMARK_PASSAGES="4",
        WAYMARK_ANSWER_WORDS="40",
    )
    settings = loaded.settings
    assert (settings.passages, settings.answer_words, settings.dense_weight) == (3, 40, 0.5)
    assert settings.max_question_chars == 4000
    assert loaded.origins["passages"] == "flag"
    assert loaded.origins["answer_words"] == "environment WAYMARK_ANSWER_WORDS"
    assert loaded.origins["dense_weight"] == f"file {tmp_path / 'work' / 'waymark.toml'}"
    assert loaded.origins["max_question_chars"] == "default"
    assert set(loaded.origins) == set(Settings.model_fields)


def test_the_file_is_the_named_one_else_the_folders_else_the_data_folders(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "waymark.toml").write_text("passages = 1\n")
    assert _load(tmp_path).settings.passages == 1
    assert _load(tmp_path, toml="passages = 2\n").settings.passages == 2
    named = tmp_path / "named.toml"
    named.write_text("passages = 3\n")
    assert _load(tmp_path, WAYMARK_CONFIG=str(named)).settings.passages == 3


def test_a_named_file_that_is_absent_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"WAYMARK_CONFIG.*nowhere\.toml"):
        _load(tmp_path, WAYMARK_CONFIG=str(tmp_path / "nowhere.toml"))


def test_an_unknown_key_is_named_with_the_nearest_setting(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"'pasages' in .*waymark\.toml.*did you mean passages\?"):
        _load(tmp_path, toml="pasages = 3\n")
    with pytest.raises(SettingsError, match=r"WAYMARK_PASAGES.*did you mean WAYMARK_PASSAGES\?"):
        _load(tmp_path, WAYMARK_PASAGES="3")
    with pytest.raises(SettingsError, match=r"'pasages' in flags.*did you mean passages\?"):
        _load(tmp_path, flags={"pasages": 3})


def test_broken_toml_is_an_error_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="line 2"):
        _load(tmp_path, toml="passages = 3\nllm = \n")


def test_a_file_that_is_not_utf8_is_an_error(tmp_path: Path) -> None:
    named = tmp_path / "latin.toml"
    named.write_bytes('llm = "é"'.encode("latin-1"))
    with pytest.raises(SettingsError, match="UTF-8"):
        _load(tmp_path, WAYMARK_CONFIG=str(named))


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WAYMARK_PASSAGES", "0"),
        ("WAYMARK_PASSAGES", "51"),
        ("WAYMARK_PASSAGES", "many"),
        ("WAYMARK_DENSE_WEIGHT", "1.5"),
        ("WAYMARK_DENSE_WEIGHT", "nan"),
        ("WAYMARK_REFUSAL_THRESHOLD", "-0.1"),
        ("WAYMARK_LLM_URL", "file:///etc/passwd"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_origin(tmp_path: Path, variable: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        _load(tmp_path, flags=None, toml=None, **{variable: value})
    assert f"environment {variable}" in str(caught.value)
    assert value in str(caught.value)


def test_true_is_not_a_number(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="passages"):
        _load(tmp_path, toml="passages = true\n")


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert _load(tmp_path, WAYMARK_LLM_URL="", WAYMARK_CONFIG="").origins["llm_url"] == "default"


def test_paths_are_absolute_and_a_files_paths_start_at_the_file(tmp_path: Path) -> None:
    loaded = _load(tmp_path, toml='eval_data = "sets"\n', WAYMARK_HOME="~/somewhere")
    assert loaded.settings.eval_data == tmp_path / "work" / "sets"
    assert loaded.settings.home == Path.home() / "somewhere"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        setattr(Settings(), "passages", 3)  # noqa: B010 (the type checker refuses the plain assignment)


def test_the_digest_follows_what_can_change_an_answer_and_nothing_else(tmp_path: Path) -> None:
    base = settings_digest(Settings())
    assert len(base) == 12
    assert settings_digest(Settings(home=tmp_path, eval_data=tmp_path)) == base
    for name, value in {
        "passages": 13,
        "dense_weight": 0.5,
        "embedder": "other",
        "refusal_threshold": 0.5,
    }.items():
        assert settings_digest(Settings.model_validate({name: value})) != base


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_written_defaults_are_the_real_ones() -> None:
    written = (ROOT / "configs" / "default.toml").read_text(encoding="utf-8")
    assert written == default_toml(), "stale: run `python -m rag.settings > configs/default.toml`"
    assert Settings.model_validate(tomllib.loads(written)) == Settings()


def test_a_password_in_the_address_of_a_server_is_refused_and_not_shown() -> None:
    with pytest.raises(SettingsError, match="llm_url") as caught:
        load_settings({"llm_url": "http://me:hunter2@127.0.0.1:8000/v1"}, environ={})
    assert "hunter2" not in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


def test_the_key_of_a_model_server_is_no_setting_and_no_error(tmp_path: Path) -> None:
    loaded = load_settings(environ={"WAYMARK_LLM_KEY": "sk-secret"}, folder=tmp_path)
    assert "sk-secret" not in str(loaded)
