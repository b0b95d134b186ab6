"""The first stage of a run: read, check, drop repeats, split, audit; saved once, the same for every later stage."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from truetune.audit.labels import label_counts
from truetune.audit.parts import AuditPart, differing
from truetune.audit.run import audit
from truetune.bundle.run_folder import PARTS, RunFolder
from truetune.config import Data
from truetune.data.dataset import Dataset, read_dataset
from truetune.data.keys import Keys, hashed, linked, ranked
from truetune.data.parse import LABELLED, Field, reading
from truetune.data.read import folder_splits, read
from truetune.data.split import how_made, places_of, write_split
from truetune.data.stored import Made, Stored
from truetune.errors import ConfigError, DataError
from truetune.evaluation.doctor.rightness import keys_of_texts
from truetune.files import read_json, write_json
from truetune.tasks.base import Inputs, Task
from truetune.tasks.fields import as_any_text, as_text
from truetune.text import normalised
from truetune.types import Finding, Ints
from truetune.workflows.model import training_of
from truetune.workflows.progress import Progress

GIVEN = "all parts given"
LEARNT = ("label", "labels", "spans", "value", "answers", "choice", "references", "documents")
"""The fields of gold from which a model can be trained."""
OPEN = ("references", "relevant")
"""Gold of which a text may have several that are right."""


@dataclass(frozen=True)
class TaskData:
    """The parts of a run's data, for one task."""

    task: Task
    parts: Mapping[str, Dataset]

    @property
    def inputs(self) -> Inputs:
        """What a model reads of an example."""
        return inputs_of(self.task)

    def columns(self, part: str) -> list[Stored]:
        """The columns of a part that a model reads, on disk."""
        return [self.parts[part].stored(name) for name in self.inputs.names]

    def texts(self, part: str) -> Made:
        """Each example of a part as one text."""
        return Made(self.inputs.whole, *self.columns(part))

    @cached_property
    def training_keys(self) -> Keys | None:
        """Keys of the texts of the training part, by which the doctor finds them in the test part."""
        return training_keys(self.parts["train"])

    def gold(self, part: str) -> dict[str, Stored]:
        """The gold columns of a part, on disk."""
        data = self.parts[part]
        own = {one.name for one in self.inputs.fields}
        return {name: data.stored(name) for name in data.fields if name not in own}


def entity_types(data: TaskData) -> tuple[str, ...] | None:
    """Return the types of the marked entities of the training part, sorted; None for a task that marks none."""
    if "head" not in data.inputs.names:
        return None
    train = data.parts["train"]
    return tuple(sorted({span.type for name in ("head", "tail") for span in train.stored(name)} - {""}))


def training_keys(train: Dataset) -> Keys | None:
    """Return the keys of the texts of a training part; None where it holds no text that the doctor knows."""
    columns = {name: train.stored(name) for name in train.fields}
    return keys_of_texts(columns, len(train))


def inputs_of(task: Task) -> Inputs:
    """Return what a model reads of an example of a task that is trained."""
    return training_of(task).inputs


def compared(inputs: Inputs, data: Dataset) -> list[Sequence[str]]:
    """Return the texts by which examples are found to be the same, as columns."""
    columns = [data.stored(name) for name in inputs.names]
    return [Made(one, *columns) for one in inputs.compared] or [*columns]


def gold_field(fields: Mapping[str, Any] | list[str]) -> str:
    """Return the field that gold is: the first of those that can be learnt; of documents, which are relevant."""
    name = gold_if_any(fields)
    assert name is not None
    return name


def gold_if_any(fields: Mapping[str, Any] | list[str]) -> str | None:
    """Return the same, None for texts without gold."""
    name = next((name for name in LEARNT if name in fields), None)
    return "relevant" if name == "documents" else name


def gold_fields(fields: Mapping[str, Any] | list[str]) -> tuple[str, ...]:
    """Return the fields that metrics may decide by: of a label with spans each of them, and both together."""
    return ("frame", "label", "spans") if "frame" in fields else (gold_field(fields),)


def learnt_field(task: Task) -> str:
    """Return the first field of gold from which a task learns; a label for one that is only scored."""
    names = (one.name for gold in task.scoring.gold for one in gold)
    return next((name for name in names if name in LEARNT), "label")


def prepared(task: Task, data: Data, run: RunFolder, progress: Progress) -> TaskData:
    """Return the parts; made and saved unless the run has them."""
    if not run.facts.is_file():
        _prepare(task, data, run, progress)
    return TaskData(task, {name: Dataset.open(run.data(name)) for name in PARTS})


def input_fields(task: Task) -> list[tuple[Field, ...]]:
    """Return what a training file holds: what the model reads, and one alternative of gold that can be learnt."""
    inputs = inputs_of(task)
    known = {one.name for one in inputs.fields}
    alternatives = []
    for gold in task.scoring.gold:
        own = tuple(one for one in gold if one.name not in known)
        if any(one.name in LEARNT for one in own):
            alternatives.append((*inputs.fields, *own))
    return alternatives


def _prepare(task: Task, data: Data, run: RunFolder, progress: Progress) -> None:
    given = given_files(data)
    whole = {name: _read(task, data, source, run, progress) for name, source in given.items()}
    parts, split_made, removed = _split(whole, data, inputs_of(task))
    if parts is None:
        raise DataError("the data has no training part")
    if data.per_label is not None:
        kept = _few_of_each(parts["train"], compared(inputs_of(task), parts["train"]), data)
        removed["set aside by data.per_label"] = len(parts["train"]) - len(kept)
        parts["train"] = parts["train"].take(kept)
    for name in PARTS:
        parts[name].write(run.data(name))
    shutil.rmtree(run.path / "data" / "whole", ignore_errors=True)
    found = TaskData(task, {name: Dataset.open(run.data(name)) for name in PARTS})
    findings = audit({name: _audit_part(found, name) for name in PARTS})
    write_split(run.split, split_made, {name: found.parts[name].stored_ids for name in PARTS})
    write_findings(run, findings)
    write_json(run.facts, _facts(found, split_made, removed))
    sizes = ", ".join(f"{name} {len(found.parts[name]):,}" for name in PARTS)
    progress.say(f"data: {sizes}" + "".join(f"; {what}: {number:,}" for what, number in removed.items() if number))
    for finding in findings:
        if finding.severity != "note":
            progress.say(f"audit: {finding.severity}: {finding.check} ({finding.count:,}): {finding.advice}")


def write_findings(run: RunFolder, findings: list[Finding]) -> None:
    """Add findings to those of the run; one that is there already is not added again."""
    known = read_json(run.audit)["findings"] if run.audit.is_file() else []
    new = [finding.to_dict() for finding in findings]
    write_json(run.audit, {"findings": [*known, *(one for one in new if one not in known)]})


def given_files(data: Data) -> dict[str, str]:
    """Return which file each part is, of a folder of splits by their names; one file to be split is `train`."""
    if data.train is not None:
        named = {"train": data.train, "validation": data.validation, "test": data.test}
        return {name: source for name, source in named.items() if source is not None}
    assert data.source is not None
    folder = Path(data.source)
    if folder.is_dir() and not any(folder.glob("*.ann")):
        found = folder_splits(folder)
        if "train" not in found:
            raise DataError(f"{folder}: no file is named train; expected train, validation (dev) and test files")
        return {name: str(file) for name, file in found.items()}
    return {"train": data.source}


def _read(task: Task, data: Data, source: str, run: RunFolder, progress: Progress) -> Dataset:
    _refuse_joined(task, data.columns)
    records = read(source, format=data.format, encoding=data.encoding, progress=progress.say)
    found = reading(records, input_fields(task), source, renamed=data.columns, labels=data.labels)
    path = run.path / "data" / "whole" / f"{len(list((run.path / 'data').glob('whole/*')))}.arrow"
    return read_dataset(found, path, group=data.group)


def joined_columns(columns: Mapping[str, str | list[str]]) -> dict[str, list[str]]:
    """Return the fields that are made of several columns, with these."""
    return {name: one for name, one in columns.items() if not isinstance(one, str)}


def _refuse_joined(task: Task, columns: Mapping[str, str | list[str]]) -> None:
    """Raise `ConfigError` where several columns are given for a field that is no text that a model reads."""
    texts = [one.name for one in inputs_of(task).fields if one.parse is as_text]
    for name, several in joined_columns(columns).items():
        if name not in texts or not several:
            raise ConfigError(
                f"data.columns: several columns become one text, for {' or '.join(f'`{one}`' for one in texts)} of the "
                f"task {task.name}; found {several} for `{name}`"
            )


def _split(whole: dict[str, Dataset], data: Data, inputs: Inputs) -> tuple[dict[str, Dataset], str, dict[str, int]]:
    """Return the parts, how they were made, and what was removed."""
    parts = dict(whole)
    shares = {
        "validation": 0.0 if "validation" in parts else data.validation_share,
        "test": 0.0 if "test" in parts else data.test_share,
    }
    removed: dict[str, int] = {}
    if not (data.drop_duplicates or data.limit is not None or any(shares.values())):
        return parts, GIVEN, removed
    train = parts["train"]
    keys = _text_keys(compared(inputs, train), data.split_seed)
    if data.drop_duplicates:
        kept, removed = _without_repeats(train, compared(inputs, train), keys)
        train, keys = train.take(kept), keys[kept]
    if inputs.together is not None:
        shared = Made(inputs.together, *(train.stored(name) for name in inputs.names))
        keys = _text_keys([shared], data.split_seed)
    if data.limit is not None and len(train) > data.limit:
        removed["set aside by data.limit"] = len(train) - data.limit
        kept = _some(train, keys, data)
        train, keys = train.take(kept), keys[kept]
    parts["train"] = train
    if not any(shares.values()):
        return parts, GIVEN, removed
    groups = train.stored_groups
    if groups is not None:
        keys = linked(groups, keys, data.split_seed)
    field = gold_field(train.fields)
    stratum = {"answers": _has_answer, "references": _any, "relevant": _any, "choice": _any}.get(field, _stratum)
    strata = [sys.intern(stratum(gold)) for gold in train.stored(field)]
    places = places_of(keys, strata, **shares)
    for name in PARTS:
        if name == "train" or shares[name]:
            parts[name] = train.take(places[name])
    made = how_made(shares["validation"], shares["test"], data.split_seed, stratified=len(set(strata)) > 1)
    return parts, f"{made}; by {'text' if groups is None else 'group'}", removed


def _without_repeats(data: Dataset, texts: Sequence[Sequence[str]], keys: Keys) -> tuple[Ints, dict[str, int]]:
    """Keep the first of equal texts, and none where equal texts have contrary gold."""
    field = gold_field(data.fields)
    first = np.sort(np.unique(keys, return_index=True)[1])
    kept = first
    if field not in OPEN:
        gold = AuditPart("data", data.stored_ids, texts, data.stored(field), None).answer_keys
        kept = first[~differing(keys, gold)[first]]
    removed = {
        "repeated texts dropped": len(keys) - len(first),
        "texts with contrary gold dropped": len(first) - len(kept),
    }
    return kept, removed


def _some(data: Dataset, keys: Keys, settings: Data) -> Ints:
    """Return at most `data.limit` examples, whole groups first come, in an order of seed and content only."""
    groups = data.stored_groups
    order = np.argsort(keys if groups is None else ranked(groups, len(data), settings.split_seed), kind="stable")
    return np.sort(order[: settings.limit])


def _few_of_each(train: Dataset, texts: Sequence[Sequence[str]], settings: Data) -> Ints:
    """Return at most `data.per_label` examples of each label, in an order of seed and content only."""
    if "label" not in train.fields:
        raise ConfigError("data.per_label: is of one label a text, and the training part has none; leave it out")
    labels = list(train.stored("label"))
    seen: Counter[str] = Counter()
    kept = []
    for place in np.argsort(_text_keys(texts, settings.split_seed), kind="stable").tolist():
        seen[labels[place]] += 1
        if seen[labels[place]] <= (settings.per_label or 0):
            kept.append(place)
    return np.sort(np.array(kept, dtype=np.int64))


def _text_keys(columns: Sequence[Sequence[str]], seed: int) -> Keys:
    """Return a key of the texts of each example, as they are after normalisation."""
    rows = zip(*columns, strict=True)
    return ranked(("\n".join(normalised(text) or text for text in row) for row in rows), len(columns[0]), seed)


def _stratum(gold: Any) -> str:
    if isinstance(gold, str):
        return gold
    if isinstance(gold, int | float):
        return ""
    return " ".join(sorted({item if isinstance(item, str) else item.type for item in gold}))


def _any(gold: Any) -> str:
    return ""


def _has_answer(gold: Any) -> str:
    return "answer" if gold else ""


def _audit_part(data: TaskData, name: str) -> AuditPart:
    part = data.parts[name]
    return audit_part(data.task, name, part, part.stored_groups)


def audit_part(task: Task, name: str, part: Dataset, groups: Sequence[str] | None) -> AuditPart:
    """Return a part as the checks look at it."""
    field = gold_if_any(part.fields)
    mentions = None
    if {"answers", "answer_starts"} <= set(part.fields):
        mentions = Made(_mentions, part.stored("answer_starts"), part.stored("answers"))
    gold = None if field is None else part.stored(field)
    others = {other: part.stored(other) for other in part.others}
    nested = task.training is not None and task.training.head == "nested"
    texts = compared(inputs_of(task), part)
    labelled, several = field in LABELLED, field in OPEN
    return AuditPart(name, part.stored_ids, texts, gold, groups, mentions, labelled, nested, several, others)


def _mentions(starts: Sequence[int], answers: Sequence[str]) -> list[tuple[int, str]]:
    return list(zip(starts, answers, strict=False))


def _facts(data: TaskData, made: str, removed: dict[str, int]) -> dict[str, Any]:
    fields = data.inputs.fields
    # The turns of a dialogue are read as one text, which is derived from them.
    texts = [one.name for one in fields if one.parse in (as_text, as_any_text)] or [fields[-1].name]
    splits = {}
    for name, part in data.parts.items():
        lengths = np.concatenate(
            [np.sum([list(map(len, column)) for column in chunk.values()], axis=0) for chunk in part.chunks(texts)]
        )
        field = gold_field(part.fields)
        labels: Counter[str] = label_counts(part.stored(field)) if field in LABELLED else Counter()
        groups = part.stored_groups
        splits[name] = {
            "examples": len(part),
            "groups": None if groups is None else len(np.unique(hashed(groups, len(groups)))),
            "labels": dict(sorted(labels.items(), key=lambda item: (-item[1], item[0]))),
            "characters": {
                "median": float(np.median(lengths)),
                "p95": float(np.quantile(lengths, 0.95)),
                "max": int(lengths.max()),
            },
            "fingerprint": part.fingerprint,
        }
    return {"splits": splits, "made": made, "removed": removed}
