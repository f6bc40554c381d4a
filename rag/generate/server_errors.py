"""What the errors of an OpenAI-compatible server and of its client mean, said without the key."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import httpx
import openai

from rag.errors import (
    GenerationError,
    ModelMissing,
    OutOfMemory,
    PromptTooLong,
    ServerBusy,
    ServerFailed,
    ServerRefused,
    ServerSilent,
    ServerUnreachable,
)

NO_KEY = "none"  # the client insists on a key
_LONGEST_WAIT_S = 3600.0
_LONGEST = 300  # characters of a server's own words

# The first row that fits counts, so the special stands before the general.
_KINDS: tuple[tuple[tuple[type[Exception], ...], type[GenerationError], str], ...] = (
    ((httpx.ConnectTimeout, httpx.ConnectError), ServerUnreachable, "cannot be reached"),
    ((openai.APITimeoutError, httpx.TimeoutException), ServerSilent, "was silent for too long"),
    ((openai.APIConnectionError, httpx.TransportError), ServerFailed, "broke the connection off"),
    ((openai.APIError,), ServerFailed, "failed"),
    ((json.JSONDecodeError, UnicodeDecodeError), ServerFailed, "sent something that is not JSON"),
    ((MemoryError,), OutOfMemory, "sent more than fits into memory"),
)
_TOO_LONG = ("context length", "context_length", "maximum context", "context size", "too many tokens")
_NO_MODEL = ("pinned", "not found", "does not exist", "unknown model", "no such model", "not loaded")


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerTrouble:
    """Explains errors of one server. `others` names the models that it does have."""

    url: str
    key: str
    model: str = ""
    others: Callable[[], str] = str

    def explain(self, error: Exception) -> GenerationError:
        """The family's error for one that the client raised."""
        if isinstance(error, GenerationError):
            return error
        if isinstance(error, openai.APIStatusError):
            trouble = self.of_status(error.status_code, _words(error))
            if isinstance(trouble, ServerBusy):
                trouble.wait_s = _retry_after(error.response.headers)
            return trouble
        for types, kind, phrase in _KINDS:
            if any(isinstance(one, types) for one in _with_causes(error)):
                return kind(f"the server at {self.url} {phrase}: {self._masked(str(error))}")
        what = self._masked(f"{type(error).__name__}: {error}")
        return ServerFailed(f"what the server at {self.url} sent cannot be read: {what}")

    def of_status(self, status: int, message: str) -> GenerationError:
        """The family's error for an HTTP status and the server's words."""
        message, lower = self._masked(message), message.lower()
        if status == 429:
            return ServerBusy(f"the server at {self.url} has too many requests: {message}")
        if status >= 500:
            kind = OutOfMemory if "out of memory" in lower else ServerFailed
            return kind(f"the server at {self.url} failed with {status}: {message}")
        if any(words in lower for words in _TOO_LONG):
            return PromptTooLong(f"the server at {self.url} finds the prompt too long: {message}")
        if status == 404 or (
            status == 400 and "model" in lower and any(words in lower for words in _NO_MODEL)
        ):
            names = self.others()
            hint = f"It offers: {names}." if names else "Check the model's name and the path of --llm-url."
            return ModelMissing(f"the server at {self.url} has no model {self.model!r}", hint=hint)
        return ServerRefused(f"the server at {self.url} refused with {status}: {message}")

    def _masked(self, text: str) -> str:
        return (text if self.key == NO_KEY else text.replace(self.key, "…"))[:_LONGEST]


def _with_causes(error: BaseException) -> Iterator[BaseException]:
    yield error
    if error.__cause__ is not None:
        yield from _with_causes(error.__cause__)


def _retry_after(headers: Mapping[str, str]) -> float:
    """Seconds; a date in their place is as good as nothing."""
    try:
        return min(max(float(headers.get("retry-after", "0")), 0.0), _LONGEST_WAIT_S)
    except ValueError:
        return 0.0


def _words(error: openai.APIStatusError) -> str:
    """The server's own words, out of whatever it wraps them in."""
    body: object = error.body
    for name in ("error", "message", "detail"):
        if isinstance(body, dict):
            body = body.get(name, body)
    return body if isinstance(body, str) and body else error.response.text or error.message
