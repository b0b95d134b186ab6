"""Parquet files are streamed where both sides are in the same order: the same scores, in little memory."""

from __future__ import annotations

import json
import runpy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import truetune
from truetune import Evaluation, Plan
from truetune.errors import DataError
from truetune.evaluation import streaming
from truetune.evaluation.streaming import streamable, streamed

BIG = runpy.run_path(str(Path(__file__).parents[2] / "benchmarks" / "big.py"))
PLAN = Plan(resamples=200)


def write(path: Path, **columns: list[Any]) -> Path:
    pq.write_table(pa.table(columns), path, row_group_size=7)
    return path


GOLD = {"label": ["abc"[place % 3] for place in range(50)], "user": [place % 6 for place in range(50)]}
SAID = {"label": ["abc"[place * place % 3] for place in range(50)]}
IDS = [f"example {place}" for place in range(50)]


@pytest.mark.parametrize("named", [True, False])
def test_streamed_files_score_as_whole_ones(tmp_path: Path, named: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BATCH", 8)
    ids = {"id": IDS} if named else {}
    gold, said = write(tmp_path / "gold.parquet", **ids, **GOLD), write(tmp_path / "said.parquet", **ids, **SAID)
    assert streamable(gold, said) == (gold, said)
    found = truetune.evaluate(task="classification", gold=gold, predicted=said, group="user", slice="user", plan=PLAN)
    records = [{"label": label, "user": user} for label, user in zip(*GOLD.values(), strict=True)]
    whole = truetune.evaluate(
        task="classification", gold=records, predicted=SAID["label"], group="user", slice="user", plan=PLAN
    )
    assert found.examples == 50
    assert json.dumps(found.to_dict()) == json.dumps(whole.to_dict())


def test_other_files_are_joined_by_id(tmp_path: Path) -> None:
    gold = write(tmp_path / "gold.parquet", id=IDS, **GOLD)
    turned = write(tmp_path / "turned.parquet", id=IDS[::-1], label=SAID["label"][::-1])
    fewer = write(tmp_path / "fewer.parquet", id=IDS[1:], label=SAID["label"][1:])
    unnamed = write(tmp_path / "unnamed.parquet", **SAID)
    lines = tmp_path / "lines.jsonl"
    lines.write_text("".join(json.dumps({"label": label}) + "\n" for label in SAID["label"]), encoding="utf-8")
    broken = tmp_path / "broken.parquet"
    broken.write_bytes(b"PAR1 and nothing more")
    for other in (turned, fewer, unnamed, lines, broken, SAID["label"], tmp_path / "missing.parquet"):
        assert streamable(gold, other) is None
    straight = write(tmp_path / "straight.parquet", id=IDS, **SAID)
    results = [truetune.evaluate(task="classification", gold=gold, predicted=said) for said in (straight, turned)]
    assert json.dumps(results[0].to_dict()) == json.dumps(results[1].to_dict())
    with pytest.raises(DataError, match="'example 0' of gold has no prediction"):
        truetune.evaluate(task="classification", gold=gold, predicted=fewer)


def test_faults_name_file_and_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "BATCH", 8)
    gold = write(tmp_path / "gold.parquet", id=IDS, **GOLD)
    wrong = [*SAID["label"][:20], "", *SAID["label"][21:]]
    with pytest.raises(DataError, match=r"said\.parquet:21: `label`: expected a label"):
        truetune.evaluate(
            task="classification", gold=gold, predicted=write(tmp_path / "said.parquet", id=IDS, label=wrong)
        )
    doubled = [*IDS[:30], IDS[2], *IDS[31:]]
    files = [write(tmp_path / f"{name}.parquet", id=doubled, **side) for name, side in (("a", GOLD), ("b", SAID))]
    with pytest.raises(DataError, match="id 'example 2' is doubled"):
        truetune.evaluate(task="classification", gold=files[0], predicted=files[1])


def test_shards_of_tags_merge_to_the_whole(tmp_path: Path) -> None:
    (gold,), (said,) = BIG["write_files"](tmp_path, 300, 1)
    whole = truetune.evaluate(task="ner", gold=gold, predicted=said, plan=PLAN)
    tables = pq.read_table(gold), pq.read_table(said)
    merged = Evaluation("ner", plan=PLAN)
    for start in (200, 0, 100):
        files = [tmp_path / f"{side}-{start}.parquet" for side in ("gold", "said")]
        for table, file in zip(tables, files, strict=True):
            pq.write_table(table.slice(start, 100), file)
        shard = Evaluation("ner", plan=PLAN)
        streamed(shard, *files)
        merged.merge(shard)
    assert json.dumps(merged.result().to_dict()) == json.dumps(whole.to_dict())
    assert 0.5 < whole.score("span_f1").value < 1


@pytest.mark.slow
def test_memory_does_not_grow_with_the_tokens(tmp_path: Path) -> None:
    """A million tags take little more than a quarter of a million: ids and rows, not sentences."""
    found = {}
    for sentences in (20_000, 80_000):
        folder = tmp_path / str(sentences)
        folder.mkdir()
        found[sentences] = BIG["measured"](*BIG["write_files"](folder, sentences, 1))
    assert found[80_000]["result"]["examples"] == 80_000
    assert found[80_000]["peak"] < 500 * 2**20
    assert found[80_000]["peak"] - found[20_000]["peak"] < 100 * 2**20


def test_the_benchmark_runs() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "big.py"
    command = [sys.executable, str(script), "--sentences", "200", "--shards", "2"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert "200 sentences, 5,000 token labels" in printed
    assert "peak memory" in printed
    assert "span_f1 " in printed
