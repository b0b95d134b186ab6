"""What each metric is tested against is said by name, and is what the tests of its family import."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetune.metrics.oracles import oracle

TESTS = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "unit", "said", "file", "imported"),
    [
        ("f1", "example", "scikit-learn", "test_classification.py", "sklearn"),
        ("roc_auc_ovo", "example", "scikit-learn", "test_areas.py", "sklearn"),
        ("f1", "sentence", "seqeval", "test_spans.py", "seqeval"),
        ("span_f1_partial", "text", "nervaluate", "test_span_overlap.py", "nervaluate"),
        ("token_accuracy", "sentence", "seqeval", "test_tokens.py", "seqeval"),
        ("relation_f1_micro", "pair", "scikit-learn", "test_relations.py", "sklearn"),
        ("precision@10", "query", "trec_eval", "test_ranking.py", "pytrec_eval"),
        ("ndcg_exponential@10", "query", "trec_eval", "test_ranking.py", "pytrec_eval"),
        ("rougeLsum", "text", "rouge-score", "test_rouge.py", "rouge_score"),
        ("chrf++", "segment", "sacreBLEU", "test_chrf.py", "sacrebleu"),
        ("self_bleu", "reply", "sacreBLEU", "test_self_bleu.py", "sacrebleu"),
        ("spearman", "example", "scipy", "test_regression.py", "scipy"),
        ("fleiss_kappa", "item", "statsmodels", "test_agreement.py", "statsmodels"),
    ],
)
def test_the_reference_is_named(name: str, unit: str, said: str, file: str, imported: str) -> None:
    assert said in oracle(name, unit)
    assert f"from {imported}" in (text := (TESTS / file).read_text(encoding="utf-8")) or f"import {imported}" in text
