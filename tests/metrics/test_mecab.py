"""Japanese words: equal to sacreBLEU's `ja-mecab`, and clear where MeCab is missing or has another dictionary."""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sacrebleu.metrics import BLEU

from truetune.errors import MetricError, MissingPackageError
from truetune.metrics import mecab
from truetune.metrics.bleu import bleu
from truetune.metrics.tokenizers import tokenizer_named

SAID = ["今日はとても良い天気ですね。", "この本を読んだことがあります。", "東京タワーへ 行きました (3回)"]
WANTED = ["今日はとてもいい天気です。", "この本は読んだことがない。", "東京タワーに3回行きました。"]


@given(
    lines=st.lists(st.text(st.sampled_from("今日はとても良い天気ですねタワー。、 a1\t\u3000"), max_size=20), max_size=4)
)
def test_words_are_those_of_sacrebleu(lines: list[str]) -> None:
    theirs = BLEU(tokenize="ja-mecab")
    assert tokenizer_named("ja-mecab")(lines) == [theirs._preprocess_segment(line).split() for line in lines]


def test_bleu_is_that_of_sacrebleu_and_says_how() -> None:
    metric, theirs = bleu("ja-mecab"), BLEU(tokenize="ja-mecab")
    rows = metric.rows(WANTED, SAID)
    assert float(metric.value(rows)) == pytest.approx(theirs.corpus_score(SAID, [WANTED]).score, abs=1e-9)
    assert rows.note.removeprefix("tokeniser ") in str(theirs.get_signature())
    assert float(metric.value(rows)) != pytest.approx(float(bleu("zh").value(bleu("zh").rows(WANTED, SAID))), abs=1)


@pytest.fixture
def fresh() -> Any:
    mecab._tagger.cache_clear()
    yield
    mecab._tagger.cache_clear()


@pytest.mark.parametrize("package", ["MeCab", "ipadic"])
@pytest.mark.usefixtures("fresh")
def test_a_missing_package_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingPackageError, match=r"tokeniser ja-mecab needs .* pip install 'truetune\[ja\]'"):
        tokenizer_named("ja-mecab")(["日本"])


@pytest.mark.usefixtures("fresh")
def test_another_dictionary_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    other = ModuleType("MeCab")
    other.Tagger = lambda _: SimpleNamespace(dictionary_info=lambda: SimpleNamespace(size=5, next=None))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "MeCab", other)
    with pytest.raises(MetricError, match="5 entries; expected the 392,126 of the package ipadic"):
        tokenizer_named("ja-mecab")(["日本"])
