"""Tasks with a named tokeniser: which metrics it changes, everywhere a task is scored, and what is refused."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

import truetune
from truetune.cli.main import main
from truetune.errors import DataError, MetricError
from truetune.metrics.bleu import bleu
from truetune.metrics.ter import ter

GOLD = ["これはとても良い本です。", "the cat sat on the mat, again", "今日は雨です"] * 8
SAID = ["これはとても悪い本です。", "the cat sat on a mat, again", "今日は雪です"] * 8
PLAN = truetune.Plan(resamples=100)


@pytest.mark.parametrize("tokenizer", ["13a", "zh", "char", "intl", "none", "ja-mecab"])
def test_bleu_and_ter_take_it_and_no_other_metric_does(tokenizer: str) -> None:
    task = truetune.tokenized("translation", tokenizer)
    found = truetune.evaluate(task=task, gold=GOLD, predicted=SAID, plan=PLAN)
    plain = truetune.evaluate(task="translation", gold=GOLD, predicted=SAID, plan=PLAN)
    for made in (bleu(tokenizer), ter(tokenizer)):
        score = found.score(made.name)
        assert score.value == pytest.approx(float(made.value(made.rows(GOLD, SAID))))
        assert f"tokeniser {tokenizer}" in score.signature
        assert "by the script" not in score.signature
    for one in plain.scores:
        assert one.metric in ("bleu", "ter") or found.score(one.metric) == one
    assert task.name == found.task == "translation"


def test_parts_and_comparisons_take_it_too() -> None:
    task = truetune.tokenized("dialogue", "char")
    whole = truetune.evaluate(task=task, gold=GOLD, predicted=SAID, plan=PLAN)
    first, second = (truetune.Evaluation(task, plan=PLAN) for _ in range(2))
    first.add(range(12), GOLD[:12], SAID[:12])
    second.add(range(12, 24), GOLD[12:], SAID[12:])
    first.merge(pickle.loads(pickle.dumps(second)))
    assert first.result().score("bleu") == whole.score("bleu")
    with pytest.raises(DataError, match="different evaluations"):
        truetune.Evaluation("dialogue", plan=PLAN).merge(second)
    gate = truetune.Gate("bleu", plan=PLAN)
    both = truetune.compare(task=task, gold=GOLD, predicted=[SAID, GOLD], gate=gate)
    assert both.comparisons[0].difference == pytest.approx(100 - whole.score("bleu").value)
    assert "tokeniser char" in both.comparisons[0].signature


def test_the_commands_take_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {}
    for name, field, lines in (("gold", "reference", GOLD), ("old", "text", SAID), ("new", "text", GOLD)):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({field: line}) + "\n" for line in lines), encoding="utf-8")
        files[name] = str(path)
    base = ["--task", "translation", "--gold", files["gold"], "--resamples", "100", "--json", "--tokenizer"]
    assert main(["evaluate", *base, "char", "--metric", "bleu", "--predicted", files["old"]]) == 0
    (score,) = json.loads(capsys.readouterr().out)["scores"]
    made = bleu("char")
    assert score["value"] == pytest.approx(float(made.value(made.rows(GOLD, SAID))))
    assert main(["compare", *base, "none", "--predicted", files["old"], files["new"]]) == 0
    assert "tokeniser none" in json.loads(capsys.readouterr().out)["comparisons"][0]["signature"]
    assert main(["evaluate", *base, "chars", "--predicted", files["old"]]) == 2
    assert "unknown tokeniser 'chars'; did you mean 'char'" in capsys.readouterr().err


def test_a_task_without_bleu_is_refused() -> None:
    with pytest.raises(MetricError, match="those of translation, summarization, dialogue do"):
        truetune.tokenized("classification", "char")


def test_japanese_cut_by_its_script_alone_is_told_and_by_name_not() -> None:
    def checks(task: object, gold: list[str]) -> list[str]:
        return [one.check for one in truetune.evaluate(task=task, gold=gold, predicted=gold[::-1], plan=PLAN).findings]

    japanese = [f"これは{place}番目のとても良い本です。" for place in range(24)]
    assert "Japanese cut as Chinese" in checks("translation", japanese)
    assert "Japanese cut as Chinese" not in checks(truetune.tokenized("translation", "ja-mecab"), japanese)
    assert "Japanese cut as Chinese" not in checks("translation", [f"这是第{place}本很好的书。" for place in range(24)])
    mixed = [*(f"an English sentence, number {place}" for place in range(20)), *japanese[:4]]
    assert "wrong tokeniser for some references" in checks("translation", mixed)
    assert "wrong tokeniser for some references" not in checks(truetune.tokenized("translation", "char"), mixed)
