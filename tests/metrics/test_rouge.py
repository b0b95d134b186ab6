"""ROUGE: equal to rouge-score; right on Chinese, where others print 0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from truetune.metrics.rouge import ROUGE, rouge

WORDS = st.lists(st.sampled_from(["The", "cat", "sat,", "on", "a", "mat.", "2", "naïve", "-"]), max_size=12)
TEXT = st.lists(WORDS.map(" ".join), max_size=3).map("\n".join)
KINDS = ["rouge1", "rouge2", "rougeL", "rougeLsum"]


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_it_equals_rouge_score(kind: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(TEXT, min_size=1, max_size=4))
    references = [data.draw(st.lists(TEXT, min_size=1, max_size=2)) for _ in texts]
    scorer = RougeScorer([kind])
    pairs = zip(references, texts, strict=True)
    wanted = sum(scorer.score_multi(many, text)[kind].fmeasure for many, text in pairs) / len(texts)
    metric = rouge(kind, "en")
    assert float(metric.value(metric.rows(references, texts))) == pytest.approx(wanted, abs=1e-9)


def test_values_worked_by_hand() -> None:
    gold, said = "the cat sat on the mat", "the cat on a mat"
    wanted = {"rouge1": 2 * 4 / 11, "rouge2": 2 * 1 / 9, "rougeL": 2 * 4 / 11, "rougeLsum": 2 * 4 / 11}
    for metric in ROUGE:
        assert float(metric.value(metric.rows([gold], [said]))) == pytest.approx(wanted[metric.name])


def test_identical_chinese_scores_1_and_the_rules_are_said() -> None:
    text = "北京今天下雨。明天晴，最高气温12℃。"
    for metric in ROUGE:
        rows = metric.rows([text], [text])
        assert rows.note == "rules zh"
        assert float(metric.value(rows)) == pytest.approx(1)
    assert RougeScorer(["rouge1"]).score("北京今天下雨", "北京今天下雨")["rouge1"].fmeasure == 0


def test_chinese_is_compared_by_character() -> None:
    metric = rouge("rouge1")
    assert float(metric.value(metric.rows(["北京下雨"], ["南京下雪"]))) == pytest.approx(2 * 2 / 8)


def test_the_best_reference_counts() -> None:
    metric = rouge("rouge1")
    assert float(metric.value(metric.rows([["x y", "a b"]], ["a b"]))) == 1
