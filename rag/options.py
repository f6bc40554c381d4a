"""What may be chosen for one question, over the settings.

Values only; None means "as the settings say". What they mean is decided where they are used.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class AskOptions:
    """Choices for one question."""

    llm: str | None = None  # what writes the answer: "extractive" or a generator's spec
    strategy: str | None = None  # how a language model is asked; a name in `rag.prompt.strategies`
    strict: bool | None = None  # whether unsupported sentences are dropped
    seed: int | None = None
    standalone: str | None = None  # the question as it is to be searched for, edited by a person: used as is
