"""BERTScore with a tiny local encoder: the steps of bert-score by plain Transformers give the same numbers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.errors import DataError
from truetune.metrics.embedding_similarity import Baseline
from truetune.stats.plan import Plan

GOLD = ["Anna visited Paris.", "A dull film", "张三去了北京", "What a lovely story"]
SAID = ["Anna went to Paris", "a boring, tedious film", "李四在上海", "What a lovely story"]


def by_transformers(folder: Path, gold: list[str], said: list[str]) -> np.ndarray[Any, Any]:
    import torch
    from transformers import AutoModel, AutoTokenizer

    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModel.from_pretrained(folder).eval()

    def embedded(text: str) -> tuple[Any, Any]:
        given = tokenizer(text, return_tensors="pt", return_special_tokens_mask=True)
        special = given.pop("special_tokens_mask")[0].bool()
        with torch.no_grad():
            vectors = model(**given).last_hidden_state[0]
        return vectors / vectors.norm(dim=1, keepdim=True), ~special

    found = []
    for right, text in zip(gold, said, strict=True):
        (ref, in_ref), (hyp, in_hyp) = embedded(right), embedded(text)
        similar = hyp @ ref.T
        precision = float(similar.max(dim=1)[0][in_hyp].mean())
        recall = float(similar.max(dim=0)[0][in_ref].mean())
        found.append([2 * precision * recall / (precision + recall), precision, recall])
    return np.mean(found, axis=0)


def test_equal_to_the_same_steps_by_transformers(tiny_bert: Path) -> None:
    scores = truetune.similarity(GOLD, SAID, truetune.Similarity(str(tiny_bert)), plan=Plan(resamples=200))
    assert [score.metric for score in scores] == ["bertscore_f1", "bertscore_precision", "bertscore_recall"]
    assert [score.value for score in scores] == pytest.approx(by_transformers(tiny_bert, GOLD, SAID), abs=1e-5)
    assert scores[0].low < scores[0].value < scores[0].high
    assert f"{tiny_bert}, last layer; all pieces weigh the same" in scores[0].signature


def test_settings_change_the_number_and_the_signature(tiny_bert: Path) -> None:
    place = str(tiny_bert)
    plain = truetune.similarity(GOLD, SAID, truetune.Similarity(place))[0]
    weighted = truetune.similarity(GOLD, SAID, truetune.Similarity(place, idf=True))[0]
    rescaled = truetune.similarity(GOLD, SAID, truetune.Similarity(place, baseline=Baseline(0.5, 0.5, 0.5)))[0]
    assert weighted.value != plain.value
    assert "inverse document frequency" in weighted.signature
    assert rescaled.value == pytest.approx(2 * plain.value - 1)
    same = truetune.similarity([["nothing alike", text] for text in SAID], SAID, truetune.Similarity(place))[0]
    assert same.value == pytest.approx(1, abs=1e-6)


def test_long_texts_are_cut_and_counted(tiny_bert: Path) -> None:
    long = "the plot is bad and boring " * 40
    score = truetune.similarity([long, "bad"], [long, "bad"], truetune.Similarity(str(tiny_bert)))[0]
    assert "1 texts cut" in score.signature
    assert score.value == pytest.approx(1, abs=1e-6)
    with pytest.raises(DataError, match="1 references and 2 texts"):
        truetune.similarity(["a"], ["a", "b"], truetune.Similarity(str(tiny_bert)))
