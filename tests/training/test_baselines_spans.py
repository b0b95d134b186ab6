from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from truetune.text import words
from truetune.training.baselines import Columns, Part
from truetune.training.baselines_lookup import Gazetteer, all_outside, entities_seen, lookup
from truetune.training.baselines_pieces import PieceFeatures, frozen_pieces
from truetune.training.baselines_window import window_linear
from truetune.training.tagging import Units
from truetune.training.window_features import Features, Sentence, looks

FIRST, LAST, VERBS = ["Ann", "Bob", "Cid", "Dan", "Eve"], ["Lee", "Moss", "Park", "Ray"], ["met", "saw", "left"]
CITIES = ["Rome", "Oslo", "Lima", "New York", "Bonn"]


def silent(line: str) -> None:
    pass


def span_f1(gold: Sequence[Any], predicted: Columns) -> float:
    pairs = list(zip(gold, predicted["spans"], strict=True))
    hits = sum(len({tuple(span) for span in one} & {tuple(span) for span in other}) for one, other in pairs)
    total = sum(len(one) + len(other) for one, other in pairs)
    return 2 * hits / total if total else float("nan")


def stories(number: int, seed: int, cities: Sequence[str] = CITIES) -> Part:
    """`NAME VERB somebody in CITY .`: names are told by their place, cities by the word before."""
    rng = np.random.default_rng(seed)
    texts, gold = [], []
    for _ in range(number):
        name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
        city = str(rng.choice(cities))
        text = f"{name} {rng.choice(VERBS)} somebody in {city} ."
        start = text.index(city)
        texts.append(text)
        gold.append([(0, len(name), "PER"), (start, start + len(city), "LOC")])
    return Part(texts, gold)


def test_all_outside_finds_nothing() -> None:
    found = all_outside(stories(3, 1), 2, span_f1)
    assert found.predicted == {"spans": [[], []]}
    assert found.validation == 0.0


def test_the_longest_entity_is_matched_on_word_borders() -> None:
    gazetteer = Gazetteer.of({"New York": "LOC", "York": "LOC", "New York Times": "ORG", "May": "PER"})
    text = "The New York Times of York, Yorkshire; New York. Mayor May"
    assert [(text[low:high], kind) for low, high, kind in gazetteer.matches(text)] == [
        ("New York Times", "ORG"),
        ("York", "LOC"),
        ("New York", "LOC"),
        ("May", "PER"),
    ]


def test_chinese_entities_are_matched_by_character() -> None:
    gazetteer = Gazetteer.of({"北京": "LOC", "北京大学": "ORG"})
    assert gazetteer.matches("在北京，北京大学") == [(1, 3, "LOC"), (4, 8, "ORG")]


def test_what_training_tells_of_an_entity() -> None:
    train = Part(
        ["May came.", "It may be May.", "May 5, May 6"], [[(0, 3, "PER")], [(10, 13, "DATE")], [(0, 3, "DATE")]]
    )
    seen = entities_seen(train)["May"]
    assert (seen.type, seen.texts) == ("DATE", 3)
    assert seen.purity == 0.5  # of four matches, two are a DATE in gold


def test_lookup_learns_how_pure_an_entity_has_to_be() -> None:
    texts = ["May runs", "May 5", "May 6", "May 7", "May 8", "Ann runs"] * 5
    gold: list[list[tuple[int, int, str]]] = [[(0, 3, "PER")], [], [], [], [], [(0, 3, "PER")]] * 5
    found = lookup(Part(texts, gold), Part(texts, gold), ["May 9", "Ann sits"], span_f1)
    assert found.settings["purity"] == 0.25  # the least purity, 0, would call each May a person
    assert found.predicted == {"spans": [[], [(0, 3, "PER")]]}


def test_the_window_tagger_finds_what_lookup_cannot_know() -> None:
    train, validation = stories(300, 1), stories(60, 2)
    unseen = stories(100, 3, cities=["Kiev", "Turin", "Quito"])
    by_list = lookup(train, validation, unseen.inputs, span_f1)
    by_window = window_linear(train, validation, unseen.inputs, span_f1, silent)
    assert span_f1(unseen.gold, by_list.predicted) < 0.7
    assert span_f1(unseen.gold, by_window.predicted) > 0.9
    assert by_window == window_linear(train, validation, unseen.inputs, span_f1, silent)


def test_the_window_tagger_copes_with_texts_without_words_and_without_spans() -> None:
    train = Part(["a b", "Ann Lee", ""], [[], [(0, 7, "PER")], []])
    found = window_linear(train, train, ["", "x"], span_f1, silent)
    assert len(found.predicted["spans"]) == 2
    nothing = Part(["a b", "c"], [[], []])
    assert window_linear(nothing, nothing, ["a"], span_f1, silent).predicted == {"spans": [[]]}


def test_looks_of_words() -> None:
    assert looks("McDonald's") == ("McDonald's", "XxXx'x", "mcd", "d's")
    assert looks("3.14") == ("3.14", "d.d", "3.1", ".14")
    assert looks("好") == ("好", "c", "", "")


def test_a_word_is_described_by_its_neighbours_within_its_sentence() -> None:
    nothing = np.zeros(2, dtype=np.int64)
    one, two = Sentence(["a", "b"], nothing), Sentence(["a", "b"], nothing)
    features = Features.of([one, two])
    together = features.matrix([one, two]).toarray()
    assert np.array_equal(together[:2], together[2:])  # the sentence before does not reach in
    assert np.array_equal(together[:2], features.matrix([one]).toarray())
    listed = Sentence(["a", "b"], np.array([0, 1]))
    assert not np.array_equal(features.matrix([listed]).toarray(), together[:2])


def pieces(part: Part) -> list[PieceFeatures]:
    """Features that tell the tag, with noise: what a pretrained model's would."""
    rng = np.random.default_rng(0)
    found = []
    for text, spans in zip(part.inputs, part.gold, strict=True):
        offsets = np.array(words(text), dtype=np.int64)
        array = rng.normal(scale=0.2, size=(len(offsets), 6)).astype(np.float32)
        for start, end, kind in spans:
            inside = (offsets[:, 0] >= start) & (offsets[:, 1] <= end)
            array[inside, 0 if kind == "PER" else 1] += 1
            array[offsets[:, 0] == start, 2] += 1
        found.append(PieceFeatures(array, Units(offsets[:, 0], offsets[:, 1])))
    return found


def test_frozen_pieces_read_spans_off_features() -> None:
    train, validation, test = stories(80, 1), stories(40, 2), stories(40, 3)
    found = frozen_pieces(
        Part(pieces(train), train.gold), Part(pieces(validation), validation.gold), pieces(test), span_f1, silent
    )
    assert span_f1(test.gold, found.predicted) > 0.95
    assert set(found.settings) == {"C"}


def test_frozen_pieces_say_when_they_fit_a_sample(monkeypatch: Any) -> None:
    monkeypatch.setattr("truetune.training.baselines_pieces.MOST_PIECES", 100)
    train, test = stories(80, 1), stories(5, 3)
    part = Part(pieces(train), train.gold)
    found = frozen_pieces(part, part, pieces(test), span_f1, silent)
    assert "of 80 training texts, drawn at random" in found.notes[0]
