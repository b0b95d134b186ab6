"""Words that are masked whole; jieba is stood in for where it is not installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.config import Pretrain
from truetune.errors import MissingPackageError
from truetune.pretraining.objective import OBJECTIVES
from truetune.pretraining.words import segmented

TEXT = "中国人民银行在上海。"


class Jieba(ModuleType):
    """Cuts the one text as jieba does."""

    def setLogLevel(self, level: int) -> None:
        pass

    def tokenize(self, text: str) -> Iterator[tuple[str, int, int]]:
        start = 0
        for word in ("中国人民银行", "在", "上海", "。"):
            yield word, start, start + len(word)
            start += len(word)


def test_chinese_words_are_masked_whole(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", Jieba("jieba"))
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "mask", ()))
    learnt = OBJECTIVES["masked-language-modeling"].learnt
    (whole,) = learnt([TEXT], tokenizer, 0, Pretrain(whole_words=True))
    (single,) = learnt([TEXT], tokenizer, 0, Pretrain())
    assert len(np.unique(single.target[1:-1])) == 10
    sizes = np.unique(whole.target[1:-1], return_counts=True)[1]
    assert sizes.tolist() == [6, 1, 2, 1]


def test_words_of_other_scripts_need_no_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    assert segmented("Don't stop, Bob") == [(0, 5), (6, 10), (10, 11), (12, 15)]


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "jieba", None)
    with pytest.raises(MissingPackageError, match=r"truetune\[zh\]"):
        segmented(TEXT)
