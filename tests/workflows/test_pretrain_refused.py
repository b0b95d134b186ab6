"""What a run of pretraining refuses, before anything is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from truetune.cli.main import main
from truetune.errors import ConfigError, DataError, TruetuneError
from truetune.workflows.pretrain import pretrain

from .toy_corpus import QUIET, settings


def test_a_probe_that_is_no_fine_tuning_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "probe.yaml").write_text(
        "task: language-modeling\ndata: {source: x}\nmodel: {name: y}\n", encoding="utf-8"
    )
    asked = settings(tmp_path)
    asked["pretrain"]["probe"] = str(tmp_path / "probe.yaml")
    with pytest.raises(TruetuneError, match="learnt of unlabelled text"):
        pretrain(asked, progress=QUIET)
    (tmp_path / "probe.yaml").write_text(
        "task: classification\ndata: {source: labled.jsonl}\nmodel: {name: y}\n", encoding="utf-8"
    )
    with pytest.raises(DataError, match=r"labled.jsonl: is not there"):
        pretrain(asked, progress=QUIET)
    asked["pretrain"]["probe"] = str(tmp_path / "nothing.yaml")
    with pytest.raises(ConfigError, match="cannot be read"):
        pretrain(asked, progress=QUIET)
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"task": "classification"}, "masked-language-modeling"),
        ({"pretrain": {"tokenizer": "keep"}}, "wordpiece"),
        ({"name": "new:gpt-tiny"}, "new:bert-SIZE"),
        ({"name": "new:bert-tny"}, "new:bert-tiny"),
        ({"recipe": {"r_drop": 1.0}}, "recipe.r_drop"),
        ({"recipe": {"hard_negatives": 2}}, "recipe.hard_negatives"),
        ({"recipe": {"lora_rank": 4}}, "recipe.lora_rank: keeps what a model knows"),
        ({"decide": {"calibrate": "temperature"}}, "decide: is of labels"),
        ({"train": {"margin": 0.1}}, "train.margin"),
        ({"train": {"metric": "masked_acuracy"}}, "train.metric: .* did you mean 'masked_accuracy'"),
        ({"evaluate": {"metric": "perplexity"}}, "evaluate.metric: 'perplexity' is no metric of masked-language-mod"),
        ({"train": {"packing": True}}, "train.packing"),
        ({"scale": "torchrun", "workers": 2, "shard": True}, "shard"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(tmp_path: Path, changes: dict[str, Any], said: str) -> None:
    with pytest.raises(TruetuneError, match=said):
        pretrain(settings(tmp_path, **changes), progress=QUIET)
    assert not list((tmp_path / "runs").glob("*"))


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("group", "held out one by one"),
        ("labels", "labelled examples"),
        ("per_label", "labelled"),
        ("documents", "rank"),
    ],
)
def test_what_a_corpus_has_no_use_for_is_refused_not_passed_over(key: str, said: str, tmp_path: Path) -> None:
    asked = settings(tmp_path)
    asked["data"][key] = {"labels": ["a"], "per_label": 2}.get(key, "x")
    with pytest.raises(ConfigError, match=f"data.{key}: .*{said}"):
        pretrain(asked, progress=QUIET)


def test_a_misspelt_tokenizer_is_told_by_its_key_before_any_data_is_read(tmp_path: Path) -> None:
    asked = settings(tmp_path)
    asked["pretrain"]["tokenizer"] = str(tmp_path / "wordpeice")
    asked["data"]["source"] = "nothing.txt"
    with pytest.raises(ConfigError, match=r"pretrain.tokenizer: '.*wordpeice' is none that is trained"):
        pretrain(asked, progress=QUIET)
    assert not list((tmp_path / "runs").glob("*"))


def test_a_tokenizer_is_not_exchanged_under_a_pretrained_model(tiny_bert: Path, tmp_path: Path) -> None:
    changed = settings(tmp_path, str(tiny_bert))
    changed["pretrain"]["tokenizer"] = "bpe"
    with pytest.raises(ConfigError, match="keep"):
        pretrain(changed, progress=QUIET)


def test_the_command_answers_a_wrong_config_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.yaml").write_text("task: ner\ndata: {source: x}\nmodel: {name: 'new:bert-tiny'}\n", encoding="utf-8")
    assert main(["pretrain", str(tmp_path / "c.yaml")]) == 2
    assert "masked-language-modeling" in capsys.readouterr().err
