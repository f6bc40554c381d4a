"""A follow-up made to stand alone by a language model. What comes back is only used if it is a question of its kind."""

from collections.abc import Sequence

from rag.generate.generator import Message
from rag.prompt.shield import for_prompt
from rag.prompt.talk import Talk
from rag.prompt.templates import Templates
from rag.schema import Role, Turn
from rag.terms import terms

_TURNS = 4  # the last ones
_TURN_CHARS = 600
_TOKENS = 96
_LONGEST_CHARS = 400


def rewrite(question: str, turns: Sequence[Turn], *, talk: Talk, templates: Templates) -> str | None:
    """The stand-alone question; None if what the model wrote is none.

    Raises:
        GenerationError: the model gave no answer.
    """
    asked = templates.fill("standalone", conversation=_conversation(turns), question=for_prompt(question))
    reply = talk.whole([Message(role="user", text=asked)], most=_TOKENS, seed=None)
    line = next((line.strip(" \"'“”*`") for line in reply.splitlines() if line.strip()), "")
    line = line.removeprefix("Question:").strip()
    spoken = " ".join([question, *(turn.text for turn in turns)])
    # A rewrite names what the conversation named; one that brings in more than a word or two is an answer.
    fresh = set(terms(line)) - set(terms(spoken))
    return line if terms(line) and len(line) <= _LONGEST_CHARS and len(fresh) <= 2 else None


def _conversation(turns: Sequence[Turn]) -> str:
    names = {Role.USER: "Person", Role.ASSISTANT: "Assistant"}
    return "\n".join(
        f"{names[turn.role]}: {' '.join(for_prompt(turn.text[:_TURN_CHARS]).split())}"
        for turn in turns[-_TURNS:]
    )
