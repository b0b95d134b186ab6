"""The corpus: documents of a source, each once, in parts of which the held-out ones do not stand in training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from truetune.audit.near import near_places
from truetune.audit.parts import AuditPart, finding
from truetune.config import Data, Pretrain
from truetune.data.dataset import Dataset, read_dataset
from truetune.data.keys import Keys, ranked
from truetune.data.parse import Field, reading
from truetune.data.read import detected_format, read
from truetune.data.record import Record
from truetune.data.split import how_made, places_of
from truetune.errors import DataError
from truetune.tasks.fields import as_text
from truetune.text import normalised
from truetune.types import Finding, Ints

PARTS = ("train", "validation", "test")
DOCUMENT = ((Field("text", as_text),),)
LINE_KINDS = ("lines", "label-text", "text-label", "tsv", "tsv-rows", "csv-rows", "conll")
"""What plain text may look like to a reader of labelled examples."""
TABLES = (".tsv", ".csv", ".conll", ".bio", ".iob", ".iob2", ".bioes", ".bmes")


LARGEST, FAR = 0.2, 5.0
"""Share of a held-out part from which on one document is told, and how many times the mean it must be too."""


def corpus_of(
    data: Data, pretrain: Pretrain, folder: Path, progress: Any
) -> tuple[dict[str, Dataset], str, dict[str, int]]:
    """Return the parts of a corpus, how they were made, and what was removed.

    Documents are read one by one and kept in files in `folder`. Of documents that are equal but for case, width, spaces
    and punctuation one stays; held-out ones are drawn by the seed and their content; documents of training that are
    nearly equal to one of them are taken out.
    """
    given = {"train": data.train or data.source, "validation": data.validation, "test": data.test}
    whole = {
        name: _documents(source, data, pretrain, folder / f"{name}.arrow", progress)
        for name, source in given.items()
        if source is not None
    }
    parts = dict(whole)
    train = parts["train"]
    keys = _keys(train, data.split_seed)
    read_in = len(train)
    kept = np.sort(np.unique(keys, return_index=True)[1]) if data.drop_duplicates else np.arange(read_in)
    removed = {"repeated documents dropped": read_in - len(kept)}
    held_out = [key for name, part in whole.items() if name != "train" for key in _keys(part, data.split_seed).tolist()]
    if held_out:
        outside = kept[~np.isin(keys[kept], np.array(held_out, dtype=keys.dtype))]
        removed["documents of training that stand in held-out files dropped"] = len(kept) - len(outside)
        kept = outside
    if data.limit is not None and len(kept) > data.limit:
        removed["set aside by data.limit"] = len(kept) - data.limit
        kept = np.sort(kept[np.argsort(keys[kept], kind="stable")[: data.limit]])
    train, keys = train.take(kept), keys[kept]
    shares = {
        name: 0.0 if name in whole else min(share, pretrain.held_out / max(len(kept), 1))
        for name, share in (("validation", data.validation_share), ("test", data.test_share))
    }
    made = "all parts given"
    parts["train"] = train
    if any(shares.values()):
        places = places_of(keys, [""] * len(keys), **shares)
        parts |= {name: train.take(places[name]) for name in PARTS if name == "train" or shares[name]}
        made = how_made(shares["validation"], shares["test"], data.split_seed, stratified=False)
    near = _near_held_out(parts)
    removed["documents of training nearly equal to held-out ones dropped"] = len(near)
    parts["train"] = parts["train"].take(np.setdiff1d(np.arange(len(parts["train"])), near))
    for name in PARTS:
        if not len(parts[name]):
            raise DataError(f"the corpus leaves no document for {name}; give more documents, or a file for it")
    return {name: parts[name] for name in PARTS}, made, removed


def audit_part(name: str, part: Dataset) -> AuditPart:
    """Return a part as the checks look at it."""
    others = {other: part.stored(other) for other in part.others}
    return AuditPart(name, part.stored_ids, [part.stored("text")], None, part.stored_groups, others=others)


def outweighing(parts: Mapping[str, Dataset]) -> Iterator[Finding]:
    """Yield held-out parts of which one document is so large a share that scores are of it more than of the others."""
    for name in PARTS[1:]:
        lengths = np.array([len(text) for text in parts[name].stored("text")], dtype=np.int64)
        share = lengths.max() / lengths.sum()
        if share > max(LARGEST, FAR / len(lengths)):
            place = int(lengths.argmax())
            yield finding(
                "one document outweighs a held-out part",
                "warning",
                [f"{parts[name].stored_ids[place]} ({lengths[place]:,} characters)"],
                f"a document is {share:.0%} of all characters of {name}: scores are of it more than of the others, and "
                "each evaluation reads it whole. Cut it into documents, or leave it out",
                parts=(name,),
            )


def facts_of(part: Dataset) -> dict[str, Any]:
    """Return size, lengths and fingerprint of a part."""
    lengths = np.array([len(text) for text in part.stored("text")], dtype=np.int64)
    return {
        "examples": len(part),
        "groups": None,
        "labels": {},
        "characters": {
            "median": float(np.median(lengths)),
            "p95": float(np.quantile(lengths, 0.95)),
            "max": int(lengths.max()),
        },
        "fingerprint": part.fingerprint,
    }


def _documents(source: str, data: Data, pretrain: Pretrain, path: Path, progress: Any) -> Dataset:
    records = read(source, format=_format(source, data, pretrain), encoding=data.encoding, progress=progress.say)
    found = reading(_with_text(records), DOCUMENT, source, renamed=data.columns)
    return read_dataset(found, path, grouped=False)


def _format(source: str, data: Data, pretrain: Pretrain) -> str | None:
    """Return how a file is read: plain text by documents, whatever its lines look like, anything else as it is."""
    file = Path(source)
    if data.format is not None or source.startswith(("builtin:", "hub:")) or not file.is_file():
        return data.format
    if file.suffix.lower() in TABLES or detected_format(file, data.encoding) not in LINE_KINDS:
        return None
    return pretrain.documents


def _with_text(records: Iterator[Record]) -> Iterator[Record]:
    """Leave out lines without anything on them."""
    return (one for one in records if list(one.fields) != ["text"] or str(one.fields["text"]).strip())


def _keys(part: Dataset, seed: int) -> Keys:
    return ranked((normalised(text) or text for text in part.stored("text")), len(part), seed)


def _near_held_out(parts: dict[str, Dataset]) -> Ints:
    """Return where in training documents stand that are nearly equal to held-out ones."""
    train = audit_part("train", parts["train"])
    found = [near_places(audit_part(name, parts[name]), train) for name in PARTS[1:] if name in parts]
    return np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
