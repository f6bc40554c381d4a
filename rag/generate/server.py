"""An OpenAI-compatible server (vLLM, Ollama, llama.cpp, `transformers serve`) as a `Generator`.

Proxies of the environment are not used, nothing but the named address is spoken to, and the key, read from
WAYMARK_LLM_KEY, never appears in a message.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from langchain_openai import ChatOpenAI
from pydantic import SecretStr
from tokenizers import Tokenizer

from rag.errors import (
    GenerationError,
    ModelMissing,
    ModelUnusable,
    ServerFailed,
    ServerSilent,
    ServerUnreachable,
    SettingsError,
)
from rag.generate.chat_model import LangchainGenerator, Manner
from rag.generate.server_errors import NO_KEY, ServerTrouble
from rag.generate.tokens import estimate_tokens
from rag.settings import KEY_VARIABLE, Settings

PROBE_S = 2.0  # patience for a look at what a server offers
DEFAULT_CONTEXT = 4096  # tokens, where nobody says: the default of Ollama
_TEMPERATURE, _TOP_P = 0.7, 0.9  # where a seed asks for a sample
_TRIES = 3
# By what a server writes into `owned_by`: vLLM, SGLang, llama.cpp, and Ollama's own library. Models that think aloud by
# default would spend the answer's tokens on it. Other servers may refuse a field that they do not know.
_TEMPLATE_SWITCH = {"chat_template_kwargs": {"enable_thinking": False}}
_NO_THINKING: dict[str, dict[str, Any]] = {
    "vllm": _TEMPLATE_SWITCH,
    "sglang": _TEMPLATE_SWITCH,
    "llamacpp": _TEMPLATE_SWITCH,
    "library": {"reasoning_effort": "none"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offered:
    """One model that a server lists; `context_tokens` where it says how many, `owner` as it says."""

    name: str
    context_tokens: int | None
    owner: str


def open_server(model: str, settings: Settings) -> LangchainGenerator:
    """The `Generator` over a server's model; an empty name takes the first that it lists.

    A server that does not answer is no error yet, unless its list is needed: the first answer will tell.

    Raises:
        SettingsError: no `llm_url`.
        GenerationError: the list is needed and cannot be had, or `llm_tokenizer` cannot be read.
    """
    url = server_url(settings)
    key = server_key()
    offered = (_offered_or_none(url, key) or ()) if model else list_models(url, key=key)
    if not model and not offered:
        raise ModelMissing(f"the server at {url} lists no model")
    model = model or offered[0].name
    unlisted = Offered(name=model, context_tokens=None, owner=offered[0].owner if offered else "")
    told = next((one for one in offered if one.name == model), unlisted)

    def others() -> str:
        return ", ".join(f"openai:{one.name}" for one in _offered_or_none(url, key) or ())

    http = httpx.AsyncClient(trust_env=False, timeout=_last_resort(settings))
    client = _client(url, model, key=key, http=http)
    manner = Manner(
        options=lambda most, seed: _options(most, seed, owner=told.owner),
        keeps_length=True,
        tells_end=True,
        explain=ServerTrouble(url=url, key=key, model=model, others=others).explain,
        first_token_s=settings.llm_first_token_s,
        next_token_s=settings.llm_next_token_s,
        tries=_TRIES,
        release=http.aclose,
        about=f"the server at {url}",
    )
    return LangchainGenerator(
        client,
        name=f"openai:{model}",
        context_tokens=settings.llm_context or told.context_tokens or DEFAULT_CONTEXT,
        count_tokens=_counter(settings.llm_tokenizer),
        manner=manner,
    )


def server_key() -> str:
    """The key from the environment, or the word that stands for none."""
    return os.environ.get(KEY_VARIABLE) or NO_KEY


def server_url(settings: Settings) -> str:
    """The address with its version, as clients want it.

    Raises:
        SettingsError: there is none.
    """
    if settings.llm_url is None:
        raise SettingsError(
            "openai:MODEL needs the address of a server", hint="Add --llm-url http://HOST:PORT/v1."
        )
    url = settings.llm_url.rstrip("/")
    return url if urlsplit(url).path.strip("/") else f"{url}/v1"


def list_models(url: str, *, key: str = NO_KEY, timeout_s: float = PROBE_S) -> tuple[Offered, ...]:
    """What the server lists, within the timeout.

    Raises:
        GenerationError: it does not answer, not in time, or with something else.
    """
    headers = {"Authorization": f"Bearer {key}"}
    try:
        with httpx.Client(trust_env=False, timeout=timeout_s, headers=headers) as client:
            reply = client.get(f"{url}/models")
            reply.raise_for_status()
            rows = reply.json()["data"]
            return tuple(
                Offered(name=str(row["id"]), context_tokens=_context(row), owner=str(row.get("owned_by", "")))
                for row in rows
            )
    except httpx.TimeoutException as error:
        raise ServerSilent(f"the server at {url} did not list its models within {timeout_s:g} s") from error
    except httpx.TransportError as error:
        raise ServerUnreachable(f"no model server answers at {url}") from error
    except httpx.HTTPStatusError as error:
        trouble = ServerTrouble(url=url, key=key)
        raise trouble.of_status(error.response.status_code, "it does not list its models") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ServerFailed(f"what {url}/models gives is no list of models") from error


def _offered_or_none(url: str, key: str) -> tuple[Offered, ...] | None:
    try:
        return list_models(url, key=key)
    except GenerationError:
        return None


def _context(row: Mapping[str, Any]) -> int | None:  # Any: JSON
    """As vLLM, llama.cpp and others name it."""
    meta = row.get("meta")
    places = (row, meta if isinstance(meta, dict) else {})
    for place in places:
        for name in ("max_model_len", "context_length", "n_ctx", "n_ctx_train"):
            if isinstance(place.get(name), int) and place[name] > 0:
                return int(place[name])
    return None


def _last_resort(settings: Settings) -> httpx.Timeout:
    """The patience for tokens is kept by `LangchainGenerator`; only that for connecting is the client's."""
    return httpx.Timeout(
        settings.llm_first_token_s + settings.llm_next_token_s, connect=settings.llm_connect_s
    )


def _client(url: str, model: str, *, key: str, http: httpx.AsyncClient) -> ChatOpenAI:
    return ChatOpenAI(
        model=model,
        base_url=url,
        api_key=SecretStr(key),
        organization="",
        openai_proxy="",  # else the environment's OPENAI_PROXY
        max_retries=0,
        stream_usage=True,
        stream_chunk_timeout=0,
        use_responses_api=False,
        http_client=httpx.Client(trust_env=False, timeout=http.timeout),
        http_async_client=http,
        timeout=http.timeout,
    )


def _options(max_new_tokens: int, seed: int | None, *, owner: str) -> dict[str, Any]:
    """`max_tokens` by its old name, which every server knows; thinking aloud switched off where one knows how."""
    body = {"extra_body": {"max_tokens": max_new_tokens, **_NO_THINKING.get(owner, {})}}
    if seed is None:
        return {"temperature": 0.0, **body}
    return {"temperature": _TEMPERATURE, "top_p": _TOP_P, "seed": seed, **body}


def _counter(folder: Path | None) -> Any:
    if folder is None:
        return estimate_tokens
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception as error:  # the library raises bare ones
        raise ModelUnusable(
            f"the tokenizer in {folder} cannot be read: {error}",
            hint="Set llm_tokenizer to a folder with a tokenizer.json, or unset it.",
        ) from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
