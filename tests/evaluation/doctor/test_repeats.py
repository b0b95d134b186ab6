"""Repeated test texts, and test texts that training has seen, with the score that is left without them."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.data.keys import hashed
from truetune.evaluation.doctor.case import Case
from truetune.evaluation.doctor.repeats import seen_findings

from .planted import classified, found


def test_repeats_that_carry_the_score_are_found_with_the_score_without_them() -> None:
    case = classified(1, 200, strength=1.0)
    texts = [f"text number {place}" for place in range(200)]
    easy = [place for place in range(200) if case.gold[place] == case.predicted[place]][:40]
    places = [*range(200), *easy, *easy]
    gold = [
        {"label": case.gold[place], "text": texts[place] if number < 200 else texts[place].upper() + "!"}
        for number, place in enumerate(places)
    ]
    said = [case.predicted[place] for place in places]
    finding = found("classification", gold, said)["repeated test texts"]
    assert finding.severity == "warning"
    assert finding.count == 80
    accuracy = np.mean([one == other for one, other in zip(case.gold, case.predicted, strict=True)])
    with_copies = np.mean([one["label"] == other for one, other in zip(gold, said, strict=True)])
    assert f"{with_copies:.3f} of the examples are right with them, {accuracy:.3f} without" in finding.advice
    assert not found("classification", gold[:200], said[:200])


def test_repeats_that_change_nothing_are_a_note_and_few_are_none() -> None:
    case = classified(2, 200)
    gold = [{"label": label, "text": f"text {place % 150}"} for place, label in enumerate(case.gold)]
    assert found("classification", gold, case.predicted)["repeated test texts"].severity == "note"
    gold = [{"label": label, "text": f"text {max(place, 3)}"} for place, label in enumerate(case.gold)]
    assert not found("classification", gold, case.predicted)


def test_what_training_has_seen_is_found_by_its_normalised_text() -> None:
    gold = [str(place % 2) for place in range(60)]
    said = ["1" if place >= 30 else label for place, label in enumerate(gold)]
    texts = [f"A text, number {place}" for place in range(60)]
    case = Case(
        "classification", [str(place) for place in range(60)], {"label": gold}, {"label": said}, {"text": texts}
    )
    (finding,) = seen_findings(case, hashed([f"atextnumber{place}" for place in range(30)], 30))
    assert (finding.severity, finding.count) == ("error", 30)
    assert "0.750 of the examples are right with them, 0.500 without" in finding.advice
    assert list(seen_findings(case, hashed(["something else"], 1))) == []


@pytest.mark.parametrize("column", ["source", "document"])
def test_names_of_slices_and_groups_are_no_repeated_texts(column: str) -> None:
    case = classified(3, 200)
    gold = [{"label": label, column: f"site {place % 7}"} for place, label in enumerate(case.gold)]
    assert not found("classification", gold, case.predicted)
    long = [{**one, column: f"{one[column]} is where this text was read by us"} for one in gold]
    assert found("classification", long, case.predicted)["repeated test texts"].count == 193
