"""The paired test against p-values that others published: MultEval's for newstest2017, English to German.

sacreBLEU's own tests print them (10,000 randomisation trials, baseline LIUM-NMT, BLEU with `tokenize: none`, TER).
`TRUETUNE_ANCHORS` names the folder that holds `wmt17_en_de`: the systems, the reference and `p_values.json`.
"""

from __future__ import annotations

import gzip
import json
import os
from functools import cache
from pathlib import Path

import pytest

from truetune.metric import Additive
from truetune.metrics.bleu import bleu
from truetune.metrics.ter import ter
from truetune.rows import Rows
from truetune.stats.paired import paired
from truetune.stats.plan import Plan

FOLDER = Path(os.environ.get("TRUETUNE_ANCHORS", "")) / "wmt17_en_de"
METRICS = {"bleu": bleu("none"), "ter": ter("none")}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not FOLDER.is_dir(), reason="set TRUETUNE_ANCHORS to the folder that holds wmt17_en_de (16 systems, gzip)"
    ),
]


@cache
def published() -> tuple[str, dict[str, list[float]]]:
    saved = json.loads((FOLDER / "p_values.json").read_text(encoding="utf-8"))
    (values,) = (value for key, value in saved.items() if key.startswith("p_values"))
    return saved["baseline"], values


@cache
def lines_of(name: str) -> list[str]:
    with gzip.open(FOLDER / f"{name}.txt.gz", "rt", encoding="utf-8") as file:
        return file.read().removesuffix("\n").split("\n")


@cache
def rows_of(metric: Additive, name: str) -> Rows:
    return metric.rows(lines_of("reference"), lines_of(name))


@pytest.mark.parametrize("name", METRICS)
def test_p_values_are_the_published_ones(name: str) -> None:
    metric, place = METRICS[name], list(METRICS).index(name)
    baseline, values = published()
    apart = {}
    for system, known in values.items():
        (found,) = paired([metric], rows_of(metric, baseline), rows_of(metric, system), plan=Plan(resamples=10_000))
        if abs(found.p_value - known[place]) > 0.02:
            apart[system] = (found.p_value, known[place])
    assert len(values) == 15
    assert not apart


def test_scores_are_those_of_sacrebleu() -> None:
    from sacrebleu.metrics import BLEU, TER

    for metric, peer in ((METRICS["bleu"], BLEU(tokenize="none", force=True)), (METRICS["ter"], TER())):
        for system in published()[1]:
            ours = float(metric.value(rows_of(metric, system)))
            theirs = peer.corpus_score(lines_of(system), [lines_of("reference")]).score
            assert ours == pytest.approx(theirs, abs=1e-9), system
