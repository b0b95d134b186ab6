"""ROUGE: equal to rouge-score; right on Chinese, where others print 0."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer

from truetune.metrics.rouge import ROUGE, rouge, sentences

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


def value(kind: str, gold: str, said: str) -> float:
    metric = rouge(kind)
    return float(metric.value(metric.rows([gold], [said])))


@pytest.mark.parametrize(
    ("gold", "said"),
    [
        ("Сегодня идёт сильный дождь.", "сегодня идёт дождь"),
        ("나는 오늘 학교에 간다.", "나는 학교에 간다"),
        ("हम कल दिल्ली में", "हम दिल्ली में"),
    ],
)
def test_other_letters_than_those_of_english_are_words_too(gold: str, said: str) -> None:
    """Three of four words, in their order: F1 = 6/7; rouge-score knows ASCII letters alone and gives 0."""
    metric = rouge("rouge1")
    assert metric.rows([gold], [said]).note == "rules words"
    assert value("rouge1", gold, said) == value("rougeL", gold, said) == pytest.approx(6 / 7)
    assert value("rouge2", gold, gold) == 1
    assert RougeScorer(["rouge1"]).score(gold, gold)["rouge1"].fmeasure == 0


def test_words_with_some_accents_are_cut_as_rouge_score_cuts_them() -> None:
    gold, said = "Il a déjà mangé ce matin.", "Il a mange ce soir."
    assert rouge("rouge1").rows([gold], [said]).note == "rules en"
    assert value("rouge1", gold, said) == pytest.approx(RougeScorer(["rouge1"]).score(gold, said)["rouge1"].fmeasure)


@given(st.text(st.sampled_from("aB3' ,.-_\n"), max_size=20))
def test_both_rules_cut_ascii_alike(text: str) -> None:
    assert sentences([text], "words") == sentences([text], "en")


def test_the_best_reference_counts() -> None:
    metric = rouge("rouge1")
    assert float(metric.value(metric.rows([["x y", "a b"]], ["a b"]))) == 1
