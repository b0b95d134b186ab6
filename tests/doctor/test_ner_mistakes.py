"""Mistakes 1 to 4: sub-words, truncation, leniency, O."""

from __future__ import annotations

from truetune import check_scores

from . import planting
from .systems import evaluated, found, lines_of, tagged


def ways(gold: object, predicted: object, stated: float) -> tuple[str, ...]:
    (finding,) = check_scores(task="ner", gold=gold, predicted=predicted, claimed={"span_f1": f"{stated:.6f}"})  # type: ignore[arg-type]
    return finding.examples


def test_01_a_tag_on_every_piece() -> None:
    gold, predicted = tagged()
    assert found("ner", gold, planting.a_tag_a_piece(predicted)) == {"one span a piece"}
    assert not found("ner", gold, predicted)


def test_02_truncation_of_predictions_and_of_gold() -> None:
    gold, predicted = tagged()
    assert "no span behind a place" in found("ner", gold, planting.cut_at(predicted, 150))
    cut = [
        {**one, "spans": some} for one, some in zip(gold, planting.cut_at([o["spans"] for o in gold], 150), strict=True)
    ]
    assert found("ner", cut, planting.cut_at(predicted, 150)) == {"gold stops before the texts do"}
    assert not found("ner", gold, predicted)
    whole, lost = (
        evaluated("ner", gold, said).score("span_f1").value for said in (predicted, planting.cut_at(predicted, 150))
    )
    assert lost < whole, "what was cut counts as missed"


def test_03_leniency_is_another_metric_with_another_name() -> None:
    gold, predicted = tagged()
    lenient = planting.wider(predicted, [one["text"] for one in gold])
    scores = evaluated("ner", gold, lenient)
    assert scores.score("span_f1").value < 0.1
    assert scores.score("span_f1_type").value > 0.7
    assert "strict" in scores.score("span_f1").signature
    assert ways(gold, lenient, scores.score("span_f1_type").value)[0] == "another metric, span_f1_type"
    strict = evaluated("ner", gold, predicted).score("span_f1").value
    assert check_scores(task="ner", gold=gold, predicted=predicted, claimed={"span_f1": f"{strict:.4f}"}) == ()


def test_04_o_never_counts_in_f1_and_a_score_with_o_is_recognised() -> None:
    gold = lines_of("sentences")
    predicted = [one["spans"][1:] if number % 3 else one["spans"] for number, one in enumerate(gold)]
    nothing: list[list[object]] = [[] for _ in predicted]
    assert evaluated("ner", gold, nothing).score("span_f1").value == 0
    assert evaluated("ner", gold, nothing).score("token_accuracy").value > 0.4
    with_o = evaluated("ner", gold, predicted).score("token_accuracy").value
    assert "another metric, token_accuracy" in ways(gold, predicted, with_o)
