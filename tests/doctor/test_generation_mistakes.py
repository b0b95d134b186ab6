"""Mistakes 18 to 22: Chinese ROUGE, tokenisers, limits, Chinese answers, prompts."""

from __future__ import annotations

import numpy as np
import pytest

from truetune import check_scores

from . import planting
from .systems import evaluated, found, lines_of, written

CHINESE = [one["text"] for one in lines_of("sentences")]
PLACES = [
    (one["text"], one["text"][start:end]) for one in lines_of("sentences") for start, end, kind in one["spans"][:1]
]


def test_18_rouge_of_identical_chinese_is_1() -> None:
    scores = evaluated("summarization", CHINESE, CHINESE)
    assert [scores.score(name).value for name in ("rouge1", "rouge2", "rougeL")] == [1, 1, 1]
    without_names = [text.replace(name, "") for text, name in PLACES]
    other = evaluated("summarization", [text for text, _ in PLACES], without_names)
    assert 0.8 < other.score("rougeL").value < 1


def test_19_bleu_of_chinese_by_characters_and_no_mean_of_sentences() -> None:
    near = [text.replace("了", "") for text in CHINESE]
    score = evaluated("translation", CHINESE, near).score("bleu")
    assert score.value > 40
    assert "tokeniser zh" in score.signature
    gold, said = written(60)
    references = [one["reference"] for one in gold]
    corpus = evaluated("translation", references, said).score("bleu").value
    each = [
        evaluated("translation", [one], [other]).score("bleu").value
        for one, other in zip(references, said, strict=True)
    ]
    claimed = {"bleu": f"{np.mean(each):.6f}"}
    (finding,) = check_scores(task="translation", gold=references, predicted=said, claimed=claimed)
    assert finding.examples[0] == "a mean over single examples, batches of 1"
    assert check_scores(task="translation", gold=references, predicted=said, claimed={"bleu": f"{corpus:.2f}"}) == ()


def test_20_generation_that_stops_at_a_limit() -> None:
    gold, said = written()
    assert found("summarization", gold, planting.stopped(said, 9)) == {"outputs are cut off"}
    assert not found("summarization", gold, said)


def test_21_chinese_answers_share_characters_not_white_space() -> None:
    answers = [["北京大学"], ["上海"], ["一九九八年"]]
    part = evaluated("qa", answers, ["北京大学图书馆", "上海", "一九九八"])
    # 2 * 4 / (4 + 7), 1, 2 * 4 / (5 + 4)
    assert part.score("qa_f1").value == pytest.approx((8 / 11 + 1 + 8 / 9) / 3)
    assert evaluated("qa", answers, ["北京大学", "上海", "一九九八年"]).score("qa_f1").value == 1


def test_22_the_prompt_in_the_output() -> None:
    gold, said = written()
    planted = planting.echoed([one["source"] for one in gold], said)
    assert found("summarization", gold, planted) >= {"outputs repeat the prompt"}
    assert not found("summarization", gold, said)
