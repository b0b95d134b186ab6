"""Labels told by artefacts: planted ones are found by name, and labels that no rule tells are left in peace."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from truetune.audit.artefact_rules import Rule, Sample
from truetune.audit.artefacts import artefact_findings, sample_of, tried
from truetune.audit.parts import AuditPart

WORDS = ("river", "stone", "paper", "cloud", "window", "garden", "silver", "letter", "winter", "market", "bridge")


def part(
    seed: int = 0,
    number: int = 600,
    labels: tuple[str, ...] = ("good", "bad"),
    pairs: bool = False,
    groups: int = 0,
) -> AuditPart:
    """Random words with random labels."""
    rng = np.random.default_rng(seed)
    columns = [[" ".join(rng.choice(WORDS, rng.integers(6, 14))) for _ in range(number)] for _ in range(1 + pairs)]
    gold = [labels[code] for code in rng.integers(0, len(labels), number)]
    named = [str(one) for one in rng.integers(0, groups, number)] if groups else None
    return AuditPart("train", [str(place) for place in range(number)], columns, gold, named)


def changed(one: AuditPart, **values: object) -> AuditPart:
    old = {name: getattr(one, name) for name in ("name", "ids", "texts", "gold", "groups", "others")}
    return AuditPart(**(old | values))


def with_texts(one: AuditPart, change: Callable[[str, str], str], column: int = 0) -> AuditPart:
    texts = list(one.texts)
    texts[column] = [change(text, label) for text, label in zip(texts[column], one.gold or (), strict=True)]
    return changed(one, texts=texts)


def checks(one: AuditPart) -> dict[str, str]:
    return {found.check: found.severity for found in artefact_findings({one.name: one})}


@pytest.mark.parametrize(("pairs", "groups"), [(True, 0), (False, 100)])
def test_labels_that_nothing_tells_are_left_in_peace(pairs: bool, groups: int) -> None:
    for seed in range(6):
        clean = part(seed, labels=("good", "bad", "so so"), pairs=pairs, groups=groups)
        source = [str(code) for code in np.random.default_rng(seed + 1000).integers(0, 5, 600)]
        assert checks(changed(clean, others={"source": source})) == {}


def test_length_is_found() -> None:
    longer = with_texts(part(), lambda text, label: f"{text} {text}" if label == "good" else text)
    assert checks(longer) == {"labels told by the length": "warning"}
    rng = np.random.default_rng(1)
    some = with_texts(part(1, 2000), lambda text, label: text * 3 if label == "good" and rng.random() < 0.3 else text)
    assert checks(some) == {"labels told by the length": "note"}


def test_a_word_is_found_with_its_texts() -> None:
    marked = with_texts(part(), lambda text, label: f"{text} #a" if label == "good" else f"{text} #b")
    (found,) = artefact_findings({"train": marked})
    assert (found.check, found.severity) == ("labels told by one word", "warning")
    assert "'a' stands" in found.advice
    assert "100.0% of the other half right" in found.advice
    assert all(one.endswith(" [good]") for one in found.examples)


def test_names_of_labels_in_texts_are_found_as_words_only() -> None:
    labels = ("sports", "home news", "arts", "science", "law")
    named = with_texts(part(labels=labels), lambda text, label: f"{label}: {text}")
    assert checks(named)["labels named in their text"] == "warning"
    inside = with_texts(part(labels=labels), lambda text, label: f"x{label.replace(' ', '')}x {text}")
    assert "labels named in their text" not in checks(inside)
    chinese = with_texts(part(labels=("体育", "科学", "法律")), lambda text, label: f"{text}属于{label}类")
    assert "labels named in their text" in checks(chinese)


def test_a_column_is_found_unless_it_is_a_label_itself() -> None:
    one = part()
    source = ["site A" if label == "good" else "site B" for label in one.gold or ()]
    assert checks(changed(one, others={"source": source})) == {"labels told by a column": "warning"}
    assert checks(changed(one, groups=source)) == {"labels told by a column": "warning"}
    assert checks(changed(one, others={"label_name": source, "url": [f"u{place}" for place in range(600)]})) == {}


def test_one_text_of_a_pair_that_tells_the_label_is_found() -> None:
    told = with_texts(
        part(pairs=True), lambda text, label: f"{text} {'not' if label == 'bad' else 'surely'} it", column=1
    )
    assert checks(told)["labels told by one text of several"] == "warning"
    (found,) = [one for one in artefact_findings({"train": told}) if one.check.endswith("several")]
    assert found.advice.startswith("the words of text 2 alone")


def test_a_rule_is_tried_on_the_other_half_only() -> None:
    codes = np.array([0] * 12 + [1] * 8 + [0, 0, 1, 1, 1])
    fitted = np.arange(25) < 20
    sample = Sample([""] * 25, [], codes, ["a", "b"], fitted, np.arange(25))
    values = np.array([0] * 12 + [1] * 8 + [0, 1, 1, 1, 0])
    found = tried(sample, Rule("column", values))
    # Value 1 stands 8 times in the first half, less often than 10: it has the most frequent label, and nothing is won.
    assert (found.right, found.majority, found.examples, found.p) == (2, 2, 5, 1.0)
    codes[18], codes[19] = 1, 1
    values[10:12] = 1
    codes[10:12] = 1
    found = tried(sample, Rule("column", values))
    # Value 1 is b: right at places 20, 22, 23, where always a gets 20, 21: two better, one worse, P(2 or 3 of 3) = 1/2.
    assert (found.right, found.majority, found.examples, found.p) == (3, 2, 5, 0.5)
    assert found.repaired == pytest.approx(1 / 3)
    grouped = Sample([""] * 25, [], codes, ["a", "b"], fitted, np.array([*range(20), 20, 21, 22, 22, 23]))
    assert tried(grouped, Rule("column", values)).p == 0.75


def test_groups_and_copies_stay_in_one_half() -> None:
    one = part(groups=120)
    found = sample_of(one)
    assert found is not None
    sample, chosen = found
    groups = [one.groups[place] for place in chosen.tolist()]
    halves = {group: set() for group in groups}
    for group, fitted in zip(groups, sample.fitted.tolist(), strict=True):
        halves[group].add(fitted)
    assert all(len(half) == 1 for half in halves.values())
    doubled = changed(one, ids=list(one.ids) * 2, texts=[list(one.texts[0]) * 2], gold=[*one.gold, *one.gold][:1200])
    doubled = changed(doubled, groups=None)
    again = sample_of(doubled)
    assert again is not None
    assert len(again[1]) == len(set(one.texts[0]))


@pytest.mark.parametrize("gold", [[["good"]] * 600, [0.5] * 600, ["good"] * 600])
def test_other_gold_has_no_artefacts(gold: list[object]) -> None:
    assert checks(changed(part(), gold=gold)) == {}
    assert checks(part(number=150)) == {}
