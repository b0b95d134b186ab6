"""Bad input: each case is an error that names the place, or a warning that names what is odd; never a number alone.

Every case goes through the command and through Python; beside it stands its clean twin.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.cli.main import main
from truetune.errors import TruetuneError
from truetune.stats.plan import Plan

Records = list[dict[str, Any]]
Said = pytest.CaptureFixture[str]
FAST = Plan(resamples=200)


def labels(text: str) -> Records:
    return [{"label": label} for label in text]


def scored(*pairs: tuple[float, float]) -> Records:
    return [{"label": "ab"[b > a], "scores": {"a": a, "b": b}} for a, b in pairs]


def with_ids(ids: str, text: str) -> Records:
    return [{"id": name, "label": label} for name, label in zip(ids, text, strict=True)]


def spans(*each: list[Any], text: str | None = None) -> Records:
    record: dict[str, Any] = {"spans": list(each)} if text is None else {"text": text, "spans": list(each)}
    return [record] * 12


def write(path: Path, rows: Records) -> str:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return str(path)


@pytest.fixture
def command(tmp_path: Path, capsys: Said) -> Callable[[str, Records, Records], tuple[int, str, str]]:
    def run(task: str, gold: Records, said: Records) -> tuple[int, str, str]:
        files = write(tmp_path / "gold.jsonl", gold), write(tmp_path / "said.jsonl", said)
        words = ["evaluate", "--task", task, "--gold", files[0], "--predicted", files[1], "--resamples", "200"]
        status = main(words)
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


ANNA = spans([0, 4, "P"], text="Anna met Bob")
NAN, INFINITE = float("nan"), float("inf")
ERRORS: dict[str, tuple[str, Records, Records, str]] = {
    "spans beside tags": (
        "ner",
        ANNA,
        [{"tags": ["B-P", "O", "O"]}] * 12,
        "no metric reads both sides: gold holds `text`, `spans`, predicted `tags`; expected `tags` in gold and `tags`",
    ),
    "more masked pieces right than there are": (
        "masked-language-modeling",
        [{"tokens": 3}, {"tokens": 4}],
        [{"hits": 3, "log_likelihood": -2.0}, {"hits": 5, "log_likelihood": -2.0}],
        "example 2 has 5 hits of 4 tokens (1 such); expected no more hits than tokens",
    ),
    "one label beside several": (
        "classification",
        [{"label": "a"}] * 12,
        [{"labels": ["a"]}] * 12,
        "no metric reads both sides: gold holds `label`, predicted `labels`; expected `label` in gold and `label`",
    ),
    "fewer predictions than gold": (
        "classification",
        labels("abab"),
        labels("aba"),
        "id '4' of gold has no prediction",
    ),
    "more predictions than gold": ("classification", labels("aba"), labels("abab"), "predicted but stands not in gold"),
    "missing id": (
        "classification",
        with_ids("xyz", "aba"),
        with_ids("xyw", "aba"),
        "id 'z' of gold has no prediction",
    ),
    "id on one side only": (
        "classification",
        with_ids("xyz", "aba"),
        labels("aba"),
        "id 'x' of gold has no prediction",
    ),
    "example without an id": (
        "classification",
        [*with_ids("xy", "ab"), {"label": "a"}],
        with_ids("xyz", "aba"),
        "`id` is missing",
    ),
    "doubled id in gold": ("classification", with_ids("xyx", "aba"), with_ids("xyz", "aba"), "id 'x' stands already"),
    "doubled id in predicted": (
        "classification",
        with_ids("xyz", "aba"),
        with_ids("xyy", "aba"),
        "id 'y' stands already",
    ),
    "score above 1": ("classification", labels("ab"), scored((1.2, -0.2), (0.5, 0.5)), "found 1.2 of label 'a'"),
    "score below 0": ("classification", labels("ab"), scored((0.5, 0.5), (1.1, -0.1)), "found 1.1 of label 'a'"),
    "sum below 1": ("classification", labels("ab"), scored((0.5, 0.2), (0.5, 0.5)), "found a sum of 0.7"),
    "score NaN": (
        "classification",
        labels("ab"),
        scored((NAN, 0.5), (0.5, 0.5)),
        "expected a finite number, found nan",
    ),
    "score infinite": ("classification", labels("ab"), scored((INFINITE, 0.5), (0.5, 0.5)), "finite number, found inf"),
    "gold label without a score": ("classification", labels("ac"), scored((0.5, 0.5), (0.5, 0.5)), "gold label 'c'"),
    "scores of some examples": (
        "classification",
        labels("ab"),
        [*scored((0.5, 0.5)), {"label": "b"}],
        "`scores` is missing here but not elsewhere",
    ),
    "scores of other labels": (
        "classification",
        labels("ab"),
        [*scored((0.5, 0.5)), {"label": "b", "scores": {"a": 0.5, "c": 0.5}}],
        "lack 'b' and have also 'c'",
    ),
    "several labels, score above 1": (
        "classification",
        [{"labels": ["a"]}, {"labels": []}],
        [{"labels": ["a"], "scores": {"a": 1.5}}, {"labels": [], "scores": {"a": 0.5}}],
        "found 1.5 of label 'a'",
    ),
    "no label": ("classification", [{"label": None}, {"label": "a"}], labels("aa"), "expected a label"),
    "value NaN": ("regression", [{"value": 1}, {"value": 2}], [{"value": NAN}, {"value": 2}], "found nan"),
    "value infinite": ("regression", [{"value": INFINITE}, {"value": 2}], [{"value": 1}, {"value": 2}], "found inf"),
    "gold span beyond the text": ("ner", spans([0, 40, "P"], text="Anna"), spans([0, 4, "P"]), "ends beyond the text"),
    "gold span twice": ("ner", spans([0, 4, "P"], [0, 4, "P"], text="Anna"), spans([0, 4, "P"]), "is given twice"),
    "span that ends first": ("ner", ANNA, spans([4, 0, "P"]), "ends before it begins"),
    "span before the text": ("ner", ANNA, spans([-1, 4, "P"]), "at least 0"),
    "fewer tags than gold": ("ner", [{"tags": ["B-P", "O"]}], [{"tags": ["B-P"]}], "different number of gold and"),
    "item ranked twice": (
        "retrieval",
        [{"relevant": ["a"]}],
        [{"ranking": ["a", "a"]}],
        "expected each item once",
    ),
    "no-answer probability above 1": (
        "qa",
        [{"answers": ["a"]}],
        [{"answer": "a", "no_answer_probability": 1.5}],
        "expected a probability from 0 to 1",
    ),
    "empty gold": ("classification", [], labels("a"), "expected one "),
    "empty predicted": ("classification", labels("a"), [], "expected one "),
}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (scored((0.5, 0.5), (1.2, -0.2)), "found 1.2"),
        (scored((0.5, 0.5), (0.5, 0.2)), "a sum of 0.7"),
        (scored((0.5, 0.5), (NAN, 0.2)), "found nan"),
    ],
)
def test_faults_of_scores_name_file_and_line(
    command: Callable[[str, Records, Records], tuple[int, str, str]], said: Records, told: str
) -> None:
    status, _, err = command("classification", labels("ab"), said)
    assert status == 2
    assert "said.jsonl:2: `scores`: expected" in err
    assert told in err


@pytest.mark.parametrize("case", ERRORS)
def test_what_cannot_be_scored_is_an_error(case: str, command: Callable[..., tuple[int, str, str]]) -> None:
    task, gold, said, message = ERRORS[case]
    status, out, err = command(task, gold, said)
    assert (status, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    with pytest.raises(TruetuneError) as error:
        truetune.evaluate(task=task, gold=gold, predicted=said, plan=FAST)
    assert message in str(error.value)


MANY = 12
WARNINGS: dict[str, tuple[str, Records, Records, str]] = {
    "label that gold does not have": (
        "classification",
        labels("aabb" * MANY),
        labels("aabz" * MANY),
        "predicted but not in gold: z",
    ),
    "label that is never predicted": (
        "classification",
        labels("aabb" * MANY),
        labels("aaaa" * MANY),
        "never predicted: b",
    ),
    "several labels, one unknown": (
        "classification",
        [{"labels": ["a"]}, {"labels": ["b"]}] * MANY,
        [{"labels": ["a", "z"]}, {"labels": ["b"]}] * MANY,
        "predicted but not in gold: z",
    ),
    "type that gold does not have": ("ner", ANNA, spans([0, 4, "PRE"]), "PRE (not in gold: misspelt?)"),
    "type of tags that gold does not have": (
        "ner",
        [{"tags": ["B-PER", "O"]}] * MANY,
        [{"tags": ["B-PRE", "O"]}] * MANY,
        "PRE (not in gold: misspelt?)",
    ),
    "relation that gold does not have": (
        "relations",
        labels("xxyy" * MANY),
        labels("xxyz" * MANY),
        "z (not in gold: misspelt?)",
    ),
    "one class": ("classification", labels("aa" * MANY), labels("aa" * MANY), "gold holds one label only, a"),
    "one class, several labels": (
        "classification",
        [{"labels": ["a"]}] * MANY,
        [{"labels": ["a"]}] * MANY,
        "gold holds one label only, a",
    ),
    "few examples of a class": (
        "classification",
        labels("a" * 30 + "b"),
        labels("a" * 30 + "b"),
        "fewer than 10 gold examples of b (1)",
    ),
    "predicted spans that overlap": (
        "ner",
        ANNA,
        spans([0, 4, "P"], [2, 8, "P"]),
        "predicted spans overlap in 12 examples",
    ),
    "gold spans that overlap": (
        "ner",
        spans([0, 4, "P"], [0, 8, "P"], text="Anna met Bob"),
        spans([0, 4, "P"]),
        "gold spans overlap in 12 examples",
    ),
    "predicted span beyond the text": (
        "ner",
        ANNA,
        spans([0, 40, "P"]),
        "12 predicted spans end beyond their text; they count as wrong",
    ),
    "predicted span twice": (
        "ner",
        ANNA,
        spans([0, 4, "P"], [0, 4, "P"]),
        "12 predicted spans are given more than once",
    ),
    "improper tags": (
        "ner",
        [{"tags": ["B-P", "I-P", "O"]}] * MANY,
        [{"tags": ["O", "I-P", "O"]}] * MANY,
        "12 predicted tags stand where",
    ),
}


@pytest.mark.parametrize("case", WARNINGS)
def test_what_is_odd_is_a_warning(case: str, command: Callable[..., tuple[int, str, str]]) -> None:
    task, gold, said, message = WARNINGS[case]
    status, out, err = command(task, gold, said)
    assert status == 0
    assert out
    assert f"warning: {message}" in err or message in err
    found = truetune.evaluate(task=task, gold=gold, predicted=said, plan=FAST)
    assert any(message in warning for warning in found.warnings)


CLEAN: dict[str, tuple[str, Records, Records]] = {
    "labels": ("classification", labels("aabb" * MANY), labels("abab" * MANY)),
    "scores": ("classification", labels("ab" * MANY), scored((0.75, 0.25), (0.25, 0.75)) * MANY),
    "ids in another order": ("classification", with_ids("abcd", "aabb") * 1, with_ids("dcba", "aabb")),
    "spans": ("ner", ANNA, spans([0, 4, "P"])),
    "relations": ("relations", labels("xxyy" * MANY), labels("xyxy" * MANY)),
    "nothing relevant": ("retrieval", [{"relevant": {}}, {"relevant": {"a": 1}}], [{"ranking": ["a"]}] * 2),
}


@pytest.mark.parametrize("case", CLEAN)
def test_clean_input_is_scored_without_a_word(case: str, command: Callable[..., tuple[int, str, str]]) -> None:
    task, gold, said = CLEAN[case]
    status, _, err = command(task, gold, said)
    assert status == 0
    assert [line for line in err.splitlines() if "fewer than 10 gold examples" not in line] == []


@pytest.mark.parametrize(
    ("task", "gold", "said", "metric"),
    [
        ("classification", labels("aa" * MANY), labels("aa" * MANY), "mcc"),
        ("classification", labels("aa" * MANY), labels("aa" * MANY), "kappa"),
        ("classification", labels("aa" * MANY), scored((0.75, 0.25)) * 24, "roc_auc"),
        ("regression", [{"value": 1}] * 3, [{"value": 1}, {"value": 2}, {"value": 3}], "r2"),
        ("regression", [{"value": 1}] * 3, [{"value": 1}, {"value": 2}, {"value": 3}], "pearson"),
        ("regression", [{"value": 0}, {"value": 1}], [{"value": 1}, {"value": 1}], "mape"),
        ("ner", spans(text="Anna"), spans([0, 4, "P"]), "span_recall"),
        ("retrieval", [{"relevant": {}}] * 2, [{"ranking": ["a"]}] * 2, "ndcg@10"),
    ],
)
def test_undefined_is_no_number_and_has_a_reason(task: str, gold: Records, said: Records, metric: str) -> None:
    found = truetune.evaluate(task=task, gold=gold, predicted=said, plan=FAST).score(metric).to_dict()
    assert found["value"] is None
    assert found["low"] is None
    assert found["reason"]


@pytest.mark.parametrize("content", ["", "\n\n", '{"label": "a"\n', "label\n"])
@pytest.mark.parametrize("ending", ["jsonl", "csv"])
def test_files_without_examples_are_errors(content: str, ending: str, tmp_path: Path, capsys: Said) -> None:
    gold, said = tmp_path / f"gold.{ending}", tmp_path / f"said.{ending}"
    gold.write_text(content, encoding="utf-8")
    said.write_text(content, encoding="utf-8")
    words = ["evaluate", "--task", "classification", "--gold", str(gold), "--predicted", str(said)]
    assert main(words) == 2
    told = capsys.readouterr()
    assert f"gold.{ending}" in told.err
    assert "Traceback" not in told.err
    assert not told.out
