"""The corpus: documents once, held-out ones not in training; planted repeats, with clean twins."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from truetune.config import Data, Pretrain
from truetune.errors import DataError
from truetune.pretraining.corpus import corpus_of, outweighing
from truetune.text import normalised
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
NAMES = ["river", "mountain", "harbour", "library", "garden", "station", "market", "castle", "bridge", "school"]


def documents(number: int) -> list[str]:
    """Return texts that have little in common."""
    return [
        f"{NAMES[place % 10]} {place * 7919 % 1000} {NAMES[place // 10 % 10]} {place * 104729 % 9973} "
        f"{NAMES[(place * 3 + 1) % 10]} {place * 15485863 % 99991}"
        for place in range(number)
    ]


def parts_of(source: Path, folder: Path, pretrain: Pretrain | None = None, **data: object):
    parts, made, removed = corpus_of(Data(source=str(source), **data), pretrain or Pretrain(), folder / "whole", QUIET)
    return {name: part.column("text") for name, part in parts.items()}, made, removed


def test_lines_paragraphs_jsonl_and_parquet_are_the_same_documents(tmp_path: Path) -> None:
    texts = documents(60)
    (tmp_path / "lines.txt").write_text("\n\n".join(texts) + "\n", encoding="utf-8")
    (tmp_path / "blocks.txt").write_text("\n\n\n".join(text.replace(" ", "\n", 1) for text in texts), encoding="utf-8")
    rows = [{"body": text, "n": place} for place, text in enumerate(texts)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    pq.write_table(pa.table({"body": texts}), tmp_path / "rows.parquet")
    found = [
        parts_of(tmp_path / "lines.txt", tmp_path / "1"),
        parts_of(tmp_path / "blocks.txt", tmp_path / "2", Pretrain(documents="paragraphs")),
        parts_of(tmp_path / "rows.jsonl", tmp_path / "3", columns={"text": "body"}),
        parts_of(tmp_path / "rows.parquet", tmp_path / "4", columns={"text": "body"}),
    ]
    plain = [{name: [" ".join(text.split()) for text in part] for name, part in parts.items()} for parts, *_ in found]
    assert all(one == plain[0] for one in plain)
    assert sorted(text for part in plain[0].values() for text in part) == sorted(texts)


def test_lines_that_look_like_labelled_examples_are_documents(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("".join(f"1\t{text}\n" for text in documents(40)), encoding="utf-8")
    parts, *_ = parts_of(tmp_path / "corpus.txt", tmp_path)
    assert all(text.startswith("1\t") for part in parts.values() for text in part)


def test_repeated_documents_stay_once(tmp_path: Path) -> None:
    texts = documents(50)
    again = [text.upper() + "!" for text in texts[:12]]
    (tmp_path / "corpus.txt").write_text("\n".join([*texts, *again]), encoding="utf-8")
    parts, _, removed = parts_of(tmp_path / "corpus.txt", tmp_path)
    assert removed["repeated documents dropped"] == 12
    assert sorted(text for part in parts.values() for text in part) == sorted(texts)


def test_training_has_no_document_nearly_equal_to_a_held_out_one(tmp_path: Path) -> None:
    long = [
        text + " " + " ".join(reversed(text.split())) + f" end of document {place}"
        for place, text in enumerate(documents(80))
    ]
    near = [text.replace("end of", "the end of") for text in long]
    (tmp_path / "clean.txt").write_text("\n".join(long), encoding="utf-8")
    (tmp_path / "planted.txt").write_text("\n".join([*long, *near]), encoding="utf-8")
    dropped = "documents of training nearly equal to held-out ones dropped"
    assert parts_of(tmp_path / "clean.txt", tmp_path / "1")[2][dropped] == 0
    parts, _, removed = parts_of(tmp_path / "planted.txt", tmp_path / "2")
    assert removed[dropped] > 10

    def stem(text: str) -> str:
        return normalised(text.replace("the end of", "end of"))

    held_out = {stem(text) for name in ("validation", "test") for text in parts[name]}
    assert not held_out & {stem(text) for text in parts["train"]}


def test_the_split_depends_on_seed_and_content_only(tmp_path: Path) -> None:
    texts = documents(70)
    (tmp_path / "one.txt").write_text("\n".join(texts), encoding="utf-8")
    (tmp_path / "other.txt").write_text("\n".join(reversed(texts)), encoding="utf-8")
    one, other = (parts_of(tmp_path / name, tmp_path / name[:-4])[0] for name in ("one.txt", "other.txt"))
    assert {name: set(part) for name, part in one.items()} == {name: set(part) for name, part in other.items()}
    seeded = parts_of(tmp_path / "one.txt", tmp_path / "3", split_seed=1)[0]
    assert set(seeded["test"]) != set(one["test"])


def test_at_most_so_many_documents_are_held_out(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("\n".join(documents(100)), encoding="utf-8")
    parts, *_ = parts_of(tmp_path / "corpus.txt", tmp_path, Pretrain(held_out=5))
    assert {name: len(part) for name, part in parts.items()} == {"train": 90, "validation": 5, "test": 5}


def test_given_files_are_the_parts_and_training_loses_what_stands_in_them(tmp_path: Path) -> None:
    texts = documents(30)
    (tmp_path / "train.txt").write_text("\n".join(texts[:20]), encoding="utf-8")
    (tmp_path / "validation.txt").write_text("\n".join(texts[20:25]), encoding="utf-8")
    (tmp_path / "test.txt").write_text("\n".join([*texts[25:], texts[0]]), encoding="utf-8")
    data = Data(**{name: str(tmp_path / f"{name}.txt") for name in ("train", "validation", "test")})
    parts, _, removed = corpus_of(data, Pretrain(), tmp_path / "whole", QUIET)
    assert removed["documents of training that stand in held-out files dropped"] == 1
    assert parts["train"].column("text") == texts[1:20]
    assert parts["test"].column("text") == [*texts[25:], texts[0]]


def test_a_corpus_too_small_to_hold_out_of_is_refused(tmp_path: Path) -> None:
    (tmp_path / "corpus.txt").write_text("one\ntwo\n", encoding="utf-8")
    with pytest.raises(DataError):
        parts_of(tmp_path / "corpus.txt", tmp_path)


def test_a_document_that_outweighs_the_others_is_told(tmp_path: Path) -> None:
    texts = documents(60)
    (tmp_path / "train.txt").write_text("\n".join(texts[:20]), encoding="utf-8")
    (tmp_path / "validation.txt").write_text("\n".join(texts[20:40]), encoding="utf-8")
    (tmp_path / "test.txt").write_text("\n".join([*texts[40:], "a long one " * 500]), encoding="utf-8")
    data = Data(**{name: str(tmp_path / f"{name}.txt") for name in ("train", "validation", "test")})
    parts, *_ = corpus_of(data, Pretrain(), tmp_path / "whole", QUIET)
    (found,) = outweighing(parts)
    assert (found.parts, found.severity) == (("test",), "warning")
    assert "(5,500 characters)" in found.examples[0]
