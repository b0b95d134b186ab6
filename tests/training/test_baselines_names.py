"""Labels found by their names alone, with features worked by hand."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.tasks.base import Labels
from truetune.training.baselines import Columns, Part
from truetune.training.baselines_names import asked, class_names, cosines, likeliest, spoken

LABELS = Labels(("east", "north"))
NAMES = {"{name}": np.array([[2.0, 0.0], [0.0, 3.0]])}
TEXTS = np.array([[5.0, 1.0], [1.0, 4.0], [0.2, 0.1]])


def accuracy(gold: object, predicted: Columns) -> float:
    return float(np.mean([one == other for one, other in zip(gold, predicted["label"], strict=True)]))  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("label", "words"),
    [
        ("card_arrival", "card arrival"),
        ("cardArrival", "card Arrival"),
        ("lost-or/stolen", "lost or stolen"),
        ("USA", "USA"),
        ("体育", "体育"),
        ("1", "1"),
        ("_", "_"),
    ],
)
def test_a_label_is_read_as_words(label: str, words: str) -> None:
    assert spoken(label) == words


def test_every_template_holds_every_name() -> None:
    assert asked(Labels(("card_lost", "体育")))["a text about {name}"] == [
        "a text about card lost",
        "a text about 体育",
    ]


def test_the_label_with_the_nearest_name_is_given_whatever_the_training_part_says() -> None:
    found = class_names(Part(TEXTS, ["east", "north", "east"]), TEXTS[::-1], NAMES, LABELS, accuracy)
    assert found.predicted["label"] == ["east", "north", "east"]
    assert found.validation == 1.0
    assert found.settings == {"template": "{name}", "centred": 0, "temperature": found.settings["temperature"]}
    assert all(sum(one.values()) == pytest.approx(1) for one in found.predicted["scores"])


def test_cosines_by_hand() -> None:
    found = cosines(np.array([[3.0, 4.0], [0.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 3.0]]))
    assert found == pytest.approx(np.array([[0.6, 0.8], [0.0, 0.0]]))


def test_temperature_is_low_where_names_are_right_and_high_where_they_are_not() -> None:
    cosine = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert likeliest(cosine, np.array([0, 1])) == 0.01, "lower ones are no more likely to the last digit"
    assert likeliest(cosine, np.array([1, 0])) == 0.3


def test_what_all_texts_share_is_taken_off_where_that_validates() -> None:
    shared = np.array([10.0, 0.0])  # Every text lies towards the east; what they differ in is small.
    texts = np.array([[1.0, 0.0], [-1.0, 0.1], [1.0, 0.1], [-1.0, 0.2]]) + shared
    gold = ["east", "north", "east", "north"]
    found = class_names(Part(texts, gold), texts, NAMES, LABELS, accuracy)
    assert found.settings["centred"] == 1
    assert found.predicted["label"] == gold


def test_several_labels_have_a_probability_each_and_a_threshold() -> None:
    labels = Labels(LABELS.names, multiple=True)

    def exact(gold: object, predicted: Columns) -> float:
        return float(np.mean([one == other for one, other in zip(gold, predicted["labels"], strict=True)]))  # type: ignore[call-overload]

    texts = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    gold = [("east",), ("north",), ("east", "north"), ()]
    found = class_names(Part(texts, gold), texts, NAMES, labels, exact)
    assert found.predicted["labels"] == gold
    assert "threshold" in found.settings


def test_labels_that_training_never_saw_do_not_matter() -> None:
    found = class_names(Part(TEXTS, ["east", "west", "east"]), TEXTS, NAMES, LABELS, accuracy)
    assert found.predicted["label"] == ["east", "north", "east"]
