"""`truetune audit --fix`: a cleaned copy of the data, with a log of every change. The originals are only read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from truetune.audit.parts import AuditPart
from truetune.audit.repair import Repaired, found_again, repaired, trimmed
from truetune.config import Config, Data, to_yaml
from truetune.data.dataset import Dataset
from truetune.data.read import read
from truetune.data.record import Record
from truetune.data.stored import Made
from truetune.errors import ConfigError, DataError
from truetune.files import whole_folder
from truetune.tasks.base import Inputs, Task
from truetune.tasks.fields import as_text
from truetune.workflows.parts import OPEN, gold_if_any, inputs_of, joined_columns

CHANGES, CONFIG = "changes.jsonl", "config.yaml"
RANK = {"validation": 1, "test": 2}
"""What stands in two parts is dropped from the one that is not measured with; other parts rank as train, in order."""
OFFSETS = ("spans", "answers", "answer_starts")
"""Fields that go along when a text changes; where others would have to, texts stay as they are."""


@dataclass(frozen=True)
class Fixed:
    """Where the copy is, and how often each change was made."""

    folder: Path
    changes: Mapping[str, int]
    files: Mapping[str, str] = field(default_factory=dict)
    """Part -> its file in the folder."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready values."""
        return {"folder": str(self.folder), "files": dict(self.files), "changes": dict(self.changes)}


def fixed_copy(
    task: Task,
    sources: Mapping[str, str],
    data: Mapping[str, Data],
    parts: Mapping[str, Dataset],
    folder: Path,
    settings: Config | None = None,
) -> Fixed:
    """Write a JSON line for each example that is kept, a file a part, and a line of `changes.jsonl` for each change.

    Texts and offsets are repaired where it is certain what was meant. Of equal texts in the training part the first is
    kept, and none where their gold differs. Texts that stand in a part to measure with too are dropped from the others.
    `data` says how each part is read. Of a config (`settings`) there is a copy that names the new files. Raises
    `ConfigError` where a text is made of several columns.
    """
    joined = joined_columns(next(iter(data.values())).columns)
    if joined:
        several = ", ".join(next(iter(joined.values())))
        raise ConfigError(
            f"audit --fix: data.columns makes one text of several columns ({several}), and a repaired text cannot be "
            "put back into them; give one column to repair at a time"
        )
    inputs = inputs_of(task)
    dropped = _dropped(inputs, parts)
    counts: Counter[str] = Counter()
    files = {
        name: f"{number}-{Path(name).stem}.jsonl" if _named(name) else f"{name}.jsonl"
        for number, name in enumerate(parts)
    }
    with whole_folder(folder) as made, (made / CHANGES).open("w", encoding="utf-8") as log:
        for name, source in sources.items():
            with (made / files[name]).open("w", encoding="utf-8") as out:
                for row, changes in _rows(source, data[name], inputs, parts[name], dropped[name]):
                    if row is not None:
                        out.write(json.dumps(row, ensure_ascii=False, default=str) + "\n")
                    for change in changes:
                        counts[change["change"]] += 1
                        log.write(json.dumps({"part": name, **change}, ensure_ascii=False, default=str) + "\n")
        if settings is not None:
            (made / CONFIG).write_text(to_yaml(_with_files(settings, files)), encoding="utf-8")
    return Fixed(folder, dict(counts), files)


def _with_files(settings: Config, files: Mapping[str, str]) -> Config:
    """Return a config whose data are these files, which lie beside it."""
    split = any(not _named(name) for name in files)
    places = {name: files.get(name) if split else None for name in ("train", "validation", "test")}
    source = None if split else next(iter(files.values()))
    data = settings.data.model_copy(update={**places, "source": source, "format": None, "encoding": None})
    return settings.model_copy(update={"data": data})


def _named(name: str) -> bool:
    return name not in ("train", "validation", "test")


def _movable(inputs: Inputs) -> bool:
    """Return whether no field but gold says where in a text something stands."""
    return all(one.parse is as_text for one in inputs.fields)


def _dropped(inputs: Inputs, parts: Mapping[str, Dataset]) -> dict[str, dict[int, str]]:
    """Return, for each part, which examples are dropped and why, by what their texts are once they are repaired."""
    looked = {name: _looked_at(inputs, name, part) for name, part in parts.items()}
    order = sorted(looked, key=lambda name: RANK.get(name, 0))
    found: dict[str, dict[int, str]] = {}
    for place, name in enumerate(order):
        part = looked[name]
        found[name] = _repeats(part) if name not in RANK else {}
        for other in order[place + 1 :]:
            also = np.isin(part.keys, looked[other].first_places[0])
            found[name] |= dict.fromkeys(np.flatnonzero(also).tolist(), f"stands in {other} too")
    return found


def _looked_at(inputs: Inputs, name: str, part: Dataset) -> AuditPart:
    columns = [part.stored(field) for field in inputs.names]
    texts = [Made(_text, column) for column in columns] if _movable(inputs) else columns
    compared = [Made(one, *texts) for one in inputs.compared] or texts
    field = gold_if_any(part.fields)
    gold = None if field is None else part.stored(field)
    return AuditPart(name, part.stored_ids, compared, gold, None, open=field in OPEN)


def _text(text: str) -> str:
    return repaired(text).text


def _repeats(part: AuditPart) -> dict[int, str]:
    """Return the copies of texts behind the first, and all of those whose gold is contrary."""
    values, first, text = np.unique(part.keys, return_index=True, return_inverse=True)
    copies = first[text] != np.arange(len(text))
    places = np.flatnonzero((copies | part.contrary) & (values[text] != b"")).tolist()
    return {
        place: "equal texts, different gold" if part.contrary[place] else "repeats an earlier text" for place in places
    }


def _rows(
    source: str, data: Data, inputs: Inputs, part: Dataset, dropped: Mapping[int, str]
) -> Iterator[tuple[dict[str, Any] | None, list[dict[str, Any]]]]:
    """Yield each example as it is to be written (None: dropped), and what was changed of it."""
    records = read(source, format=data.format, encoding=data.encoding)
    names = [name for name in dict.fromkeys((*inputs.names, *OFFSETS)) if name in part.fields]
    columns = zip(*(part.stored(name) for name in names), strict=True)
    number = -1
    for number, (record, name, values) in enumerate(zip(records, part.stored_ids, columns, strict=True)):
        if record.problem:
            raise DataError(f"{record.where}: {record.problem}; the file has changed since it was read. Audit it again")
        about = {"where": record.where, "id": name}
        if number in dropped:
            yield None, [{**about, "change": "dropped", "why": dropped[number], "before": dict(record.fields)}]
            continue
        row, changes = _fixed_row(record, dict(zip(names, values, strict=True)), inputs, data)
        yield row, [about | change for change in changes]


def _fixed_row(
    record: Record, values: dict[str, Any], inputs: Inputs, data: Data
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    new = dict(values)
    why: dict[str, str] = {}
    if _movable(inputs):
        texts = {name: repaired(values[name]) for name in inputs.names}
        for name, one in texts.items():
            if one.done:
                new[name], why[name] = one.text, "; ".join(one.done)
        _move(new, texts[inputs.names[0]], why)
    _place(new, inputs.names[0], why)
    row = dict(record.fields)
    changes = []
    for name, reason in why.items():
        if new[name] == values[name]:
            continue
        column = str(data.columns.get(name, name))
        column = "text" if column not in row and list(row) == ["text"] else column
        changes.append(
            {
                "change": "repaired",
                "why": reason,
                "field": column,
                "before": _plain(values[name]),
                "after": _plain(new[name]),
            }
        )
        row[column] = _plain(new[name])
    if _movable(inputs) and texts[inputs.names[0]].done and _are_places(row.get("tokens")):
        changes.append(_moved_tokens(row, texts[inputs.names[0]]))
    return row, changes


def _are_places(tokens: Any) -> bool:
    """Return whether a column holds pairs of offsets, as readers make them of tokens."""
    return isinstance(tokens, list) and all(
        isinstance(one, list | tuple) and [type(place) for place in one] == [int, int] for one in tokens
    )


def _moved_tokens(row: dict[str, Any], text: Repaired) -> dict[str, Any]:
    """Put the tokens of a row where they are after a repair of its text, and return that change.

    A token of which nothing is left goes with its tag.
    """
    before = row["tokens"]
    moved = [[int(text.starts[start]), int(text.ends[end])] for start, end in before]
    kept = [start < end for start, end in moved]
    row["tokens"] = [token for token, there in zip(moved, kept, strict=True) if there]
    if "tags" in row:
        row["tags"] = [tag for tag, there in zip(row["tags"], kept, strict=True) if there]
    why = "moved with their text"
    return {"change": "repaired", "why": why, "field": "tokens", "before": _plain(before), "after": row["tokens"]}


def _move(new: dict[str, Any], text: Repaired, why: dict[str, str]) -> None:
    """Put spans and answers where they are after a repair of their text."""
    if not text.done:
        return
    reason = "moved with their text"
    if new.get("spans"):
        new["spans"], why["spans"] = [text.span(span) for span in new["spans"]], reason
    if new.get("answers"):
        new["answers"], why["answers"] = [repaired(one).text for one in new["answers"]], reason
    if new.get("answer_starts"):
        new["answer_starts"], why["answer_starts"] = [text.place(one) for one in new["answer_starts"]], reason


def _place(new: dict[str, Any], text: str, why: dict[str, str]) -> None:
    """Take white space off spans, and put answers where they stand, if there is only one such place."""
    if new.get("spans"):
        spans = trimmed(new[text], new["spans"])
        if spans != list(new["spans"]):
            new["spans"], why["spans"] = spans, "white space taken off their borders"
    if new.get("answer_starts"):
        mentions = list(zip(new["answer_starts"], new["answers"], strict=False))
        places = found_again(new[text], mentions)
        if places != list(new["answer_starts"]):
            new["answer_starts"], why["answer_starts"] = places, "put where the answer stands, the only such place"


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: spans and other tuples as lists."""
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value
