"""What ships with the weights: `truetune.json`, which says how texts become inputs and outputs answers.

Beside it stand the files that plain Transformers reads (config, safetensors, tokenizer). No pickle.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from truetune import __version__
from truetune.bundle.safety import refuse_unsafe
from truetune.decisions.decision import Decision, decision_from
from truetune.errors import ModelError
from truetune.files import read_json, write_json

FORMAT = 4
"""Raised when what the file says changes; `UPGRADES` has the way from each older one."""

NAME = "truetune.json"
SCORES = "scores.json"
"""The scores of the model on the test part, as `evaluate` prints them; what the card's numbers come from."""
CARD = "README.md"
PYTORCH, TENSORFLOW, ONNX = "pytorch", "tensorflow", "onnx"
"""Frameworks: what the weights are stored for."""


@dataclass(frozen=True)
class Bundle:
    """How a fine-tuned model is used; the weights stand beside it."""

    task: str
    labels: tuple[str, ...]
    multiple: bool
    max_length: int
    base_model: str
    framework: str = PYTORCH
    threshold: float = 0.5
    """From which score on a label of a multi-label task is given; above which no-answer probability there is none."""
    licence: str = "unknown"
    """Of the pretrained weights, where it is known; what came of them is bound by it."""
    language: str = ""
    """Of the training texts: `zh`, `en`, or empty where it was not looked at."""
    data: Mapping[str, str] = field(default_factory=dict)
    """Part -> fingerprint of its examples, as in the run's manifest."""
    scale: tuple[float, float] | None = None
    """Mean and deviation of the numbers that a regression learnt."""
    writing: Mapping[str, Any] | None = None
    """Prompt template and settings of a model that writes texts."""
    optional: bool = False
    """Whether a question may have no answer."""
    longest: int = 0
    """The longest answer that is given, in characters."""
    decision: Decision | None = None
    """What is made of the probabilities of labels; None: nothing."""
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    """Fields that are made of several columns of a file, with these in their order."""
    tags: tuple[str, ...] = ()
    """Of pieces, beside the labels of whole texts."""
    documents: tuple[str, ...] = ()
    """What a model of a retrieval ranks, each once."""
    entities: tuple[str, ...] | None = None
    """Types of the entities whose relations were learnt, none where they had no types; None: not known."""
    truetune: str = __version__


def write_bundle(folder: Path, bundle: Bundle) -> None:
    """Write `truetune.json` into a folder of weights."""
    decision = None if bundle.decision is None else bundle.decision.to_dict()
    write_json(folder / NAME, {"format": FORMAT, **asdict(replace(bundle, decision=None)), "decision": decision})


def read_bundle(folder: Path) -> Bundle:
    """Read `truetune.json` of a folder in which nothing may run code or lead out of it; an older format is upgraded.

    Raises `ModelError` with the reason for a folder that is no bundle, is damaged, unsafe, or of a newer format.
    """
    file = folder / NAME
    if not file.is_file() and (folder / "saved_model").is_dir():
        raise ModelError(
            f"{folder}: holds a SavedModel, which is a program, and truetune runs none from a folder; run it with "
            "TensorFlow (docs/tensorflow.md), or load the run that it was exported from"
        )
    if not file.is_file():
        raise ModelError(
            f"{folder}: holds no {NAME}, so it is no truetune model; give a run folder or its `model` folder"
        )
    refuse_unsafe(folder)
    try:
        stored = read_json(file)
        version = stored.pop("format")
        if not isinstance(version, int) or not 1 <= version <= FORMAT:
            raise ModelError(
                f"{file}: has format {version}, this truetune reads formats 1 to {FORMAT}; "
                f"use truetune {stored.get('truetune', 'of another version')}"
            )
        for older in range(version, FORMAT):
            stored = UPGRADES[older](stored)
        decision = stored.pop("decision", None)
        bundle = Bundle(**stored)
        scale = None if bundle.scale is None else (float(bundle.scale[0]), float(bundle.scale[1]))
        labels, tags, documents = (tuple(map(_label, some)) for some in (bundle.labels, bundle.tags, bundle.documents))
        entities = None if bundle.entities is None else tuple(map(_label, bundle.entities))
        decided = None if decision is None else decision_from(decision, labels, bundle.multiple)
        bundle = replace(bundle, labels=labels, tags=tags, documents=documents, entities=entities)
        return replace(bundle, scale=scale, decision=decided)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{file}: is damaged ({error}); export the model again from its run") from None


def _label(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the label {name!r} is no text")
    return name


def _from_1(stored: dict[str, Any]) -> dict[str, Any]:
    """Format 1 had a place for scores, which stayed empty; they stand in a file of their own now."""
    return {key: value for key, value in stored.items() if key != "scores"}


def _from_2(stored: dict[str, Any]) -> dict[str, Any]:
    """Format 2 made nothing of the probabilities of labels."""
    return stored


def _from_3(stored: dict[str, Any]) -> dict[str, Any]:
    """Format 3 had one limit of prediction sets, for all labels."""
    decision = stored.get("decision")
    if not decision or not decision.get("conformal"):
        return stored
    conformal = dict(decision["conformal"])
    conformal["limits"] = [conformal.pop("limit")]
    return {**stored, "decision": {**decision, "conformal": conformal}}


UPGRADES: Mapping[int, Callable[[dict[str, Any]], dict[str, Any]]] = {1: _from_1, 2: _from_2, 3: _from_3}
"""Format -> what makes the next one of it."""
