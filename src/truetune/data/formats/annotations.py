"""What annotation tools export, as plain fields: Label Studio, doccano, spaCy, CLUENER's nested labels, brat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from truetune.data.encoding import text_of
from truetune.data.formats.tagged import tagged_fields
from truetune.data.record import Record
from truetune.errors import DataError

_BRAT_SPAN = re.compile(r"(T\d+)\t(\S+) (\d+(?: \d+|;\d+)*)\t(.*)")


def plain_fields(fields: dict[str, Any]) -> Mapping[str, Any]:
    """Return the fields of one exported object in truetune's form; an object of another kind as it is.

    Raises ValueError for an annotation that truetune cannot express.
    """
    if isinstance(fields.get("data"), dict) and ("annotations" in fields or "completions" in fields):
        return _label_studio(fields)
    if isinstance(fields.get("entities"), list) and "spans" not in fields and "text" in fields:
        return {**_without(fields, "entities"), "spans": [_entity(entity) for entity in fields["entities"]]}
    label = fields.get("label")
    if isinstance(label, dict) and all(isinstance(value, dict) for value in label.values()):
        return {**_without(fields, "label"), "spans": _nested(label)}
    if isinstance(label, list):
        return {**_without(fields, "label"), **_listed(label)}
    return tagged_fields(fields) or fields


def _listed(label: list[Any]) -> dict[str, Any]:
    """Return what `label` of doccano or of Label Studio's short export holds: spans, or labels; none is either."""
    if not label:
        return {"spans": [], "labels": []}
    if all(isinstance(item, list) and len(item) == 3 for item in label):
        return {"spans": label}
    if all(isinstance(item, Mapping) and "start" in item and "labels" in item for item in label):
        # Label Studio's JSON-MIN.
        spans = [[item["start"], item["end"], kind] for item in label for kind in item["labels"]]
        return {"spans": sorted(spans)}
    if all(isinstance(item, str) for item in label):
        return {"labels": label, "label": label[0]} if len(label) == 1 else {"labels": label}
    return {"label": label}


def _without(fields: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in fields.items() if key != name}


def _entity(entity: Any) -> list[Any]:
    """An entity as doccano (start_offset, end_offset, label) or spaCy (start, end, label) writes it."""
    if isinstance(entity, Mapping):
        start = entity.get("start_offset", entity.get("start"))
        end = entity.get("end_offset", entity.get("end"))
        kind = entity.get("label", entity.get("type"))
        if start is None or end is None or kind is None:
            raise ValueError(f"an entity has the keys {', '.join(map(str, entity))}; expected start, end and label")
        return [start, end, kind]
    if isinstance(entity, Sequence) and not isinstance(entity, str) and len(entity) == 3:
        return list(entity)
    raise ValueError(f"an entity is {entity!r}; expected [start, end, type]")


def _nested(label: Mapping[str, Mapping[str, Any]]) -> list[list[Any]]:
    """CLUENER: {type: {surface: [[first, last], ...]}}, the last character included."""
    found = []
    for kind, surfaces in label.items():
        for places in surfaces.values():
            for first, last in places:
                found.append([first, last + 1, kind])
    return sorted(found)


def _label_studio(fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """Label Studio: the last annotation that was not cancelled."""
    tries = fields.get("annotations") or fields.get("completions") or []
    kept = [one for one in tries if not one.get("was_cancelled")]
    if not kept:
        raise ValueError("holds no annotation; finish it, or leave the task out of the export")
    data = {name: value for name, value in fields["data"].items() if name not in ("label", "labels", "spans")}
    texts = [value for value in data.values() if isinstance(value, str)]
    spans, choices = [], []
    for result in kept[-1].get("result", ()):
        value = result.get("value", {})
        if "labels" in value and "start" in value:
            start, end = _counted(value["start"], value["end"], value.get("text"), texts)
            spans += [[start, end, kind] for kind in value["labels"]]
        choices += value.get("choices", ())
    found: dict[str, Any] = dict(data) if fields.get("id") is None else {"id": fields["id"], **data}
    if choices:
        found["labels"] = choices
        if len(choices) == 1:
            found["label"] = choices[0]
    if spans or not choices:
        found["spans"] = sorted(spans)
    return found


def _counted(start: Any, end: Any, said: str | None, texts: Sequence[str]) -> tuple[Any, Any]:
    """Return the offsets of an annotation in characters.

    Label Studio counts as a browser does, where an emoji is two: offsets at which `said` stands only when counted so
    are turned into ours. Raises ValueError where it stands at neither.
    """
    if said is None or any(text[start:end] == said for text in texts):
        return start, end
    for text in texts:
        units = text.encode("utf-16-le", "surrogatepass")
        if units[2 * start : 2 * end] == said.encode("utf-16-le", "surrogatepass"):
            begin = len(units[: 2 * start].decode("utf-16-le", "surrogatepass"))
            return begin, begin + len(said)
    raise ValueError(f"the annotation [{start}, {end}] says {said!r}, which does not stand there")


def read_brat(folder: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the documents of a folder of brat's .txt and .ann pairs, with their entities as spans."""
    texts = sorted(folder.glob("*.txt"))
    if not texts:
        raise DataError(f"{folder}: holds no .txt file; expected pairs NAME.txt and NAME.ann")
    for file in texts:
        notes = file.with_suffix(".ann")
        if not notes.is_file():
            yield Record(str(file), {}, f"has no {notes.name} beside it")
            continue
        text = text_of(file, encoding)
        spans, problems = _brat_spans(text, text_of(notes, encoding))
        if problems:
            yield from (Record(f"{notes}:{number}", {}, problem) for number, problem in problems)
        else:
            yield Record(str(file), {"id": file.stem, "text": text, "spans": spans})


def _brat_spans(text: str, notes: str) -> tuple[list[list[Any]], list[tuple[int, str]]]:
    """Return the spans of a document, and the lines that hold none, with what is wrong with them."""
    spans, problems = [], []
    for number, line in enumerate(notes.split("\n"), start=1):
        if not line.startswith("T"):
            continue
        match = _BRAT_SPAN.fullmatch(line)
        if match is None:
            problems.append((number, f"expected T1<tab>TYPE START END<tab>TEXT, found {line[:60]!r}"))
        elif ";" in match[3]:
            problems.append((number, "is a discontinuous span, which truetune does not take; make one span of it"))
        else:
            start, end = map(int, match[3].split())
            there = text[start:end].replace("\n", " ")
            if there != match[4]:
                problems.append((number, f"says that {match[4]!r} stands at {start} to {end}, where {there!r} stands"))
            elif end > len(text):
                problems.append((number, f"ends at {end}, beyond the text, which has {len(text):,} characters"))
            spans.append([start, end, match[2]])
    return sorted(spans), problems
