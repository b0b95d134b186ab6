"""Scores beside labels: logits, sums, contradictions, one logit of two, the wrong way round."""

from __future__ import annotations

import numpy as np
import pytest

import truetune
from truetune.errors import DataError
from truetune.evaluation.doctor.case import Case
from truetune.evaluation.doctor.label_scores import score_findings
from truetune.types import Finding

from .planted import SENTIMENT, Classified, classified, found, scored

TWO = ("negative", "positive")


def sigmoid(values: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-values))


@pytest.mark.parametrize("seed", range(20))
def test_probabilities_of_the_same_system_are_clean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = SENTIMENT if seed % 2 else TWO
    case = classified(seed, int(rng.integers(20, 500)), labels, strength=float(rng.uniform(0, 4)))
    assert not found("classification", case.gold, scored(labels, case.predicted, case.probabilities))
    rounded = np.round(case.probabilities, 4)
    assert not found("classification", case.gold, scored(labels, case.predicted, rounded))


def test_a_threshold_other_than_one_half_contradicts_nothing() -> None:
    case = classified(5, 400, TWO, strength=1.0)
    values = case.probabilities
    said = ["positive" if share > 0.2 else "negative" for share in values[:, 1]]
    assert not found("classification", case.gold, scored(TWO, said, values))


def by_the_detector(case: Classified, values: np.ndarray) -> dict[str, Finding]:
    """What is found in scores that no reading has refused: those of a caller who has columns already."""
    columns = {"label": case.predicted, "scores": [row["scores"] for row in scored(SENTIMENT, case.predicted, values)]}
    ids = [str(place) for place in range(len(case.gold))]
    return {one.check: one for one in score_findings(Case("classification", ids, {"label": case.gold}, columns, {}))}


@pytest.mark.parametrize("task", ["classification", "relations"])
def test_logits_are_refused_or_found(task: str) -> None:
    case = classified(6)
    with pytest.raises(DataError, match="raw logit"):
        truetune.evaluate(task=task, gold=case.gold, predicted=scored(SENTIMENT, case.predicted, case.logits))
    assert by_the_detector(case, case.logits)["scores are logits"].severity == "error"
    assert not by_the_detector(case, case.probabilities)


@pytest.mark.parametrize("task", ["classification", "relations"])
def test_wrong_sums_are_refused_or_found(task: str) -> None:
    case = classified(6)
    sigmoids = sigmoid(case.logits)
    with pytest.raises(DataError, match="sum to 1"):
        truetune.evaluate(task=task, gold=case.gold, predicted=scored(SENTIMENT, case.predicted, sigmoids))
    assert by_the_detector(case, sigmoids)["scores do not sum to 1"].count == 400


def test_one_logit_of_two_contradicts_the_label() -> None:
    case = classified(7, 400, TWO, strength=1.5)
    one = sigmoid(case.logits[:, 1])
    finding = found("classification", case.gold, scored(TWO, case.predicted, np.stack([1 - one, one], axis=1)))
    assert list(finding) == ["scores contradict the label"]
    assert finding["scores contradict the label"].count > 20


def test_scores_of_another_run_contradict_the_label() -> None:
    case, other = classified(8), classified(8, strength=1.0)
    finding = found("classification", case.gold, scored(SENTIMENT, case.predicted, other.probabilities))
    number = sum(one != two for one, two in zip(case.predicted, other.predicted, strict=True))
    assert finding["scores contradict the label"].count == number > 0


def test_swapped_columns_rank_the_wrong_way_round() -> None:
    case = classified(9, 400, TWO)
    findings = found("classification", case.gold, scored(TWO, case.predicted, case.probabilities[:, ::-1]))
    assert findings["scores rank the wrong way round"].severity == "error"
    assert findings["scores contradict the label"].severity == "error"
    result = truetune.evaluate(
        task="classification", gold=case.gold, predicted=scored(TWO, case.predicted, case.probabilities[:, ::-1])
    )
    assert any("wrong way round" in warning for warning in result.warnings)


def test_distances_instead_of_scores_rank_the_wrong_way_round_for_several_labels() -> None:
    rng = np.random.default_rng(3)
    gold = [sorted(set(rng.choice(list("abcd"), rng.integers(1, 3)).tolist())) for _ in range(300)]
    right = np.array([[0.2 + 0.6 * (label in each) for label in "abcd"] for each in gold])
    values = np.clip(right + rng.normal(scale=0.15, size=right.shape), 0, 1)
    said = [[label for label, one in zip("abcd", row, strict=True) if one > 0.5] for row in values]

    def records(scores: np.ndarray) -> list[dict[str, object]]:
        return [
            {"labels": each, "scores": dict(zip("abcd", row, strict=True))}
            for each, row in zip(said, scores.tolist(), strict=True)
        ]

    assert not found("classification", gold, records(values))
    assert found("classification", gold, records(1 - values))["scores rank the wrong way round"].count == 4
