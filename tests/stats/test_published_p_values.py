"""The randomisation test against p-values that others published: MultEval's, for systems of WMT 2017.

They are printed in sacreBLEU's own tests (10,000 trials, baseline LIUM-NMT, BLEU with `tokenize: none`).
"""

from pathlib import Path

import numpy as np
import pytest
from populations import BLEU

from truetune.rows import Rows
from truetune.stats.paired import paired
from truetune.stats.pairs import Pairs
from truetune.stats.plan import Plan
from truetune.stats.randomisation import randomisation_p, swapped_differences

PUBLISHED = {
    "FBK": 0.0218,
    "KIT": 0.041,
    "LMU-nmt-reranked": 0.09029,
    "LMU-nmt-single": 0.58494,
    "RWTH-nmt-ensemble": 0.0207,
    "SYSTRAN": 0.59914,
    "xmu": 0.71073,
    "uedin-nmt": 0.0001,
}


@pytest.fixture(scope="module")
def systems():
    saved = np.load(Path(__file__).parents[1] / "fixtures" / "wmt17" / "bleu_statistics.npz")
    rows = {}
    for name, kept in zip(saved["systems"].tolist(), saved["statistics"].astype(np.int64), strict=True):
        totals = np.maximum(kept[:, :1] - np.arange(4), 0)  # a segment of n words has n - k + 1 k-grams
        rows[name] = Rows.of(np.concatenate([kept, totals], axis=1))
    return rows


@pytest.mark.parametrize(("system", "published"), PUBLISHED.items())
def test_p_values_are_multevals(systems, system, published):
    pairs = Pairs.of(systems["LIUM-NMT"], systems[system], None)
    swaps = swapped_differences([BLEU], pairs, 10_000, np.random.default_rng(0))[0]
    observed = float(BLEU.value(pairs.second)) - float(BLEU.value(pairs.first))
    noise = np.sqrt(2 * published * (1 - published) / 10_000)  # of two runs of 10,000 trials
    assert randomisation_p(observed, swaps) == pytest.approx(published, abs=3 * noise)


def test_the_whole_comparison(systems):
    (found,) = paired([BLEU], systems["LIUM-NMT"], systems["uedin-nmt"], plan=Plan(resamples=2_000))
    assert found.difference == pytest.approx(0.01777, abs=1e-5)
    assert 0.013 < found.low < found.difference < found.high < 0.023
    assert found.p_value == pytest.approx(1 / 2001)
    assert found.detectable < found.difference
