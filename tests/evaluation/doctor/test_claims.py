"""Stated scores: true ones pass, and the mistakes that give false ones are named."""

from __future__ import annotations

import numpy as np
import pytest
import sacrebleu

import truetune
from truetune.cli.main import main
from truetune.errors import MetricError
from truetune.evaluation.doctor.claims import Claim
from truetune.types import Finding

from .planted import classified

CASE = classified(3, 413, strength=1.0)


def findings(claimed: dict[str, str | float], task: str = "classification") -> tuple[Finding, ...]:
    return truetune.check_scores(task=task, gold=CASE.gold, predicted=CASE.predicted, claimed=claimed)


def f1(gold: list[str], predicted: list[str]) -> float:
    """Macro F1 by its definition, over the labels of these examples."""
    values = []
    for label in {*gold, *predicted}:
        hits = sum(one == other == label for one, other in zip(gold, predicted, strict=True))
        values.append(2 * hits / (gold.count(label) + predicted.count(label)))
    return float(np.mean(values))


def batches(size: int) -> list[tuple[list[str], list[str]]]:
    return [(CASE.gold[at : at + size], CASE.predicted[at : at + size]) for at in range(0, len(CASE.gold), size)]


@pytest.mark.parametrize("form", ["{:.2f}", "{:.4f}", "{:.6f}"])
def test_true_scores_pass_as_shares_and_in_per_cent(form: str) -> None:
    accuracy = np.mean([one == other for one, other in zip(CASE.gold, CASE.predicted, strict=True)])
    assert findings({"accuracy": form.format(accuracy), "f1_macro": form.format(f1(CASE.gold, CASE.predicted))}) == ()
    assert findings({"accuracy": form.format(100 * accuracy)}) == ()
    assert findings({"accuracy": form.format(100 * accuracy) + "%"}) == ()


@pytest.mark.parametrize("size", [16, 32, 64])
def test_a_mean_over_batches_is_named_with_its_size(size: int) -> None:
    mean = np.mean([f1(*batch) for batch in batches(size)])
    (finding,) = findings({"f1_macro": f"{mean:.6f}"})
    assert finding.examples[0] == f"a mean over batches of {size}"
    assert f"is {f1(CASE.gold, CASE.predicted):.4f}" in finding.advice


def test_the_padded_duplicates_of_the_last_batch_are_named() -> None:
    missing = -len(CASE.gold) % 64
    twice = [(*CASE.gold, *CASE.gold[:missing]), (*CASE.predicted, *CASE.predicted[:missing])]
    accuracy = np.mean([one == other for one, other in zip(*twice, strict=True)])
    (finding,) = findings({"accuracy": f"{accuracy:.6f}"})
    assert "all examples and the first ones again, to fill up batches of 64" in finding.examples


def test_another_metric_is_named_and_an_invented_number_is_not() -> None:
    weighted = next(
        one.value
        for one in truetune.evaluate(task="classification", gold=CASE.gold, predicted=CASE.predicted).scores
        if one.metric == "f1_weighted"
    )
    (finding,) = findings({"f1_macro": f"{weighted:.6f}"})
    assert finding.examples == ("another metric, f1_weighted",)
    (finding,) = findings({"f1_macro": 0.987654})
    assert finding.examples == ()
    assert "other predictions or other gold" in finding.advice


def test_few_digits_near_the_true_number_may_be_chance() -> None:
    """Of numbers with three digits next to the true one most come out of one batch size or another."""
    accuracy = float(np.mean([one == other for one, other in zip(CASE.gold, CASE.predicted, strict=True)]))
    near = [found for k in (-4, -3, -2, 2, 3, 4) for found in findings({"accuracy": f"{accuracy + k / 1000:.3f}"})]
    explained = [found for found in near if found.examples]
    assert len(explained) >= 3
    assert all("may be chance" in found.advice for found in explained)
    mean = np.mean([f1(*batch) for batch in batches(32)])
    (exact,) = findings({"f1_macro": f"{mean:.6f}"})
    assert "may be chance" not in exact.advice


def test_the_share_of_near_numbers_that_mistakes_give_by_hand() -> None:
    claim = Claim("accuracy", "0.82")
    # As near to .80 are .78, .79, .81 and .82; given are .79 (twice) and .82, and .90, which is further away.
    assert claim.coincidence(0.8, [0.79, 0.791, 0.82, 0.9, 0.8, np.nan]) == 0.5
    assert Claim("accuracy", "82%").coincidence(0.8, [0.79, 0.791, 0.82, 0.9, 0.8]) == 0.5


def test_the_mean_over_the_labels_of_gold_is_named() -> None:
    predicted = ["fourth", *CASE.predicted[1:]]
    known = sorted(set(CASE.gold))
    values = []
    for label in known:
        hits = sum(one == other == label for one, other in zip(CASE.gold, predicted, strict=True))
        values.append(2 * hits / (CASE.gold.count(label) + predicted.count(label)))
    (finding,) = truetune.check_scores(
        task="classification", gold=CASE.gold, predicted=predicted, claimed={"f1_macro": f"{np.mean(values):.6f}"}
    )
    assert "the mean over the labels of gold only" in finding.examples


def test_a_mean_of_sentence_scores_is_not_bleu() -> None:
    rng = np.random.default_rng(1)
    words = ["the", "a", "cat", "dog", "sat", "ran", "on", "in", "mat", "house", "quickly", "today"]
    gold = [" ".join(rng.choice(words, 9)) for _ in range(60)]
    said = [" ".join(w if rng.random() < 0.8 else "x" for w in text.split()) for text in gold]
    mean = np.mean([sacrebleu.sentence_bleu(one, [right]).score for right, one in zip(gold, said, strict=True)])
    (finding,) = truetune.check_scores(task="translation", gold=gold, predicted=said, claimed={"bleu": f"{mean:.4f}"})
    assert finding.examples[0] == "a mean over single examples, batches of 1"
    corpus = sacrebleu.corpus_bleu(said, [gold]).score
    assert truetune.check_scores(task="translation", gold=gold, predicted=said, claimed={"bleu": f"{corpus:.2f}"}) == ()


def test_the_command_line_exits_1_for_a_false_claim(tmp_path, capsys) -> None:  # type: ignore[no-untyped-def]
    for name, column in (("gold", CASE.gold), ("said", CASE.predicted)):
        (tmp_path / f"{name}.csv").write_text("label\n" + "\n".join(column) + "\n", encoding="utf-8")
    command = ["evaluate", "--task", "classification", "--gold", str(tmp_path / "gold.csv")]
    command += ["--predicted", str(tmp_path / "said.csv"), "--resamples", "100"]
    accuracy = np.mean([one == other for one, other in zip(CASE.gold, CASE.predicted, strict=True)])
    assert main([*command, "--claimed", f"accuracy={accuracy:.3f}"]) == 0
    capsys.readouterr()
    assert main([*command, "--claimed", "accuracy=0.99"]) == 1
    assert "stated score is not that of these predictions" in capsys.readouterr().err


def test_a_claim_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(MetricError, match="accuracy"):
        findings({"acuracy": "0.9"})
