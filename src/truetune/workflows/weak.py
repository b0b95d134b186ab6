"""What a run saves of where its model is weak on the test part, beside its scores."""

from __future__ import annotations

from truetune.evaluation.entities import entity_counts, entity_recall
from truetune.evaluation.tables import Aligned
from truetune.evaluation.weak import weak_slices
from truetune.files import write_json
from truetune.workflows.stage import Stage


def write_weak(stage: Stage, table: Aligned) -> None:
    """Save slices in which the model is worst, and of entities the recall by how often training has them."""
    weak = weak_slices(table, stage.plan)
    if weak is not None:
        write_json(stage.run.weak, weak.to_dict())
    if "spans" not in table.gold:
        return
    train, test = stage.data.parts["train"], stage.data.parts["test"]
    known = entity_counts(train.stored("text"), train.stored("spans"))
    spans = (table.gold["spans"], table.predicted["spans"])
    found = entity_recall(known, (test.column("text"), *spans), table.groups, stage.plan)
    write_json(stage.run.entities, {"entities": [one.to_dict() for one in found]})
