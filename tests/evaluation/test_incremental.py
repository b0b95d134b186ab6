"""Batches and shards: equal to one pass to the last digit, for every task; nothing is counted twice."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import truetune
from truetune import Evaluation, Plan
from truetune.errors import DataError, TruetuneError
from truetune.tasks.table import TASKS

PLAN = Plan(resamples=100)

label = st.sampled_from("abc")
number = st.floats(-3, 3).map(lambda value: round(value, 2))
text = st.lists(st.sampled_from(["a", "cat", "sat", "北京", "很好", "the", "上海", "."]), min_size=1, max_size=6).map(
    " ".join
)
reply = st.one_of(text, st.just(""))
any_tag = st.sampled_from(["O", "O", "B-X", "I-X", "B-Y", "I-Y", "E-X", "S-Y"])
open_tag = st.sampled_from(["O", "O", "B-X", "I-X", "I-Y"])
span = st.tuples(st.integers(0, 5), st.integers(1, 3), st.sampled_from("XY")).map(lambda s: [s[0], s[0] + s[1], s[2]])
spans = st.lists(span, max_size=3, unique_by=tuple)
triples = st.lists(st.tuples(span, st.sampled_from(["r", "s", "none"]), span).map(list), max_size=2, unique_by=str)
items = st.dictionaries(st.sampled_from("uvwxyz"), st.integers(0, 2), min_size=1, max_size=4)
item_scores = st.dictionaries(st.sampled_from("uvwxyz"), number, min_size=1, max_size=6)
ranking = st.permutations("uvwxyz").map(lambda order: order[:4])


def shares(*labels: str) -> st.SearchStrategy[dict[str, float]]:
    weights = st.lists(st.integers(1, 4), min_size=len(labels), max_size=len(labels))
    return weights.map(lambda found: {name: w / sum(found) for name, w in zip(labels, found, strict=True)})


def records(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.fixed_dictionaries(fields)


def tagged(tag: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    pairs = st.lists(st.tuples(tag, tag), min_size=1, max_size=6)
    return pairs.map(lambda pairs: ([gold for gold, _ in pairs], [said for _, said in pairs]))


KINDS: dict[str, tuple[str, st.SearchStrategy[Any]]] = {
    "labels": ("classification", st.tuples(label, label)),
    "label sets": ("classification", st.tuples(*[st.lists(label, max_size=3)] * 2)),
    "two scores": ("classification", st.tuples(st.sampled_from("ab"), records(label=label, scores=shares("a", "b")))),
    "scores": ("pair", st.tuples(label, records(label=label, scores=shares("a", "b", "c")))),
    "scored sets": (
        "classification",
        st.tuples(st.lists(label, max_size=2), records(labels=st.lists(label), scores=shares("a", "b", "c"))),
    ),
    "spans": ("ner", st.tuples(spans, spans)),
    "spans of texts": ("ner", st.tuples(records(text=st.just("ab cd ef gh"), spans=spans), spans)),
    "nested spans": ("nested-ner", st.tuples(records(text=st.just("ab cd ef gh"), spans=spans), spans)),
    "frames": ("intent-slots", st.tuples(*[records(label=label, spans=spans)] * 2)),
    "tags": ("ner", tagged(any_tag)),
    "open tags": ("ner", tagged(open_tag)),
    "relations": ("relations", st.tuples(*[st.sampled_from(["r(e1,e2)", "r(e2,e1)", "s", "Other"])] * 2)),
    "triples": ("relations", st.tuples(triples, triples)),
    "answers": ("qa", st.tuples(records(answers=st.lists(text, max_size=2)), reply)),
    "choices": (
        "multiple-choice",
        st.tuples(records(choices=st.just(["a", "b", "c"]), answer=label), records(answer=label)),
    ),
    "numbers": ("regression", st.tuples(number, number)),
    "steps": ("ordinal", st.tuples(st.integers(1, 5), st.sampled_from([1.0, 2.4, 3.0, 4.5, 5.0]))),
    "similarities": ("similarity", st.tuples(number, number)),
    "translations": ("translation", st.tuples(text, reply)),
    "summaries": ("summarization", st.tuples(records(references=st.lists(text, min_size=1, max_size=2)), reply)),
    "replies": ("dialogue", st.tuples(text, reply)),
    "ranked replies": ("dialogue", st.tuples(items, ranking)),
    "ranked responses": ("response-ranking", st.tuples(items, ranking)),
    "rankings": ("retrieval", st.tuples(items, ranking)),
    "item scores": ("recommendation", st.tuples(records(relevant=items), records(scores=item_scores))),
    "likelihoods": (
        "language-modeling",
        st.tuples(records(tokens=st.integers(0, 9), bytes=st.integers(0, 30)), records(log_likelihood=number)),
    ),
    "masked": (
        "masked-language-modeling",
        st.tuples(records(tokens=st.integers(4, 9)), records(hits=st.integers(0, 4), log_likelihood=number)),
    ),
    "replaced": (
        "replaced-token-detection",
        st.tuples(records(tokens=st.integers(4, 9)), records(hits=st.integers(0, 4), log_likelihood=number)),
    ),
}


def outcome(run: Callable[[], Any]) -> str:
    """Return what a run gives as text, every digit of it, or that it is refused."""
    try:
        return json.dumps(run().to_dict(), ensure_ascii=False)
    except TruetuneError:
        return "refused"


def test_every_task_is_here() -> None:
    assert {task for task, _ in KINDS.values()} == set(TASKS) - {"preference"}, "ratings go over games one by one"


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=25)
def test_any_partition_in_any_order_equals_one_pass(kind: str, data: st.DataObject) -> None:
    task, pair = KINDS[kind]
    pairs = data.draw(st.lists(pair, min_size=1, max_size=12))
    ids = [f"{'long name of an ' * (place % 2)}example {place}" for place in range(len(pairs))]
    gold, said = [one for one, _ in pairs], [one for _, one in pairs]
    groups = data.draw(st.none() | st.lists(st.sampled_from("xyz"), min_size=len(pairs), max_size=len(pairs)))
    whole = outcome(lambda: truetune.evaluate(task=task, gold=gold, predicted=said, group=groups, plan=PLAN))

    def in_parts() -> Any:
        order = data.draw(st.permutations(range(len(pairs))))
        shards = [Evaluation(task, plan=PLAN) for _ in range(data.draw(st.integers(1, 3)))]
        while order:
            size = len(order) - data.draw(st.integers(0, len(order)))
            batch, order = order[:size], order[size:]
            columns = ([column[place] for place in batch] for column in (ids, gold, said))
            of_batch = None if groups is None else [groups[place] for place in batch]
            data.draw(st.sampled_from(shards)).add(*columns, groups=of_batch)
        first, *others = data.draw(st.permutations(shards))
        for other in others:
            first.merge(pickle.loads(pickle.dumps(other)))
        assert len(first) == len(pairs)
        return first.result()

    assert outcome(in_parts) == whole


GOLD = [{"label": "abc"[place % 3], "length": ["long", "short"][place % 2]} for place in range(60)]
SAID = ["abc"[place * place % 3] for place in range(60)]
IDS = [str(place) for place in range(60)]


def test_slices_and_groups_that_span_shards() -> None:
    groups = [f"user {place % 13}" for place in range(60)]
    whole = truetune.evaluate(task="classification", gold=GOLD, predicted=SAID, group=groups, slice="length")
    first, second = (Evaluation("classification", slice="length") for _ in range(2))
    for shard, part in ((first, slice(1, None, 2)), (second, slice(0, None, 2))):
        shard.add(IDS[part], GOLD[part], SAID[part], groups=groups[part])
    second.merge(first)
    assert outcome(second.result) == outcome(lambda: whole)
    assert [part.value for part in second.result().slices] == ["long", "short"]
    assert "13 groups" in second.scores()[0].signature


def test_a_column_groups_as_in_one_pass() -> None:
    gold = [{**record, "user": place % 7, "group": place % 5} for place, record in enumerate(GOLD)]
    for column in ("user", None):
        parts = Evaluation("classification", group=column)
        for place in range(0, 60, 20):
            parts.add(IDS[place : place + 20], gold[place : place + 20], SAID[place : place + 20])
        whole = truetune.evaluate(task="classification", gold=gold, predicted=SAID, group=column)
        assert outcome(parts.result) == outcome(lambda whole=whole: whole)


def test_a_label_that_others_lack_counts_as_in_one_pass() -> None:
    parts = Evaluation("classification")
    parts.add(range(2), ["a", "b"], ["a", "a"])
    assert "labels a, b" in parts.result().score("f1_macro").signature
    parts.add(range(2, 4), ["a", "z"], ["a", "z"])
    whole = truetune.evaluate(task="classification", gold=list("abaz"), predicted=list("aaaz"))
    assert outcome(parts.result) == outcome(lambda: whole)
    assert "labels a, b, z" in parts.result().score("f1_macro").signature


@pytest.mark.parametrize("name", ["7", "an id of more than fifteen bytes", "编号七", ""])
def test_no_example_is_counted_twice(name: str) -> None:
    names = ["1", "2", name] if name else ["1", "2", "3"]
    parts = Evaluation("classification")
    parts.add(names, list("aab"), list("abb"))
    before = parts.result()
    doubled = names[-1]
    shown = "longer than 15 bytes" if len(doubled.encode()) > 15 else repr(doubled)
    with pytest.raises(DataError, match=shown):
        parts.add(["4", doubled], list("ab"), list("ab"))
    with pytest.raises(DataError, match=repr(doubled)):
        Evaluation("classification").add([doubled, "5", doubled], list("abb"), list("abb"))
    shard = Evaluation("classification")
    shard.add([doubled], ["a"], ["b"])
    with pytest.raises(DataError, match=shown):
        parts.merge(shard)
    with pytest.raises(DataError, match="3 examples counted before"):
        parts.merge(parts)
    assert parts.result() == before, "what was refused left no trace"
    parts.add(["4"], ["a"], ["a"])
    assert len(parts) == 4


def test_ids_that_begin_alike_are_different_ones() -> None:
    parts = Evaluation("classification")
    names = ["a", "a\0", "a\0\0", "x" * 15, "x" * 16, "x" * 17, "\0"]
    parts.add(names, ["a"] * 7, ["a"] * 7)
    assert len(parts) == 7


def test_empty_batches_and_empty_shards_change_nothing() -> None:
    parts, none = Evaluation("classification"), Evaluation("classification")
    with pytest.raises(DataError, match="no example was added"):
        parts.scores()
    parts.add([], [], [])
    parts.merge(none)
    parts.add(["1"], ["a"], ["a"])
    parts.add(np.array([]), [], np.array([]), scores=[], groups=[])
    parts.merge(none)
    none.merge(parts)
    assert len(none) == len(parts) == 1
    assert outcome(none.result) == outcome(parts.result)


def test_arrays_scores_and_chosen_metrics() -> None:
    gold, said = np.array([0, 1, 1, 0] * 9), np.array([0, 1, 0, 0] * 9)
    given_scores = [{0: 0.5 + place / 80, 1: 0.5 - place / 80} for place in range(36)]
    parts = Evaluation("classification", metrics=["accuracy", "roc_auc"])
    for part in (slice(20, None), slice(20)):
        parts.add(np.arange(36)[part], gold[part], said[part], scores=given_scores[part])
    records = [{"label": one, "scores": scores} for one, scores in zip(said.tolist(), given_scores, strict=True)]
    whole = truetune.evaluate(task="classification", gold=gold, predicted=records)
    assert [score.metric for score in parts.scores()] == ["accuracy", "roc_auc"]
    assert parts.result().score("roc_auc") == whole.score("roc_auc")
    assert parts.result().score("accuracy") == whole.score("accuracy")


def test_what_must_be_the_same_in_every_batch() -> None:
    parts = Evaluation("classification")
    parts.add(["1"], ["a"], ["b"], scores=[{"a": 0.5, "b": 0.5}])
    with pytest.raises(DataError, match="labels of scores are a, c here, and were a, b before"):
        parts.add(["2"], ["a"], ["c"], scores=[{"a": 0.5, "c": 0.5}])
    with pytest.raises(DataError, match="fields of predicted are label here"):
        parts.add(["2"], ["a"], ["b"])
    with pytest.raises(DataError, match="groups are given here, and were none before"):
        parts.add(["2"], ["a"], ["b"], scores=[{"a": 0.5, "b": 0.5}], groups=["x"])
    with pytest.raises(DataError, match=f"resamples is 10000 here and {PLAN.resamples} there"):
        parts.merge(Evaluation("classification", plan=PLAN))
    with pytest.raises(DataError, match="task is classification here and ner there; group is not named here and doc"):
        parts.merge(Evaluation("ner", group="doc"))
    assert len(parts) == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ((["1", "2"], ["a"], ["a"]), "2 ids and 1 gold"),
        ((["1"], ["a"], ["a", "b"]), "1 ids and 2 predicted"),
        ((["1"], ["a"], ["a"], [{"a": 1.0}] * 2), "1 ids and 2 scores"),
        ((["1"], ["a"], ["a"], None, ["x", "y"]), "1 ids and 2 groups"),
        ((["1"], ["a"], [None]), "expected `label` or `labels`"),
        ((["1"], [{"id": "2", "label": "a"}], ["a"]), "has the id '2', but '1' is given"),
        ((["1", "2"], [{"label": "a"}, "b"], ["a", "b"]), "expected a record"),
    ],
)
def test_a_batch_with_a_fault_is_refused(columns: tuple, message: str) -> None:
    parts = Evaluation("classification")
    with pytest.raises(DataError, match=message):
        parts.add(*columns)
    assert len(parts) == 0
    with pytest.raises(DataError, match="has no scores"):
        Evaluation("regression").add(["1"], [1.0], [1.0], scores=[{"a": 1.0}])


def test_memory_does_not_grow_with_the_number_of_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.evaluation.doctor.sample.LOOKED_AT", 500)  # what the doctor keeps, at most
    parts = Evaluation("classification", group="user")
    sizes = []
    for start in range(0, 4000, 1000):
        ids = range(start, start + 1000)
        gold = [{"label": "abc"[place % 3], "user": place % 10} for place in ids]
        parts.add(ids, gold, ["abc"[place * place % 3] for place in ids])
        sizes.append(len(pickle.dumps(parts)) - 16 * len(parts))
    assert max(sizes) - min(sizes) < 100, "beyond 16 bytes an id nothing may be kept of an example"


def test_readings_that_find_nothing_keep_nothing_of_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.evaluation.doctor.sample.LOOKED_AT", 500)
    parts = Evaluation("ner")
    sizes = []
    tags = [["O", "B-X", "I-X"], ["O", "O"]]  # as BIOES, which they may turn out to be, the first has no span
    for start in range(0, 4000, 1000):
        parts.add(range(start, start + 1000), tags * 500, tags * 500)
        sizes.append(len(pickle.dumps(parts)) - 16 * len(parts))
    assert max(sizes) - min(sizes) < 200


def test_the_doctor_looks_at_the_first_examples_of_all_parts() -> None:
    gold = np.random.default_rng(0).choice(list("abc"), 300).tolist()
    said = [{"a": "b", "b": "c", "c": "a"}[one] for one in gold]
    whole = truetune.evaluate(task="classification", gold=gold, predicted=said)
    assert [one.check for one in whole.findings] == ["label order"]
    first, second = Evaluation("classification"), Evaluation("classification")
    for shard, places in ((first, range(150)), (second, range(150, 300))):
        shard.add([str(place + 1) for place in places], [gold[p] for p in places], [said[p] for p in places])
    first.merge(pickle.loads(pickle.dumps(second)))
    assert outcome(first.result) == outcome(lambda: whole)
    clean = Evaluation("classification")
    clean.add([str(place) for place in range(300)], gold, [*gold[:-1], "b" if gold[-1] == "a" else "a"])
    assert clean.result().findings == ()


def test_the_doctor_keeps_no_more_than_it_looks_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.evaluation.doctor.sample.LOOKED_AT", 50)
    parts = Evaluation("classification", metrics=["accuracy"])
    for place in range(0, 90, 30):
        ids = [str(number) for number in range(place, place + 30)]
        parts.add(ids, [{"label": "ab"[place % 2], "note": 1}] * 30, ["a"] * 30)
    kept = parts._sample
    assert len(kept.ids) == len(kept.gold["label"]) == len(kept.predicted["label"]) == len(kept.others["note"]) == 50
