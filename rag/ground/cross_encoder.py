"""An entailment model as a checker: evidence is the premise, the statement the hypothesis. It alone here has torch.

Loaded from this machine alone, from safetensors alone, without code of its own. Which output means what is read from
the model's configuration; a model with a single output gives the probability of support. Its probabilities are the
model's own: nobody has calibrated them on Waymark's pairs.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from rag.errors import ModelUnusable
from rag.generate.weights import count_parameters, find_model
from rag.ground.support import Stance, Support

_SUPPORTED = 0.5  # probability of entailment
_BATCH = 16
_LONGEST = 512  # tokens, unless the model reads fewer


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Positions of the outputs; None where the model has no such."""

    entailment: int
    contradiction: int | None


class CrossEncoder:
    """`Checker` over a sequence classification model. One check at a time."""

    def __init__(self, name: str, folder: Path) -> None:
        count_parameters(folder)  # refuses a folder without safetensors
        try:
            tokenizer: Any = AutoTokenizer.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False
            )
            model: Any = AutoModelForSequenceClassification.from_pretrained(
                folder, local_files_only=True, trust_remote_code=False, use_safetensors=True
            )
        except Exception as error:  # a damaged folder fails in the ways of four libraries
            raise ModelUnusable(
                f"the checker {name} cannot be loaded: {type(error).__name__}: {error}"
            ) from error
        self.name = f"cross-encoder:{name}"
        self._tokenizer, self._model = tokenizer, model.eval()
        self._outputs = read_outputs(dict(model.config.id2label))
        told = getattr(model.config, "max_position_embeddings", None) or _LONGEST
        self._longest = min(int(told), int(tokenizer.model_max_length), _LONGEST)
        self._lock = threading.Lock()

    def check(self, statement: str, evidence: Sequence[str]) -> Support:
        """The strongest of each sentence by itself, neighbours together, and all evidence together."""
        if not evidence:
            return Support(
                score=0.0, stance=Stance.NOT_FOUND, evidence=None, reasons=("there is no evidence",)
            )
        pairs = [f"{one} {other}" for one, other in pairwise(evidence)]
        whole = [" ".join(evidence)] if len(evidence) > 2 else []
        entailed, contradicted = self._judge(statement, [*evidence, *pairs, *whole])
        score = max(entailed)
        against = max(contradicted[: len(evidence)])
        alone = entailed[: len(evidence)]
        if score >= _SUPPORTED:
            return Support(score=score, stance=Stance.SUPPORTED, evidence=alone.index(max(alone)))
        if against >= _SUPPORTED:
            position = contradicted.index(against)
            reasons = ("the passage says otherwise",)
            return Support(score=score, stance=Stance.CONTRADICTED, evidence=position, reasons=reasons)
        reasons = ("the passage does not say this",)
        return Support(
            score=score, stance=Stance.NOT_FOUND, evidence=alone.index(max(alone)), reasons=reasons
        )

    def _judge(self, statement: str, premises: Sequence[str]) -> tuple[list[float], list[float]]:
        """Probabilities of entailment and of contradiction for each premise."""
        entailed: list[float] = []
        contradicted: list[float] = []
        for start in range(0, len(premises), _BATCH):
            batch = list(premises[start : start + _BATCH])
            with self._lock, torch.inference_mode():
                inputs = self._tokenizer(
                    batch,
                    [statement] * len(batch),
                    padding=True,
                    truncation="longest_first",
                    max_length=self._longest,
                    return_tensors="pt",
                )
                logits = self._model(**inputs).logits.float()
            single = logits.shape[1] == 1
            shares = torch.sigmoid(logits) if single else torch.softmax(logits, dim=1)
            entailed += shares[:, self._outputs.entailment].tolist()
            against = self._outputs.contradiction
            contradicted += [0.0] * len(batch) if against is None else shares[:, against].tolist()
        return entailed, contradicted


@lru_cache(maxsize=1)
def open_cross_encoder(name: str) -> CrossEncoder:
    """The entailment model of that name: a folder, or a name in the local Hugging Face cache; loaded once.

    Raises:
        ModelMissing, ModelUnusable: it is not on this machine, damaged, or no entailment model.
    """
    return CrossEncoder(name, find_model(name))


def read_outputs(labels: dict[int, str]) -> Outputs:
    """Which output is which, by the labels of the model's configuration.

    >>> read_outputs({0: "contradiction", 1: "entailment", 2: "neutral"})
    Outputs(entailment=1, contradiction=0)

    Raises:
        ModelUnusable: no label says which output is entailment.
    """
    if len(labels) == 1:
        return Outputs(entailment=0, contradiction=None)
    known = {int(position): label.lower() for position, label in labels.items()}
    entailment = [n for n, label in known.items() if label.startswith("entail") or label == "consistent"]
    against = [n for n, label in known.items() if label.startswith("contra")]
    if len(entailment) != 1:
        raise ModelUnusable(
            f"no label of the checker says which output is entailment: {', '.join(labels.values())}",
            hint="Name a model whose configuration has the labels entailment, neutral and contradiction.",
        )
    return Outputs(entailment=entailment[0], contradiction=against[0] if against else None)
