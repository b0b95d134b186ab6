"""truetune: fine-tune language models, steered by evaluation metrics that can be trusted.

The verbs of the command line as functions; each is imported when it is first used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from truetune.config import Config as Config
    from truetune.errors import TruetuneError as TruetuneError
    from truetune.evaluation.adapters.sklearn import Answers as Answers
    from truetune.evaluation.adapters.sklearn import array_scores as array_scores
    from truetune.evaluation.adapters.sklearn import sklearn_scorer as sklearn_scorer
    from truetune.evaluation.adapters.sklearn import sklearn_scores as sklearn_scores
    from truetune.evaluation.adapters.spacy import spacy_scores as spacy_scores
    from truetune.evaluation.adapters.trainer import trainer_metrics as trainer_metrics
    from truetune.evaluation.agreement import agreement as agreement
    from truetune.evaluation.api import check_scores as check_scores
    from truetune.evaluation.api import compare as compare
    from truetune.evaluation.api import evaluate as evaluate
    from truetune.evaluation.check_report import check_report as check_report
    from truetune.evaluation.compare import Gate as Gate
    from truetune.evaluation.crossvalidation import cross_validation as cross_validation
    from truetune.evaluation.incremental import Evaluation as Evaluation
    from truetune.evaluation.preference import preference as preference
    from truetune.evaluation.seeds import seeds as seeds
    from truetune.optimization.diagnosis.run import diagnose as diagnose
    from truetune.optimization.label_next import label_next as label_next
    from truetune.optimization.run import optimize as optimize
    from truetune.stats.plan import Plan as Plan
    from truetune.tasks.tokenized import tokenized as tokenized
    from truetune.workflows.finetune import finetune as finetune
    from truetune.workflows.predict import load as load
    from truetune.workflows.similarity import Similarity as Similarity
    from truetune.workflows.similarity import similarity as similarity
    from truetune.workflows.triples import extract as extract

_PLACES = {
    "Answers": "truetune.evaluation.adapters.sklearn",
    "Config": "truetune.config",
    "Evaluation": "truetune.evaluation.incremental",
    "Gate": "truetune.evaluation.compare",
    "Plan": "truetune.stats.plan",
    "Similarity": "truetune.workflows.similarity",
    "TruetuneError": "truetune.errors",
    "agreement": "truetune.evaluation.agreement",
    "array_scores": "truetune.evaluation.adapters.sklearn",
    "check_report": "truetune.evaluation.check_report",
    "check_scores": "truetune.evaluation.api",
    "compare": "truetune.evaluation.api",
    "cross_validation": "truetune.evaluation.crossvalidation",
    "diagnose": "truetune.optimization.diagnosis.run",
    "evaluate": "truetune.evaluation.api",
    "extract": "truetune.workflows.triples",
    "finetune": "truetune.workflows.finetune",
    "label_next": "truetune.optimization.label_next",
    "load": "truetune.workflows.predict",
    "optimize": "truetune.optimization.run",
    "preference": "truetune.evaluation.preference",
    "seeds": "truetune.evaluation.seeds",
    "similarity": "truetune.workflows.similarity",
    "sklearn_scorer": "truetune.evaluation.adapters.sklearn",
    "sklearn_scores": "truetune.evaluation.adapters.sklearn",
    "spacy_scores": "truetune.evaluation.adapters.spacy",
    "tokenized": "truetune.tasks.tokenized",
    "trainer_metrics": "truetune.evaluation.adapters.trainer",
}

__all__ = [
    "Answers",
    "Config",
    "Evaluation",
    "Gate",
    "Plan",
    "Similarity",
    "TruetuneError",
    "__version__",
    "agreement",
    "array_scores",
    "check_report",
    "check_scores",
    "compare",
    "cross_validation",
    "diagnose",
    "evaluate",
    "extract",
    "finetune",
    "label_next",
    "load",
    "optimize",
    "preference",
    "seeds",
    "similarity",
    "sklearn_scorer",
    "sklearn_scores",
    "spacy_scores",
    "tokenized",
    "trainer_metrics",
]


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'truetune' has no attribute {name!r}")
    return getattr(importlib.import_module(_PLACES[name]), name)
