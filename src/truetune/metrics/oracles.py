"""What the tests compare each metric with: a reference implementation, a script, or a formula worked by hand."""

from __future__ import annotations

_BY_UNIT = {
    "sentence": "seqeval, conlleval.pl, nervaluate",
    "text": "seqeval, conlleval.pl, nervaluate",
    "pair": "SemEval-2010 task 8 scorer, scikit-learn",
}
"""Of precision, recall and F1 of one label: by the unit, elsewhere scikit-learn."""

_BY_NAME = {
    "span": "seqeval, conlleval.pl; nervaluate",
    "token": "scikit-learn, seqeval",
    "relation": "SemEval-2010 task 8 scorer, scikit-learn",
    "bertscore": "formulas of bert-score",
    "cohen": "scikit-learn, statsmodels",
    "ece": "formula, by hand (Guo et al. 2017)",
    "calibration": "formula, by hand (Kumar et al. 2019)",
    "exact": "scripts of SQuAD v1.1, v2 and CMRC 2018",
    "qa": "scripts of SQuAD v1.1, v2 and CMRC 2018",
    "bleu": "sacreBLEU",
    "chrf": "sacreBLEU",
    "chrf++": "sacreBLEU",
    "ter": "sacreBLEU",
    "self": "sacreBLEU",
    "rouge1": "rouge-score",
    "rouge2": "rouge-score",
    "rougeL": "rouge-score",
    "rougeLsum": "rouge-score",
    "unigram": "formula, by hand (ParlAI)",
    "distinct1": "formula, by hand (Li et al. 2016)",
    "distinct2": "formula, by hand (Li et al. 2016)",
    "hits": "trec_eval",
    "hit": "trec_eval",
    "mrr": "trec_eval",
    "map": "trec_eval",
    "ndcg": "trec_eval",
    "gauc": "formula, by hand (Zhou et al. 2018)",
    "coverage": "formula, by hand",
    "novelty": "formula, by hand",
    "diversity": "formula, by hand",
    "perplexity": "formula, by hand",
    "bits": "formula, by hand",
    "pearson": "scipy",
    "spearman": "scipy",
    "krippendorff": "published examples, by hand",
    "fleiss": "statsmodels",
    "win": "formula, by hand",
    "bradley": "maximum likelihood, by hand",
    "elo": "formula, by hand",
}


def oracle(name: str, unit: str) -> str:
    """Return what the values of a metric are tested against; `name` is without its label, `unit` as in its score."""
    stem = name.partition("@")[0].partition("_")[0]
    if stem in ("recall", "precision") and "@" in name:
        return "trec_eval"
    if name in ("precision", "recall", "f1"):
        return _BY_UNIT.get(unit, "scikit-learn")
    return _BY_NAME.get(stem, "scikit-learn")
