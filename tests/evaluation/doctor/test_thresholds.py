"""A threshold chosen on the scored examples is noted; one half, one from validation and costs are not."""

from __future__ import annotations

import numpy as np

from .planted import classified, found, scored

CHECK = "threshold is the best one here"
TWO = ("negative", "positive")


def best_threshold(gold: list[str], score: np.ndarray) -> float:
    """The threshold with the highest F1 of `positive`, by trying them all."""

    def f1(threshold: float) -> float:
        said = score >= threshold
        right = np.array([label == "positive" for label in gold])
        return float(2 * (said & right).sum() / max(said.sum() + right.sum(), 1))

    return max(np.unique(score).tolist(), key=f1)


def said_at(threshold: float, score: np.ndarray) -> list[str]:
    return ["positive" if one >= threshold else "negative" for one in score]


def test_the_best_threshold_of_the_test_set_is_noted_and_that_of_validation_is_not() -> None:
    noted = {"test": 0, "validation": 0}
    for seed in range(30):
        test, validation = classified(seed, 400, TWO, 0.8), classified(seed + 100, 400, TWO, 0.8)
        score = test.probabilities[:, 1]
        chosen = {
            "test": best_threshold(test.gold, score),
            "validation": best_threshold(validation.gold, validation.probabilities[:, 1]),
        }
        for name, threshold in chosen.items():
            findings = found("classification", test.gold, scored(TWO, said_at(threshold, score), test.probabilities))
            assert set(findings) <= {CHECK}
            noted[name] += CHECK in findings
        assert not found("classification", test.gold, scored(TWO, test.predicted, test.probabilities))
    assert noted["test"] >= 25
    assert noted["validation"] <= 3
