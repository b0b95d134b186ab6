"""Parquet files on the command line: streamed, with the numbers of the same examples in other files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from truetune.cli.main import main
from truetune.evaluation import streaming

GOLD = [{"id": f"e{place}", "label": "abc"[place % 3], "part": "xy"[place % 5 == 0]} for place in range(60)]
SAID = [{"id": f"e{place}", "label": "abc"[place * place % 3]} for place in range(60)]


def written(folder: Path, ending: str, rows: list[dict[str, Any]], name: str) -> str:
    path = folder / f"{name}.{ending}"
    if ending == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "more",
    [(), ("--slice", "part"), ("--group", "part"), ("--metric", "accuracy")],
    ids=["all", "slice", "group", "metric"],
)
def test_streamed_numbers_are_those_of_other_files(
    more: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []
    add = streaming.Evaluation.add_records

    def counted(evaluation: Any, gold: Any, predicted: Any) -> None:
        sizes.append(len(gold))
        add(evaluation, gold, predicted)

    monkeypatch.setattr(streaming, "BATCH", 16)
    monkeypatch.setattr(streaming.Evaluation, "add_records", counted)
    found = []
    for ending in ("parquet", "jsonl"):
        files = ("--gold", written(tmp_path, ending, GOLD, "gold"), "--predicted", written(tmp_path, ending, SAID, "s"))
        assert main(("evaluate", "--task", "classification", *files, "--json", "--resamples", "200", *more)) == 0
        found.append(json.loads(capsys.readouterr().out))
    assert sizes == [16, 16, 16, 12]
    assert found[0] == found[1]
