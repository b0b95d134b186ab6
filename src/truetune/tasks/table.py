"""The tasks, in one visible table."""

from __future__ import annotations

from truetune.errors import TruetuneError, nearest
from truetune.tasks.base import Task
from truetune.tasks.classification import CLASSIFICATION, PAIR
from truetune.tasks.generation import (
    DIALOGUE,
    LANGUAGE_MODELING,
    MASKED_LANGUAGE_MODELING,
    REPLACED_TOKEN_DETECTION,
    SUMMARIZATION,
    TRANSLATION,
)
from truetune.tasks.intent_slots import INTENT_SLOTS
from truetune.tasks.multiple_choice import MULTIPLE_CHOICE
from truetune.tasks.ner import NER
from truetune.tasks.nested_ner import NESTED_NER
from truetune.tasks.preference import PREFERENCE
from truetune.tasks.qa import QUESTION_ANSWERING
from truetune.tasks.regression import ORDINAL, REGRESSION, SIMILARITY
from truetune.tasks.relations import RELATIONS
from truetune.tasks.response_ranking import RESPONSE_RANKING
from truetune.tasks.retrieval import RECOMMENDATION, RETRIEVAL

TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        CLASSIFICATION,
        PAIR,
        NER,
        NESTED_NER,
        INTENT_SLOTS,
        RELATIONS,
        QUESTION_ANSWERING,
        MULTIPLE_CHOICE,
        REGRESSION,
        SIMILARITY,
        ORDINAL,
        TRANSLATION,
        SUMMARIZATION,
        DIALOGUE,
        RESPONSE_RANKING,
        RETRIEVAL,
        RECOMMENDATION,
        LANGUAGE_MODELING,
        MASKED_LANGUAGE_MODELING,
        REPLACED_TOKEN_DETECTION,
        PREFERENCE,
    )
}
PRETRAINED = (LANGUAGE_MODELING.name, MASKED_LANGUAGE_MODELING.name, REPLACED_TOKEN_DETECTION.name)
"""Tasks without labels: what learns them is fine-tuned afterwards."""


def task_named(name: str | Task) -> Task:
    """Return a task by its name; an unknown name is answered with the nearest known ones. A task stays as it is."""
    if isinstance(name, Task):
        return name
    if name not in TASKS:
        raise TruetuneError(f"unknown task {name!r}; {nearest(name, TASKS)}")
    return TASKS[name]
