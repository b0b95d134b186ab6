"""What a model of a retrieval ranks, every document of the data and further ones, and by how long vectors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from truetune.backbones.base import Predictor
from truetune.backbones.outputs import logits_of
from truetune.bundle.run_folder import PARTS
from truetune.data.parse import Field, parsed
from truetune.data.read import read
from truetune.errors import ConfigError
from truetune.tasks.base import Labels, Training
from truetune.tasks.fields import as_text
from truetune.types import Finding, Floats
from truetune.workflows.model import lengths_of, pieces_at_once
from truetune.workflows.parts import TaskData
from truetune.workflows.stage import Stage


def with_documents(stage: Stage) -> Stage:
    """Return the stage with the documents that queries are answered from; a stage of another task as it is.

    Those of validation and test are among them, as candidates only: what they answer is not told. Raises `ConfigError`
    where another task is given documents.
    """
    more = stage.config.data.documents
    if stage.training.head != "embed":
        if more is not None:
            raise ConfigError(f"data.documents: the task {stage.data.task.name} ranks none; leave it out")
        return stage
    return replace(stage, labels=replace(stage.labels, documents=documents_of(stage.data, more)))


def documents_of(data: TaskData, more: str | None) -> tuple[str, ...]:
    """Return every document, or reply, of the data of a ranking and of a file of further ones, sorted."""
    found = {one for part in PARTS for several in data.gold(part)["documents"] for one in several}
    if "pool" in data.inputs.names:
        found |= {one for part in PARTS for pool in data.parts[part].stored("pool") for one in pool}
    if more is not None:
        columns = parsed(read(more), [(Field(name, as_text),) for name in ("document", "response", "text")], more)
        found |= {one for several in columns.fields.values() for one in several}
    return tuple(sorted(found))


def vectors_of(backbone: Predictor, training: Training, labels: Labels) -> Floats:
    """Return the vector of each document of a schema, `[documents, hidden]`."""
    lengths = lengths_of(training, backbone.tokenizer.max_length)
    # One query goes with them, because there is none without.
    inputs = training.encode([["?"]], None, replace(labels, vectors=None), backbone.tokenizer, lengths).inputs[1:]
    return np.stack(logits_of(backbone, inputs, pieces_at_once(backbone)))


def sizes_finding(metric: str, scores: Mapping[int, float]) -> Finding:
    """Return what vectors of each size score on validation, as a note of the audit."""
    shown = tuple(f"{size:,}: {metric} {score:.4f}" for size, score in scores.items())
    advice = (
        "on validation, by so many numbers of each vector: fewer rank faster and take less room; "
        "truetune export --vector-size writes a model of one of these sizes, where it is shown not to lose too much"
    )
    return Finding("sizes of vectors", "note", len(scores), shown, advice)
