"""The one door to Ragas, opened so that it tells nobody anything: no telemetry, no identifier in the user's folder.

Ragas reads its opt-out once, and only the word "true" counts; so it is set before the import, and everything that
Waymark uses of Ragas is taken from here. With the opt-out Ragas still makes up an identifier and writes it; asked for
a folder that cannot exist, it gives that up.
"""

import os
import warnings

os.environ["RAGAS_DO_NOT_TRACK"] = "true"

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ragas and what it imports deprecate parts of each other
    import ragas._analytics
    from ragas import __version__
    from ragas.dataset_schema import SingleTurnSample
    from ragas.embeddings.base import BaseRagasEmbedding
    from ragas.llms.base import InstructorBaseRagasLLM
    from ragas.metrics._context_precision import NonLLMContextPrecisionWithReference
    from ragas.metrics._context_recall import NonLLMContextRecall
    from ragas.metrics._string import NonLLMStringSimilarity
    from ragas.metrics.base import MetricType, SingleTurnMetric

    # The collections are the part of Ragas 0.4.3 that takes a judge of one's own.
    from ragas.metrics.collections import (
        AnswerRelevancy,
        ContextPrecisionWithReference,
        ContextRecall,
        Faithfulness,
    )
    from ragas.metrics.collections.faithfulness.util import NLIStatementOutput

__all__ = [
    "VERSION",
    "AnswerRelevancy",
    "BaseRagasEmbedding",
    "ContextPrecisionWithReference",
    "ContextRecall",
    "Faithfulness",
    "InstructorBaseRagasLLM",
    "MetricType",
    "NLIStatementOutput",
    "NonLLMContextPrecisionWithReference",
    "NonLLMContextRecall",
    "NonLLMStringSimilarity",
    "SingleTurnMetric",
    "SingleTurnSample",
]


def _no_folder(appname: str) -> str:
    return f"{os.devnull}/{appname}"


VERSION = __version__

vars(ragas._analytics)["user_data_dir"] = _no_folder
