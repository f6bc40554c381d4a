"""A language model of Waymark as the judge that Ragas asks: its own subclass, no client of anybody's.

A judge that does not give the JSON that was asked for is asked once more with the fault named; then the item fails.
What it thinks aloud is no verdict; nor is one that is neither 0 nor 1, which Ragas would count into its means. Whoever
cancels an item stops the model, too.
"""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel

from eval.ragas_quiet import Faithfulness, InstructorBaseRagasLLM, NLIStatementOutput
from rag.errors import GenerationError, ServerFailed
from rag.generate import Generator, Message
from rag.prompt.hidden import without_reasoning

Form = TypeVar("Form", bound=BaseModel)

MOST_TOKENS = 1024  # of a verdict; Ragas' own default
_TRIES = 2
_SYSTEM = (
    "You are a careful judge. Reply with one JSON object of the form that is asked for, and nothing else."
)


class WholeFaithfulness(Faithfulness):
    """Ragas' faithfulness, refusing verdicts on some of the statements only: its share would be of those."""

    async def _create_verdicts(self, statements: list[str], context: str) -> NLIStatementOutput:
        found = await super()._create_verdicts(statements, context)
        if len(found.statements) != len(statements):
            raise ServerFailed(
                f"the judge gave {len(found.statements)} verdicts on {len(statements)} statements"
            )
        return found


class GeneratorJudge(InstructorBaseRagasLLM):
    """Ragas' seam for a model, over a `Generator`."""

    def __init__(self, generator: Generator, *, max_new_tokens: int = MOST_TOKENS) -> None:
        self._generator = generator
        self._max_new_tokens = max_new_tokens

    def generate(self, prompt: str, response_model: type[Form]) -> Form:
        """Ask and parse.

        Raises:
            GenerationError: The model fails, or gives no such JSON twice.
        """
        return self._generate(prompt, response_model, threading.Event())

    async def agenerate(self, prompt: str, response_model: type[Form]) -> Form:
        """As `generate`, in a thread; a cancelled call stops the model."""
        cancel = threading.Event()
        try:
            return await asyncio.to_thread(self._generate, prompt, response_model, cancel)
        finally:
            cancel.set()

    def _generate(self, prompt: str, form: type[Form], cancel: threading.Event) -> Form:
        messages = [Message(role="system", text=_SYSTEM), Message(role="user", text=prompt)]
        fault = ""
        for _ in range(_TRIES):
            said = self._say(messages, cancel)
            try:
                return read_verdict(said, form)
            except ValueError as error:
                fault = " ".join(str(error).split())[:300]
                messages += [
                    Message(role="assistant", text=said or "(nothing)"),
                    Message(
                        role="user", text=f"That is not the form asked for: {fault} Reply with the JSON only."
                    ),
                ]
        raise ServerFailed(f"the judge gave no verdict that can be read: {fault}")

    def _say(self, messages: list[Message], cancel: threading.Event) -> str:
        pieces = self._generator.stream(
            messages, max_new_tokens=self._max_new_tokens, seed=None, cancel=cancel
        )
        text = "".join(piece for piece in pieces if isinstance(piece, str))
        if cancel.is_set():
            raise GenerationError("the judge was stopped")
        return text


def read_verdict(said: str, form: type[Form]) -> Form:
    """The first JSON object of a reply that has the form; models like to wrap it in prose or fences.

    Raises:
        ValueError: There is none; tells what is wrong with the first object.
    """
    fault: ValueError | None = None
    for value in find_objects(without_reasoning(said)):
        try:
            verdict = form.model_validate(value)
            _require_verdicts(verdict)
        except ValueError as error:  # pydantic's is one
            fault = fault or error
        else:
            return verdict
    raise fault or ValueError(f"no JSON object in {said[:80]!r}")


def find_objects(text: str) -> Iterator[dict[str, Any]]:  # Any: JSON
    """The JSON objects in a text, in order; those inside of others are not told apart."""
    decoder = json.JSONDecoder()
    at = text.find("{")
    while at >= 0:
        try:
            value, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):  # half an object, or one nested a thousand times
            at = text.find("{", at + 1)
            continue
        yield value
        at = text.find("{", end)


def _require_verdicts(form: BaseModel) -> None:
    """Every whole number that Ragas asks a judge for is a verdict: 0 or 1.

    Raises:
        ValueError: One is another number; names its field.
    """
    for name, value in form:
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel):
                _require_verdicts(one)
            elif isinstance(one, int) and one not in (0, 1):
                raise ValueError(f"{name} is {one}, where 0 or 1 is wanted")
