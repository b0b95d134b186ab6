"""Agreement of raters from files and lists: published values, both forms of files, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

import truetune
from truetune.cli.main import main
from truetune.errors import DataError, MetricError
from truetune.stats.plan import Plan

FAST = Plan(resamples=500)
NONE = None
KRIPPENDORFF_2011 = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NONE, NONE, NONE],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NONE, 3],
    [NONE, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NONE],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NONE],
]
ITEMS = [list(item) for item in zip(*KRIPPENDORFF_2011, strict=True)]


@pytest.mark.parametrize(("scale", "value"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849)])
def test_alpha_is_the_published_one(scale: Any, value: float) -> None:
    result = truetune.agreement(ITEMS, scale=scale, plan=FAST)
    score = result.score("krippendorff_alpha")
    assert score.value == pytest.approx(value, abs=5e-4)
    assert score.low < score.value <= score.high
    assert "500 resamples" in score.signature
    assert (result.items, len(result.raters)) == (12, 4)
    assert any("fewer than two ratings" in warning for warning in result.warnings)


def test_two_raters_have_one_kappa_and_weights_where_values_have_an_order() -> None:
    rng = np.random.default_rng(0)
    first = rng.integers(1, 6, 80)
    second = np.clip(first + rng.integers(-1, 2, 80), 1, 5)
    result = truetune.agreement(np.stack([first, second], axis=1).tolist(), scale="ordinal", plan=FAST)
    kappa, weighted = result.score("cohen_kappa"), result.score("cohen_kappa_quadratic")
    assert kappa.value == pytest.approx(cohen_kappa_score(first, second))
    assert weighted.value == pytest.approx(cohen_kappa_score(first, second, weights="quadratic"))
    assert kappa.low < kappa.value < kappa.high
    assert "fleiss_kappa" not in {score.metric for score in result.scores}


def test_pairs_of_three_raters_count_the_items_of_both() -> None:
    ratings = [["x", "x", "y"], ["x", "y", None], ["y", "y", "y"], ["y", "y", "x"]] * 5
    result = truetune.agreement(ratings, plan=FAST)
    assert result.score("cohen_kappa/rater 1~rater 2").examples == 20
    pair = result.score("cohen_kappa/rater 1~rater 3")
    assert pair.examples == 15
    assert pair.value == pytest.approx(cohen_kappa_score(["x", "y", "y"] * 5, ["y", "y", "x"] * 5))


def test_where_fleiss_does_not_apply_that_is_said() -> None:
    uneven = truetune.agreement([["x", "x", "y"], ["y", "y", None]] * 10, plan=FAST)
    assert "items have from 2 to 3 ratings: no fleiss_kappa, which needs equally many of each" in uneven.warnings
    even = truetune.agreement([["x", "x", "y"], ["y", "y", "y"]] * 10, plan=FAST)
    assert even.score("fleiss_kappa").value < 1
    assert not even.warnings


def test_perfect_agreement_is_not_certain() -> None:
    score = truetune.agreement([["x", "x"], ["y", "y"]] * 10, plan=FAST).score("cohen_kappa")
    assert (score.value, score.high) == (1.0, 1.0)
    assert score.low < 1


def test_one_value_only_has_no_coefficient() -> None:
    score = truetune.agreement([["x", "x"]] * 4, plan=FAST).score("krippendorff_alpha")
    assert np.isnan(score.value)
    assert "all ratings are equal" in score.reason


def write(path: Path, text: str) -> str:
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_long_and_wide_files_say_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines = [
        f"{item},r{rater},{value}"
        for rater, given in enumerate(KRIPPENDORFF_2011)
        for item, value in enumerate(given)
        if value is not None
    ]
    long = write(tmp_path / "long.csv", "item,rater,rating\n" + "\n".join(lines) + "\n")
    wide = write(
        tmp_path / "wide.csv",
        "id,r0,r1,r2,r3\n"
        + "".join(f"{n},{','.join('' if v is None else str(v) for v in item)}\n" for n, item in enumerate(ITEMS)),
    )
    found = []
    for file in (long, wide):
        assert main(["agreement", file, "--scale", "interval", "--resamples", "300", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out))
    alpha = [next(s for s in one["scores"] if s["metric"] == "krippendorff_alpha") for one in found]
    assert alpha[0]["value"] == pytest.approx(0.849, abs=5e-4)
    assert alpha[1]["value"] == pytest.approx(alpha[0]["value"], abs=1e-12)
    assert found[0]["raters"] == found[1]["raters"] == ["r0", "r1", "r2", "r3"]
    assert found[0]["items"] == found[1]["items"] == 12
    assert main(["agreement", wide, "--raters", "r0", "r1", "--resamples", "300"]) == 0
    assert "cohen_kappa" in capsys.readouterr().out


def test_groups_of_items_are_the_unit() -> None:
    records = [{"id": n, "group": n // 2, "a": "xy"[n % 3 == 0], "b": "xy"[n % 2]} for n in range(40)]
    grouped = truetune.agreement(records, plan=FAST)
    assert "20 groups" in grouped.score("cohen_kappa").signature
    assert any("only 20 groups" in warning for warning in grouped.warnings)
    assert "groups" not in truetune.agreement(records, group="none", plan=FAST).score("cohen_kappa").signature


def test_names_in_order_need_their_order() -> None:
    ratings = [["low", "high"], ["middle", "middle"], ["high", "high"], ["low", "low"]] * 5
    with pytest.raises(MetricError, match="need `values`"):
        truetune.agreement(ratings, scale="ordinal", plan=FAST)
    result = truetune.agreement(ratings, scale="ordinal", values=["low", "middle", "high"], plan=FAST)
    assert result.values == ("low", "middle", "high")
    codes = [[0, 2], [1, 1], [2, 2], [0, 0]] * 5
    same = truetune.agreement(codes, scale="ordinal", plan=FAST)
    assert result.score("krippendorff_alpha").value == same.score("krippendorff_alpha").value


@pytest.mark.parametrize(
    ("ratings", "message"),
    [
        ([], "holds no rating"),
        ([{"id": 1, "a": "x"}], "one column for each of two or more raters"),
        ([{"id": 1, "a": "x", "b": "y"}] * 2, "item '1' stands already"),
        ([{"item": 1, "rater": "a", "rating": "x"}] * 2, "rater 'a' rated item '1' twice"),
        ([{"item": 1, "rater": "a", "label": "x"}], "but `rating` is not among the columns item, rater, label"),
        ([{"text": "t", "rater": "a", "rating": "x"}], "but `item` is not among the columns"),
        ([{"item": 1, "rater": "", "rating": "x"}], "expected a label"),
        ([["x", "y"], ["x", "y", "z"], ["x"]], None),
        ([["x", "y"], "xy"], "expected a record or a list"),
        ([{"id": 1, "group": "", "a": "x", "b": "y"}], "`group` is missing"),
    ],
)
def test_what_cannot_be_read_is_named(ratings: Any, message: str | None) -> None:
    if message is None:
        assert truetune.agreement(ratings, plan=FAST).raters == ("rater 1", "rater 2", "rater 3")
        return
    with pytest.raises(DataError, match=message):
        truetune.agreement(ratings, plan=FAST)


def test_intervals_are_numbers() -> None:
    with pytest.raises(DataError, match="expected a number, found 'high'"):
        truetune.agreement([["1", "high"]], scale="interval")
    with pytest.raises(MetricError, match="did you mean 'nominal'"):
        truetune.agreement([["1", "2"]], scale="nominl")  # type: ignore[arg-type]
    with pytest.raises(MetricError, match="did you mean 'cohen_kappa'"):
        truetune.agreement([["1", "2"]] * 3, plan=FAST).score("cohens_kappa")
