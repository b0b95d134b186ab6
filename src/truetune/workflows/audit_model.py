"""What the model of a config makes of its data: texts and gold beyond one input, pieces that it does not know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from truetune import config
from truetune.audit.model_pieces import Reader, piece_findings
from truetune.audit.parts import Parts, finding
from truetune.backbones.base import Recipe
from truetune.backbones.choice import load_backbone
from truetune.errors import MissingPackageError
from truetune.tasks.base import Labels, Task
from truetune.types import Finding, Floats
from truetune.workflows.features import text_features
from truetune.workflows.model import OF_PIECES, model_place, need_packages, settings_of, training_of
from truetune.workflows.progress import Progress


def frozen_features(
    settings: config.Config, task: Task, columns: Sequence[Sequence[Any]], progress: Progress
) -> Floats:
    """Return what the pretrained model of a config makes of texts, before any fine-tuning, `[examples, hidden]`.

    `columns` are the fields that it reads. Raises `MissingPackageError` without what runs it.
    """
    need_packages("looking for wrong labels with a model", settings.model.framework)
    from truetune.backbones.pretrained import load_tokenizer

    training = training_of(task)
    place = model_place(settings.model.name, progress)
    # The head is not used; any two labels make one.
    chosen = settings_of(settings, place, training.head, Labels(("a", "b")), training.marks).as_pretrained
    backbone = load_backbone(settings.model.framework, chosen, Recipe(), load_tokenizer(chosen), None)
    return text_features(backbone, training, columns, "features", progress)


def model_findings(settings: config.Config, task: Task, parts: Parts, progress: Progress) -> Iterator[Finding]:
    """Yield what the tokenizer of the model that a config names says of its data.

    Without the packages that read a tokenizer there is a note that says so. Raises `ModelError` for a model that
    cannot be found.
    """
    try:
        need_packages("looking at texts as a model reads them", settings.model.framework)
    except MissingPackageError as missing:
        yield finding("model not looked at", "note", [settings.model.name], str(missing), 1, parts=tuple(parts))
        return
    from truetune.backbones.pretrained import load_tokenizer

    training = training_of(task)
    place = model_place(settings.model.name, progress)
    tokenizer = load_tokenizer(settings_of(settings, place, training.head, Labels(())))
    for part in parts.values():
        windows = training.head in OF_PIECES or (training.head != "generate" and len(part.texts) == 1)
        yield from piece_findings(part, Reader(tokenizer, tokenizer.unknown, windows))
