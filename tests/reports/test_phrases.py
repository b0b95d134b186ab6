"""The table of phrases is true: every sentence that the code can save is in it, and its Chinese says the same."""

from __future__ import annotations

import ast
import itertools
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import truetune
from truetune.audit import spans, texts
from truetune.data.split import how_made
from truetune.evaluation.support import few_groups, small_slices, too_small
from truetune.metrics.classification import undefined_of
from truetune.reports.phrases import in_language, table
from truetune.stats.crossvalidation import cross_validated, split_repeatedly
from truetune.tasks.generation import empty_reference_warnings
from truetune.tasks.table import TASKS
from truetune.tasks.windows import cut_finding
from truetune.workflows.parts import GIVEN

from .english import WORD, without_chinese

SOURCE = Path(truetune.__file__).parent
SAYING = (
    "audit/*.py",
    "stats/*.py",
    "data/split.py",
    "decisions/*.py",
    "evaluation/support.py",
    "evaluation/evaluate.py",
    "evaluation/compare.py",
    "evaluation/doctor/*.py",
    "tasks/answer_encoding.py",
    "tasks/classification.py",
    "tasks/text_encoding.py",
    "pretraining/*.py",
    "workflows/held_out.py",
    "workflows/writing.py",
    "tasks/ner.py",
    "tasks/choice_encoding.py",
    "tasks/intent_slots.py",
    "metrics/exact.py",
    "tasks/nested_encoding.py",
    "tasks/nested_ner.py",
    "tasks/tag_encoding.py",
    "tasks/windows.py",
    "metrics/classification.py",
    "metrics/probability.py",
    "workflows/origin.py",
    "metrics/relations.py",
    "metrics/spans.py",
    "metrics/tag_readings.py",
    "optimization/diagnosis/*.py",
)
"""Modules whose sentences are saved with a run."""
FEWEST_WORDS = 5
"""Shorter strings are names, ends of sentences, or examples of findings."""
PARTS = {text for *_, text in (*spans.CHECKS, *texts.CHECKS)} | {
    "it looks like a placeholder of an unlabelled test set. Scores against it mean nothing",
    "nothing can be learnt or measured. Give data with two or more labels",
    "this is what unlabelled test sets are filled with; scores against it mean nothing. Take a labelled set",
}
"""Parts of sentences; `SENTENCES` and the faulty data below have the whole ones."""
FOR_OTHERS = (
    "</?s>|<pad>",  # a pattern
    " (all shifted by one",  # parts of sentences, which the whole ones below have
    "7 of them are 7 words or characters long",
    "that is 7 of those whose reference ends",
    "every example of 7 has the label 7: 7",  # parts of sentences
    "paired randomisation test",
    "id 7 ",  # of an error
    "&(?:",
    "mean weighted by gold support ",  # of definitions, which are checked as metrics have them
    "of 7 = 7 over the labels",
    ": 7 of the examples are right with them",
    "the stated one is what comes out as 7",
    "the stated one comes out as 7",
    "a mean over batches without the last one,",
    "a mean over single examples, batches",
    "a mean that takes undefined batches for 0, batches",
    "all examples and the first ones again, to fill up",
    "all examples but those of the last",
    "no usual mistake gives the stated one",
    "the mean over the labels of gold only",
    "Other, no_relation",
    "fitted on half of 7 it gets 7",
    "7 of the pieces of 7, in 7 of the texts",
    "7 of the texts of 7 have more than the 7 pieces",
    "77 pieces hold 99%",
    "7: 7 of all pieces7 are never read",
    "7: all of these are the same to it",
    "7: it was not made for such texts",
    "7: they are read in windows",
    "; 7 gold spans have nothing else",
    "one label a text, or several",  # of `truetune tasks`
    "one label for two texts",
    "typed spans in a text",
)
"""Beginnings of what is not saved with a run."""
COMPOSED: dict[str, list[str]] = {
    "units_named": ["", " of 7 groups"],
    "degrees_named": ["7 degrees of freedom"],
    "_advice": [
        "no usual mistake gives the stated one, so that it is of other predictions or other gold. Ask for those"
    ],
    "_measured": ["fitted on half of 7 it gets 7 of the other half right, the most frequent label 7"],
    "_told": ["", ": 0.9 of the examples are right with them, 0.8 without"],
}
"""What stands for these names in a sentence."""
SENTENCES = (
    *(
        "with the predicted labels renamed" + shifted + " accuracy is 0.900 instead of 0.100 on examples that the "
        "renaming was not chosen on: the order of the model's labels is hardly that of the data. Compare id2label with "
        "the order of the data's labels"
        for shifted in ("", " (all shifted by one: up)")
    ),
    *(
        f"texts stop before a sentence ends, short of their references; {told}: generation stopped at a limit (20 "
        "tokens is a common default). Raise max_new_tokens"
        for told in (
            "12 of them are 20 words or characters long",
            "that is 80% of those whose reference ends with a sentence",
        )
    ),
    "every gold tag is O: this is what unlabelled test sets are filled with; scores against it mean nothing. Take a "
    "labelled set",
    "`label` of every example is '0': this is what unlabelled test sets are filled with; scores against it mean "
    "nothing. Take a labelled set",
    *(
        f"f1_macro is stated as 0.91, and is 0.8765: the stated one is what comes out as {way}. Compute it over all "
        "examples at once"
        for way in (
            "a mean over batches without the last one, of 32",
            "a mean over single examples, batches of 1",
            "a mean that takes undefined batches for 0, batches of 8",
            "all examples and the first ones again, to fill up batches of 64",
            "all examples but those of the last, incomplete batch of 64",
            "another metric, f1_weighted",
            "the mean over the labels of gold only",
        )
    ),
    "accuracy is stated as 0.91, and is 0.9065: the stated one comes out as a mean over batches of 32, which may be "
    "chance: of the numbers that are as near to the true one 85% are given by one mistake or another. Ask for more "
    "digits, or for the predictions",
    *(
        f"3.2% of the texts of train have more than the 62 pieces of one input: {told}"
        for gold in ("", " and 10.5% of gold (1,200 spans)")
        for told in (
            f"they are read in windows. Who cuts them loses 1.5% of all pieces{gold}; 99 pieces hold 99% of the texts "
            "whole",
            f"1.5% of all pieces{gold} are never read, and what stands there can only be guessed; 99 pieces hold 99% "
            "of the texts whole (model.max_length). Shorten the texts, or choose a model that reads more",
        )
    ),
    *(
        f"1.25% of the pieces of test, in 3.0% of the texts, are none that the model knows{gold}: {told}"
        for gold in ("", "; 12 gold spans have nothing else in them")
        for told in (
            "it was not made for such texts, and all of these are the same to it. Choose a model that was",
            "all of these are the same to it. Replace rare signs by ones that it knows, or choose another model",
        )
    ),
    f"{how_made(0.1, 0.1, 0, stratified=True)}; by text",
    f"{how_made(0.125, 0.1, 12, stratified=False)}; by group",
    GIVEN,
    "repeated texts dropped",
    "texts with contrary gold dropped",
    "set aside by data.limit",
    *(one.check for long in ("windows", "head") for one in cut_finding([1], 62, long)),
    *(f"spans-{name}" for name in ("inexact", "overlapping")),
    cross_validated([0.1, 0.2, 0.4, 0.3], folds=2).method,
    split_repeatedly([0.1, 0.2, 0.4], test_share=0.25).method,
    too_small(1, None),
    too_small(3, None),
    too_small(100, 1),
    *small_slices("source", {f"site {number}": too_small(number + 2, None) for number in range(12)}),
    *few_groups(8),
    *(line for number in (1, 7) for line in empty_reference_warnings(Counter({"empty": number}))),
    *undefined_of({"a", "b"}, {f"label {number}" for number in range(40)}),
    *(f"in train: {text}. Correct them" for _, _, text in spans.CHECKS),
    *(f"these texts of train {text}" for *_, text in texts.CHECKS),
)


def templates() -> Iterator[tuple[str, str, str]]:
    for group, phrases in table().items():
        for english, chinese in phrases.items():
            yield group, english, chinese


def names(template: str) -> list[tuple[str, str]]:
    return [(name, kind or "") for _, name, kind, _ in string.Formatter().parse(template) if name is not None]


def samples(node: ast.expr) -> list[str]:
    """Return what an expression can say, with `7` for all that is not written out."""
    match node:
        case ast.Constant(str(text)):
            return [text]
        case ast.JoinedStr(values):
            return ["".join(parts) for parts in itertools.product(*map(samples, values))]
        case ast.FormattedValue(value):
            return samples(value)
        case ast.IfExp(_, body, other):
            return samples(body) + samples(other)
        case ast.BinOp(left, ast.Add(), right):
            return ["".join(parts) for parts in itertools.product(samples(left), samples(right))]
        case ast.Attribute(attr=name) | ast.Call(ast.Name(name)):
            return COMPOSED.get(name, ["7"])
    return ["7"]


def said(node: ast.AST) -> Iterator[str]:
    """Yield the sentences under a node, but for docstrings, definitions of metrics, and what is raised."""
    match node:
        case ast.Raise() | ast.Expr(ast.Constant()) | ast.keyword("definition"):
            return
        case ast.Constant(str()) | ast.JoinedStr() | ast.BinOp(_, ast.Add(), _):
            yield from samples(node)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from said(child)


def saved_sentences() -> list[str]:
    files = [file for pattern in SAYING for file in SOURCE.glob(pattern)]
    found = {text for file in files for text in said(ast.parse(file.read_text(encoding="utf-8")))}
    long = {text for text in found if len(WORD.findall(text)) >= FEWEST_WORDS and not text.startswith(FOR_OTHERS)}
    return sorted((long - PARTS) | set(SENTENCES))


@pytest.mark.parametrize("sentence", saved_sentences())
def test_a_sentence_of_the_source_has_its_chinese(sentence: str) -> None:
    assert without_chinese(sentence) == []


def test_the_source_has_many_sentences() -> None:
    assert len(saved_sentences()) > 70
    assert "no 7 differs from the others in its change" in saved_sentences()


@pytest.mark.parametrize("task", TASKS)
def test_what_a_metric_says_of_itself_has_its_chinese(task: str) -> None:
    for metric in TASKS[task].scoring.metrics:
        assert without_chinese(metric.definition) == [], metric.name
        assert without_chinese(metric.undefined) == [], metric.name
        assert without_chinese(f"unit {metric.unit}") == []
        assert in_language(f"unit {metric.unit}", "zh") != f"单位 {metric.unit}"


def test_both_templates_of_a_phrase_have_the_same_names() -> None:
    for group, english, chinese in templates():
        assert names(chinese) == [(name, "") for name, _ in names(chinese)], chinese
        assert {name for name, _ in names(english)} == {name for name, _ in names(chinese)}, english
        assert len(names(english)) == len({name for name, _ in names(english)}), english
        assert {kind for _, kind in names(english)} <= {"", "number", *table()}, english
        assert re.search(r"[\u4e00-\u9fff]", chinese), (group, english)


def test_a_template_stands_in_one_group() -> None:
    found = [english for _, english, _ in templates()]
    assert len(found) == len(set(found))
    assert in_language("no finite spread", "zh") == "no finite spread"


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("in train these texts", "in train these texts"),
        ("train", "train"),
        (
            "train holds fewer than 8 examples of these labels. Label more, or join labels",
            "训练集中这些标签的样本少于 8 个。请多标注一些，或合并标签",
        ),
        ("first system: 0/0: the label is never predicted", "第一个系统：0/0：该标签从未被预测"),
        (
            "labels 差评, 好评; unit example; 95% interval by BCa bootstrap of 12 groups, 10,000 resamples, seed 0; "
            "truetune 0.1",
            "标签集 差评, 好评；单位 样本；95% 区间方法：BCa 自助法（12 个组），"
            "10,000 次重采样，随机种子 0；truetune 0.1",
        ),
        (
            "these groups stand in a.csv and in test (3 examples of it): a model can know them by heart. "
            "Split by group (data.group)",
            "这些组同时出现在a.csv和测试集中（后者有 3 个样本）：模型可能把它们背下来。请按组划分（data.group）",
        ),
        (
            "80% train, 10% validation, 10% test; stratified, seed 0",
            "训练集 80%，验证集 10%，测试集 10%；分层抽样，随机种子 0",
        ),
        ("labels a\nb {c}", "标签集 a\nb {c}"),
        (
            "new model: predicted spans overlap in 3 examples; they are scored as given",
            "new model：3 个样本中的预测实体有重叠；按原样计分",
        ),
        ("new model: something else", "new model: something else"),
    ],
)
def test_by_hand(english: str, chinese: str) -> None:
    assert in_language(english, "zh") == chinese
    assert in_language(english, "en") == english
